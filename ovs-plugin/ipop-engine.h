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

#ifndef IPOP_ENGINE_H
#define IPOP_ENGINE_H 1

#include <stdbool.h>

#include "smap.h"

#include "overlay/ipop.h"

struct netdev;

/* Which engine a port has, and of what options it was made.
 *
 *
 * A live port survives its configuration
 * ======================================
 *
 * vswitchd calls ->set_config() for every port whenever anything changes in
 * the database, and deletes a port that returns an error from it.  So only a
 * new port, which carries nobody's traffic yet, returns an error, which
 * vswitchd shows as Interface.error.  A live port whose options no longer work
 * goes on with those that did, and shows why as status:config_error.
 *
 * For the same reason new options are tried before the old engine is given
 * up.  That isn't possible where the old engine itself is in the way, because
 * both use the same invite or UDP port; then ->reconfigure() stops the one
 * before it starts the other, and starts the old one again should that fail.
 *
 *
 * Thread-safety
 * =============
 *
 * Not thread-safe: the owner serializes all calls.  Only 'port' may be read
 * without that by the datapath's threads, since it changes only while they
 * can't be using it: before the netdev is in a datapath, and within
 * ->reconfigure() (see netdev-provider.h). */
struct ipop_engine {
    struct ipop_port *port;     /* Null until a configuration has worked. */
    struct smap options;        /* What 'port' was made of. */
    bool lost;                  /* Has 'port' stopped for good? */

    /* Options for ->reconfigure() to apply.  'next' is the engine that was
     * made of them, or null if the old one has to make room first. */
    bool pending;
    struct smap next_options;
    struct ipop_port *next;

    /* Why 'port' isn't what the database asks for, or null if it is. */
    char *config_error;

    /* Options for which ->reconfigure() interrupted the port in vain. */
    struct smap vain_options;
};

void ipop_engine_init(struct ipop_engine *);
void ipop_engine_destroy(struct ipop_engine *);

/* What the functions of the same names in netdev-provider.h are for 'netdev',
 * whose engine this is. */
int ipop_engine_set_config(struct ipop_engine *, struct netdev *,
                           const struct smap *args, char **errp);
void ipop_engine_reconfigure(struct ipop_engine *, struct netdev *);

#endif /* ipop-engine.h */
