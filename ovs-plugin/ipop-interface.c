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

#include <config.h>

#include "ipop-interface.h"

#include <errno.h>
#include <string.h>

#include "netdev-ipop.h"
#include "openvswitch/netdev.h"
#include "openvswitch/types.h"
#include "smap.h"
#include "util.h"

static void
get_etheraddr(struct ipop_port *port, void *mac_)
{
    struct eth_addr *mac = mac_;

    ipop_port_mac(port, mac->ea);
}

int
ipop_interface_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    return netdev_ipop_with_port(netdev, get_etheraddr, mac) ? 0 : ENODEV;
}

static void
get_mtu(struct ipop_port *port, void *mtup_)
{
    int *mtup = mtup_;

    *mtup = ipop_port_mtu(port);
}

int
ipop_interface_get_mtu(const struct netdev *netdev, int *mtup)
{
    return netdev_ipop_with_port(netdev, get_mtu, mtup) ? 0 : ENODEV;
}

static void
get_carrier(struct ipop_port *port, void *carrier_)
{
    bool *carrier = carrier_;

    *carrier = ipop_port_carrier(port);
}

int
ipop_interface_get_carrier(const struct netdev *netdev, bool *carrier)
{
    *carrier = false;
    netdev_ipop_with_port(netdev, get_carrier, carrier);
    return 0;
}

static void
get_stats(struct ipop_port *port, void *stats)
{
    ipop_port_stats(port, stats);
}

int
ipop_interface_get_stats(const struct netdev *netdev,
                         struct netdev_stats *stats)
{
    struct ipop_stats engine = { .rx_frames = 0 };

    netdev_ipop_with_port(netdev, get_stats, &engine);

    memset(stats, 0xff, sizeof *stats);     /* UINT64_MAX: not supported. */
    stats->rx_packets = engine.rx_frames;
    stats->rx_bytes = engine.rx_bytes;
    stats->rx_dropped = engine.rx_dropped;
    stats->tx_packets = engine.tx_frames;
    stats->tx_bytes = engine.tx_bytes;
    stats->tx_dropped = engine.tx_dropped;
    return 0;
}

struct custom_stats {
    struct netdev_custom_stats *up;
    size_t allocated;           /* Elements in 'up->counters'. */
};

static void
add_counter(void *stats_, const char *name, uint64_t value)
{
    struct custom_stats *stats = stats_;
    struct netdev_custom_stats *up = stats->up;

    if (up->size >= stats->allocated) {
        up->counters = x2nrealloc(up->counters, &stats->allocated,
                                  sizeof *up->counters);
    }
    ovs_strlcpy(up->counters[up->size].name, name,
                NETDEV_CUSTOM_STATS_NAME_SIZE);
    up->counters[up->size].value = value;
    up->size++;
}

static void
get_custom_stats(struct ipop_port *port, void *stats)
{
    ipop_port_counters(port, add_counter, stats);
}

int
ipop_interface_get_custom_stats(const struct netdev *netdev,
                                struct netdev_custom_stats *custom_stats)
{
    struct custom_stats stats = { .up = custom_stats };

    custom_stats->size = 0;
    custom_stats->counters = NULL;
    netdev_ipop_with_port(netdev, get_custom_stats, &stats);
    return 0;
}

static void
add_status(void *smap, const char *key, const char *value)
{
    smap_replace(smap, key, value);
}

static void
get_status(struct ipop_port *port, void *smap)
{
    ipop_port_status(port, add_status, smap);
}

int
ipop_interface_get_status(const struct netdev *netdev, struct smap *smap)
{
    netdev_ipop_with_port(netdev, get_status, smap);
    return 0;
}
