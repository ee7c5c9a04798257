/*
 * Copyright (c) 2026 The IPOP authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at:
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */

/* The netdev class "ipop": a port of an overlay network.
 *
 * Everything that a frame meets between here and the other host is the
 * engine's, behind "overlay/ipop.h".  This file translates: options to a
 * configuration, and batches of packets to arrays of frames.
 *
 *
 * Thread-safety
 * =============
 *
 * 'engine.port' is what the datapath's threads use, without a lock.  It
 * changes only while they can't be using it (see ipop-engine.h).  'mutex'
 * protects everything else and excludes those changes from the functions of
 * the control plane.
 *
 *
 * Who receives
 * ============
 *
 * By default the main thread, which sleeps while there is nothing to do.  With
 * options:pmd=true it is the datapath's PMD threads, which don't.  Open
 * vSwitch asks a netdev's class about that, and finds classes by their type.
 * So there are two classes of one type, of which the first is registered, and
 * ->reconfigure() changes a netdev from one to the other. */

#include <config.h>

#include "netdev-ipop.h"

#include <errno.h>
#include <poll.h>

#include "dp-packet.h"
#include "dpif-netdev.h"
#include "ipop-engine.h"
#include "ipop-interface.h"
#include "ipop-packet.h"
#include "netdev-provider.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "smap.h"
#include "timeval.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_ipop);

/* Room in front of a received frame, for the virtio-net header that a guest's
 * tap wants or for tags, so that nothing has to be moved. */
#define IPOP_HEADROOM MAX(DP_NETDEV_HEADROOM, 64)

/* A frame of so many octets at most is copied into a packet of its own size:
 * the copy and a small block cost less than a new large buffer, and whoever
 * keeps packets (reassembly, say) doesn't keep 9 kB for each ping. */
#define IPOP_COPY_MAX 512

/* How often we ask the engine whether its status has changed, in ms.  Every
 * change wakes all that watch connectivity, so it is also the most often that
 * a port in trouble can do that. */
#define IPOP_STATUS_INTERVAL 1000

struct netdev_ipop {
    struct netdev up;
    struct ovs_list node OVS_GUARDED_BY(ipop_list_mutex);
    struct ovs_mutex mutex;

    struct ipop_engine engine;
    uint64_t status_seq OVS_GUARDED;  /* Of ipop_port_change_seq(). */
    int wanted_n_txq OVS_GUARDED;     /* For ->reconfigure() to apply. */
};

struct netdev_rxq_ipop {
    struct netdev_rxq up;

    /* Empty packets with room for the largest frame each, kept from one
     * ->rxq_recv() to the next.  Null where one has left with a frame. */
    struct dp_packet *packets[NETDEV_MAX_BURST];
};

/* All netdevs of the class, for its ->run(). */
static struct ovs_mutex ipop_list_mutex = OVS_MUTEX_INITIALIZER;
static struct ovs_list ipop_list OVS_GUARDED_BY(ipop_list_mutex)
    = OVS_LIST_INITIALIZER(&ipop_list);
static long long int next_status_check OVS_GUARDED_BY(ipop_list_mutex);

/* Frames that this thread has brought to us and taken from us. */
DEFINE_STATIC_PER_THREAD_DATA(size_t, frame_count, 0);

static const struct netdev_class netdev_ipop_pmd_class;

bool
netdev_ipop_is_class(const struct netdev_class *class)
{
    return class == &netdev_ipop_class || class == &netdev_ipop_pmd_class;
}

static struct netdev_ipop *
netdev_ipop_cast(const struct netdev *netdev)
{
    ovs_assert(netdev_ipop_is_class(netdev_get_class(netdev)));
    return CONTAINER_OF(netdev, struct netdev_ipop, up);
}

static struct netdev_rxq_ipop *
netdev_rxq_ipop_cast(const struct netdev_rxq *rxq)
{
    ovs_assert(netdev_ipop_is_class(netdev_get_class(rxq->netdev)));
    return CONTAINER_OF(rxq, struct netdev_rxq_ipop, up);
}

/* Class. */

static void
netdev_ipop_log(enum ipop_log_level level, const char *line)
{
    switch (level) {
    case IPOP_LOG_DEBUG:
        VLOG_DBG("%s", line);
        break;
    case IPOP_LOG_INFO:
        VLOG_INFO("%s", line);
        break;
    case IPOP_LOG_WARNING:
        VLOG_WARN("%s", line);
        break;
    }
}

static int
netdev_ipop_init(void)
{
    ipop_set_log(netdev_ipop_log);
    ipop_appctl_init();
    return 0;
}

/* Tells those that watch 'netdev' if its engine would now answer differently
 * about its status. */
static void
netdev_ipop_check_status(struct netdev_ipop *netdev)
{
    bool changed = false;

    ovs_mutex_lock(&netdev->mutex);
    if (netdev->engine.port) {
        uint64_t seq = ipop_port_change_seq(netdev->engine.port);

        changed = seq != netdev->status_seq;
        netdev->status_seq = seq;
    }
    ovs_mutex_unlock(&netdev->mutex);

    if (changed) {
        netdev_change_seq_changed(&netdev->up);
    }
}

static void
netdev_ipop_run(const struct netdev_class *class OVS_UNUSED)
{
    ovs_mutex_lock(&ipop_list_mutex);
    if (time_msec() >= next_status_check) {
        struct netdev_ipop *netdev;

        LIST_FOR_EACH (netdev, node, &ipop_list) {
            netdev_ipop_check_status(netdev);
        }
        next_status_check = time_msec() + IPOP_STATUS_INTERVAL;
    }
    ovs_mutex_unlock(&ipop_list_mutex);

    ipop_appctl_run();
}

static void
netdev_ipop_wait(const struct netdev_class *class OVS_UNUSED)
{
    ovs_mutex_lock(&ipop_list_mutex);
    if (!ovs_list_is_empty(&ipop_list)) {
        poll_timer_wait_until(next_status_check);
    }
    ovs_mutex_unlock(&ipop_list_mutex);

    ipop_appctl_wait();
}

/* Life cycle. */

static struct netdev *
netdev_ipop_alloc(void)
{
    struct netdev_ipop *netdev = xzalloc(sizeof *netdev);
    return &netdev->up;
}

static int
netdev_ipop_construct(struct netdev *netdev_)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);

    ovs_mutex_init(&netdev->mutex);
    ipop_engine_init(&netdev->engine);
    netdev->wanted_n_txq = 1;

    /* In TSO mode guests hand out frames of up to 64 kB and checksums that are
     * not filled in.  The engine takes both, except for SCTP's checksum, which
     * netdev_ipop_fill_sctp_checksum() completes. */
    if (userspace_tso_enabled()) {
        netdev_->ol_flags |= NETDEV_TX_OFFLOAD_TCP_TSO;
        netdev_->ol_flags |= NETDEV_TX_OFFLOAD_TCP_CKSUM;
        netdev_->ol_flags |= NETDEV_TX_OFFLOAD_UDP_CKSUM;
        netdev_->ol_flags |= NETDEV_TX_OFFLOAD_SCTP_CKSUM;
        netdev_->ol_flags |= NETDEV_TX_OFFLOAD_IPV4_CKSUM;
    }

    ovs_mutex_lock(&ipop_list_mutex);
    ovs_list_push_back(&ipop_list, &netdev->node);
    ovs_mutex_unlock(&ipop_list_mutex);

    return 0;
}

static void
netdev_ipop_destruct(struct netdev *netdev_)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);

    ovs_mutex_lock(&ipop_list_mutex);
    ovs_list_remove(&netdev->node);
    ovs_mutex_unlock(&ipop_list_mutex);

    ipop_engine_destroy(&netdev->engine);
    ovs_mutex_destroy(&netdev->mutex);
}

static void
netdev_ipop_dealloc(struct netdev *netdev_)
{
    free(netdev_ipop_cast(netdev_));
}

/* Configuration. */

/* Makes 'netdev' what its engine's options ask for, as far as that is Open
 * vSwitch's business.  No thread may be using 'netdev'. */
static void
netdev_ipop_apply_options(struct netdev_ipop *netdev)
    OVS_REQUIRES(netdev->mutex)
{
    const struct ipop_engine *engine = &netdev->engine;

    if (engine->port) {
        netdev->up.n_rxq = ipop_port_n_rxq(engine->port);
        netdev->up.netdev_class = (smap_get_bool(&engine->options, "pmd",
                                                 false)
                                   ? &netdev_ipop_pmd_class
                                   : &netdev_ipop_class);
    }
}

static int
netdev_ipop_set_config(struct netdev *netdev_, const struct smap *args,
                       char **errp)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);

    ovs_mutex_lock(&netdev->mutex);
    bool is_new = !netdev->engine.port;
    int error = ipop_engine_set_config(&netdev->engine, netdev_, args, errp);
    if (is_new) {
        netdev_ipop_apply_options(netdev);
    }
    ovs_mutex_unlock(&netdev->mutex);

    return error;
}

static int
netdev_ipop_reconfigure(struct netdev *netdev_)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);

    ovs_mutex_lock(&netdev->mutex);
    bool was_pmd = netdev_is_pmd(netdev_);
    ipop_engine_reconfigure(&netdev->engine, netdev_);
    netdev_ipop_apply_options(netdev);
    netdev_->n_txq = netdev->wanted_n_txq;
    ovs_mutex_unlock(&netdev->mutex);

    if (netdev_is_pmd(netdev_) != was_pmd) {
        /* The datapath counted its PMD ports before it came to us. */
        netdev_request_reconfigure(netdev_);
    }
    return 0;
}

/* A UDP socket is near to no memory in particular; any PMD thread will do. */
static int
netdev_ipop_get_numa_id(const struct netdev *netdev OVS_UNUSED)
{
    return 0;
}

/* Threads may send at once as they like, so each of them can have a queue. */
static int
netdev_ipop_set_tx_multiq(struct netdev *netdev_, unsigned int n_txq)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);

    ovs_mutex_lock(&netdev->mutex);
    if (netdev->wanted_n_txq != n_txq) {
        netdev->wanted_n_txq = n_txq;
        netdev_request_reconfigure(netdev_);
    }
    ovs_mutex_unlock(&netdev->mutex);

    return 0;
}

static int
netdev_ipop_get_config(const struct netdev *netdev_, struct smap *args)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);
    struct smap_node *node;

    ovs_mutex_lock(&netdev->mutex);
    SMAP_FOR_EACH (node, &netdev->engine.options) {
        smap_add(args, node->key, node->value);
    }
    ovs_mutex_unlock(&netdev->mutex);

    return 0;
}

/* Adds why the engine isn't what the database asks for, if so. */
static int
netdev_ipop_get_status(const struct netdev *netdev_, struct smap *smap)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);

    ipop_interface_get_status(netdev_, smap);

    ovs_mutex_lock(&netdev->mutex);
    if (netdev->engine.config_error) {
        smap_replace(smap, "config_error", netdev->engine.config_error);
    }
    ovs_mutex_unlock(&netdev->mutex);

    return 0;
}

/* Sending. */

static int
netdev_ipop_send(struct netdev *netdev_, int qid OVS_UNUSED,
                 struct dp_packet_batch *batch,
                 bool concurrent_txq OVS_UNUSED)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);
    struct ipop_port *port = netdev->engine.port;
    struct ipop_frame frames[NETDEV_MAX_BURST];
    struct dp_packet *packet;
    size_t n = 0;

    if (OVS_LIKELY(port)) {
        int mtu = ipop_port_mtu(port);

        DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
            n += ipop_packet_to_frame(packet, mtu, &frames[n]);
        }
        ipop_port_send(port, frames, n);
        *frame_count_get() += n;
    }
    dp_packet_delete_batch(batch, true);

    return 0;
}

/* Receiving. */

static struct netdev_rxq *
netdev_ipop_rxq_alloc(void)
{
    struct netdev_rxq_ipop *rx = xzalloc(sizeof *rx);
    return &rx->up;
}

static int
netdev_ipop_rxq_construct(struct netdev_rxq *rxq OVS_UNUSED)
{
    return 0;
}

static void
netdev_ipop_rxq_destruct(struct netdev_rxq *rxq)
{
    struct netdev_rxq_ipop *rx = netdev_rxq_ipop_cast(rxq);

    for (size_t i = 0; i < ARRAY_SIZE(rx->packets); i++) {
        dp_packet_delete(rx->packets[i]);
    }
}

static void
netdev_ipop_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(netdev_rxq_ipop_cast(rxq));
}

/* Returns a packet of what was received into '*packetp', as 'buffer' tells.
 * A long frame leaves with its buffer, which is then null. */
static struct dp_packet *
netdev_ipop_rxq_take(struct dp_packet **packetp,
                     const struct ipop_buffer *buffer)
{
    struct dp_packet *packet = *packetp;

    if (buffer->length <= IPOP_COPY_MAX
        && !(buffer->flags & IPOP_FRAME_TSO)) {
        return dp_packet_clone_data_with_headroom(dp_packet_data(packet),
                                                  buffer->length,
                                                  IPOP_HEADROOM);
    }
    *packetp = NULL;
    dp_packet_set_size(packet, buffer->length);
    if (buffer->flags & IPOP_FRAME_TSO) {
        ipop_packet_set_tso(packet);
    }
    return packet;
}

static int
netdev_ipop_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                     int *qfill)
{
    struct netdev_rxq_ipop *rx = netdev_rxq_ipop_cast(rxq);
    struct ipop_port *port = netdev_ipop_cast(rxq->netdev)->engine.port;
    struct ipop_buffer buffers[NETDEV_MAX_BURST];

    if (OVS_UNLIKELY(!port)) {
        return EAGAIN;
    }

    size_t capacity = ipop_port_buffer_size(port);
    for (size_t i = 0; i < NETDEV_MAX_BURST; i++) {
        if (!rx->packets[i]) {
            rx->packets[i] = dp_packet_new_with_headroom(capacity,
                                                         IPOP_HEADROOM);
        }
        buffers[i].data = dp_packet_data(rx->packets[i]);
        buffers[i].capacity = capacity;
    }

    size_t n = ipop_port_recv(port, rxq->queue_id, buffers, NETDEV_MAX_BURST);
    if (!n) {
        return EAGAIN;
    }
    *frame_count_get() += n;

    dp_packet_batch_init(batch);
    for (size_t i = 0; i < n; i++) {
        dp_packet_batch_add(batch, netdev_ipop_rxq_take(&rx->packets[i],
                                                        &buffers[i]));
    }
    if (qfill) {
        *qfill = -ENOTSUP;
    }
    return 0;
}

/* The port makes a descriptor readable while it has frames for us, except for
 * those that it has at hand. */
static void
netdev_ipop_rxq_wait(struct netdev_rxq *rxq)
{
    const struct ipop_port *port = netdev_ipop_cast(rxq->netdev)->engine.port;

    if (!port) {
        return;
    }
    if (ipop_port_ready(port, rxq->queue_id)) {
        poll_immediate_wake();
    } else {
        int fds[2];
        size_t n = ipop_port_fds(port, rxq->queue_id, fds);

        for (size_t i = 0; i < n; i++) {
            poll_fd_wait(fds[i], POLLIN);
        }
    }
}

/* For other files, and what is left. */

void
netdev_ipop_get_devices(struct shash *devices)
{
    netdev_get_devices(&netdev_ipop_class, devices);
    netdev_get_devices(&netdev_ipop_pmd_class, devices);
}

bool
netdev_ipop_with_port(const struct netdev *netdev_,
                      void (*cb)(struct ipop_port *, void *aux), void *aux)
{
    struct netdev_ipop *netdev = netdev_ipop_cast(netdev_);
    bool running;

    ovs_mutex_lock(&netdev->mutex);
    running = netdev->engine.port != NULL;
    if (running) {
        cb(netdev->engine.port, aux);
    }
    ovs_mutex_unlock(&netdev->mutex);

    return running;
}

size_t
netdev_ipop_take_frame_count(void)
{
    size_t count = *frame_count_get();

    *frame_count_get() = 0;
    return count;
}

/* A port is administratively up for as long as it exists. */
static int
netdev_ipop_update_flags(struct netdev *netdev OVS_UNUSED,
                         enum netdev_flags off,
                         enum netdev_flags on OVS_UNUSED,
                         enum netdev_flags *old_flagsp)
{
    if (off & (NETDEV_UP | NETDEV_PROMISC)) {
        return EOPNOTSUPP;
    }

    *old_flagsp = NETDEV_UP | NETDEV_PROMISC;
    return 0;
}

#define NETDEV_IPOP_CLASS_COMMON                                        \
    .type = "ipop",                                                     \
    .init = netdev_ipop_init,                                           \
    .run = netdev_ipop_run,                                             \
    .wait = netdev_ipop_wait,                                           \
    .alloc = netdev_ipop_alloc,                                         \
    .construct = netdev_ipop_construct,                                 \
    .destruct = netdev_ipop_destruct,                                   \
    .dealloc = netdev_ipop_dealloc,                                     \
    .get_config = netdev_ipop_get_config,                               \
    .set_config = netdev_ipop_set_config,                               \
    .reconfigure = netdev_ipop_reconfigure,                             \
    .set_tx_multiq = netdev_ipop_set_tx_multiq,                         \
    .get_numa_id = netdev_ipop_get_numa_id,                             \
    .send = netdev_ipop_send,                                           \
    .get_etheraddr = ipop_interface_get_etheraddr,                      \
    .get_mtu = ipop_interface_get_mtu,                                  \
    .get_carrier = ipop_interface_get_carrier,                          \
    .get_stats = ipop_interface_get_stats,                              \
    .get_custom_stats = ipop_interface_get_custom_stats,                \
    .get_status = netdev_ipop_get_status,                               \
    .update_flags = netdev_ipop_update_flags,                           \
    .rxq_alloc = netdev_ipop_rxq_alloc,                                 \
    .rxq_construct = netdev_ipop_rxq_construct,                         \
    .rxq_destruct = netdev_ipop_rxq_destruct,                           \
    .rxq_dealloc = netdev_ipop_rxq_dealloc,                             \
    .rxq_recv = netdev_ipop_rxq_recv,                                   \
    .rxq_wait = netdev_ipop_rxq_wait

const struct netdev_class netdev_ipop_class = {
    NETDEV_IPOP_CLASS_COMMON,
    .is_pmd = false
};

static const struct netdev_class netdev_ipop_pmd_class = {
    NETDEV_IPOP_CLASS_COMMON,
    .is_pmd = true
};
