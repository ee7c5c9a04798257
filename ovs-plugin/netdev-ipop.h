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
#include <stddef.h>

#include "overlay/ipop.h"

struct netdev;
struct netdev_class;
struct shash;

/* A port of an overlay network.  Each netdev is one membership: one identity,
 * one UDP port, one engine.  The engine is behind "overlay/ipop.h". */
extern const struct netdev_class netdev_ipop_class;

/* What a port of type "ipop" becomes on a bridge that isn't in userspace: a
 * netdev that refuses every configuration with a sentence that says why. */
extern const struct netdev_class netdev_ipop_wrong_datapath_class;

/* Whether 'class' is that of such ports, which PMD threads may poll or not. */
bool netdev_ipop_is_class(const struct netdev_class *class);

/* Adds all ports of the class to 'devices', by name, with a reference to each
 * that is the caller's to give back. */
void netdev_ipop_get_devices(struct shash *devices);

/* Calls 'cb' with the engine of 'netdev', which must be such a port, and
 * 'aux'.  Returns false, without having called it, if none is running. */
bool netdev_ipop_with_port(const struct netdev *netdev,
                           void (*cb)(struct ipop_port *, void *aux),
                           void *aux);

/* Returns how many frames the calling thread has brought to and taken from
 * such ports since it last asked. */
size_t netdev_ipop_take_frame_count(void);

/* Registers the ipop/... commands of ovs-appctl.  Some of them are answered
 * later, by ipop_appctl_run(), which the main loop calls each time around;
 * ipop_appctl_wait() has it come around for that. */
void ipop_appctl_init(void);
void ipop_appctl_run(void);
void ipop_appctl_wait(void);

#endif /* netdev-ipop.h */
