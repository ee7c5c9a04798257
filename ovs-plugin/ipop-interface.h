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

#ifndef IPOP_INTERFACE_H
#define IPOP_INTERFACE_H 1

#include <stdbool.h>

struct eth_addr;
struct netdev;
struct netdev_custom_stats;
struct netdev_stats;
struct smap;

/* What the Interface table shows of a port, from what its engine tells of
 * itself: the functions of the same names in netdev-provider.h, for the main
 * thread.  While no engine is running they return ENODEV, or success with all
 * counters zero, no carrier and an empty status. */
int ipop_interface_get_etheraddr(const struct netdev *, struct eth_addr *);
int ipop_interface_get_mtu(const struct netdev *, int *mtup);
int ipop_interface_get_carrier(const struct netdev *, bool *carrier);
int ipop_interface_get_stats(const struct netdev *, struct netdev_stats *);
int ipop_interface_get_custom_stats(const struct netdev *,
                                    struct netdev_custom_stats *);
int ipop_interface_get_status(const struct netdev *, struct smap *);

#endif /* ipop-interface.h */
