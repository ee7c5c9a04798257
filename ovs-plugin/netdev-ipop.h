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

#ifndef NETDEV_IPOP_H
#define NETDEV_IPOP_H 1

#include <stdbool.h>

#include "overlay/ipop.h"

struct netdev;
struct netdev_class;

/* A port of an overlay network.  Each netdev is one membership: one identity,
 * one UDP socket, one engine.  The engine is behind "overlay/ipop.h". */
extern const struct netdev_class netdev_ipop_class;

/* What a port of type "ipop" becomes on a bridge that isn't in userspace: a
 * netdev that refuses every configuration with a sentence that says why. */
extern const struct netdev_class netdev_ipop_wrong_datapath_class;

/* Returns what the engine of 'netdev', which must be of netdev_ipop_class,
 * says of itself, for the caller to release with ipop_free(), or a null
 * pointer if it isn't running. */
char *netdev_ipop_get_view(const struct netdev *netdev, enum ipop_view,
                           bool json);

/* Registers the ipop/... commands of ovs-appctl. */
void ipop_appctl_init(void);

#endif /* netdev-ipop.h */
