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

/* Joins our provider to ovs-vswitchd without a change to its sources.
 *
 * netdev_initialize() is private to lib/netdev.c, so nothing outside it can
 * add a class to the list there.  Instead the linker replaces three calls that
 * vswitchd makes (ld(1), --wrap).  Should a later Open vSwitch rename one of
 * these functions, the link fails: the provider is never silently absent. */

#include <config.h>

#include <malloc.h>
#include <string.h>

#include "dpif.h"
#include "netdev-ipop.h"
#include "netdev-provider.h"
#include "ofproto/ofproto-provider.h"

void __real_bridge_init(const char *remote);
void __wrap_bridge_init(const char *remote);
const char *__real_ofproto_port_open_type(const struct ofproto *,
                                          const char *port_type);
const char *__wrap_ofproto_port_open_type(const struct ofproto *,
                                          const char *port_type);
bool __real_dpif_run(struct dpif *);
bool __wrap_dpif_run(struct dpif *);

/* A burst of frames takes and returns 2 MB of the heap.  Glibc would give it
 * back to the kernel each time and fault it in again for the next burst. */
#define IPOP_TRIM_THRESHOLD (64 * 1024 * 1024)

/* How often a datapath whose ipop ports are busy runs once more before the
 * main loop goes on. */
#define IPOP_MORE_RUNS 3

/* vswitchd's main() calls this once, after it has become a daemon, so threads
 * may be started, and before it has read the database, so no port exists. */
void
__wrap_bridge_init(const char *remote)
{
    __real_bridge_init(remote);

    mallopt(M_TRIM_THRESHOLD, IPOP_TRIM_THRESHOLD);
    netdev_register_provider(&netdev_ipop_class);
    netdev_register_provider(&netdev_ipop_wrong_datapath_class);
}

/* bridge.c asks this for the class of netdev that a port of 'port_type' is to
 * be.  A datapath in the kernel would refuse a netdev of type "ipop" with no
 * more than "Invalid argument", so such a bridge gets a netdev that explains
 * itself instead. */
const char *
__wrap_ofproto_port_open_type(const struct ofproto *ofproto,
                              const char *port_type)
{
    if (!strcmp(port_type, netdev_ipop_class.type)
        && strcmp(ofproto->type, "netdev")) {
        return netdev_ipop_wrong_datapath_class.type;
    }
    return __real_ofproto_port_open_type(ofproto, port_type);
}

/* The main loop calls this each time around, and it takes one burst from each
 * port that no PMD thread polls.  All that the loop does besides (OpenFlow,
 * OVSDB, appctl, statistics) costs as much as a burst or two, so that a busy
 * datapath gets some more first. */
bool
__wrap_dpif_run(struct dpif *dpif)
{
    bool changed = __real_dpif_run(dpif);

    for (int i = 0; i < IPOP_MORE_RUNS && netdev_ipop_take_frame_count();
         i++) {
        changed |= __real_dpif_run(dpif);
    }
    return changed;
}
