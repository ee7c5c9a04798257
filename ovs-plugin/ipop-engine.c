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

#include "ipop-engine.h"

#include <errno.h>

#include "netdev-provider.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ipop_engine);

/* Log lines that a wrong configuration repeats at every change of the
 * database. */
static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

void
ipop_engine_init(struct ipop_engine *engine)
{
    memset(engine, 0, sizeof *engine);
    smap_init(&engine->options);
    smap_init(&engine->next_options);
    smap_init(&engine->vain_options);
}

void
ipop_engine_destroy(struct ipop_engine *engine)
{
    if (engine->next) {
        ipop_port_destroy(engine->next);
    }
    if (engine->port) {
        ipop_port_destroy(engine->port);
    }
    smap_destroy(&engine->options);
    smap_destroy(&engine->next_options);
    smap_destroy(&engine->vain_options);
    free(engine->config_error);
}

/* Returns a sentence about the first of 'args' that means nothing to us, for
 * the caller to free, or a null pointer.  What they say is the engine's to
 * check, but for "pmd", which it isn't told. */
static char *
ipop_engine_check_options(const struct smap *args)
{
    static const char *const valid[] = {
        "invite", "listen", "introducers", "rekey", "state_dir", "n_rxq",
        "pmd",
    };
    const struct smap_node **nodes = smap_sort(args);
    char *error = NULL;

    for (size_t i = 0; i < smap_count(args) && !error; i++) {
        bool known = false;

        for (size_t j = 0; j < ARRAY_SIZE(valid); j++) {
            known |= !strcmp(nodes[i]->key, valid[j]);
        }
        if (!known) {
            struct ds ds = DS_EMPTY_INITIALIZER;

            ds_put_format(&ds, "options:%s is an unknown option; "
                          "type=ipop has", nodes[i]->key);
            for (size_t j = 0; j < ARRAY_SIZE(valid); j++) {
                ds_put_format(&ds, "%s %s", j ? "," : "", valid[j]);
            }
            error = ds_steal_cstr(&ds);
        }
    }
    free(nodes);

    const char *pmd = smap_get_def(args, "pmd", "false");
    if (!error && strcmp(pmd, "true") && strcmp(pmd, "false")) {
        error = xasprintf("options:pmd: \"%s\" is neither true nor false",
                          pmd);
    }
    return error;
}

/* Makes a port for 'netdev' of 'args'.  Returns 0 and stores it in '*portp' or
 * returns a positive errno value and stores a sentence in '*errorp', for the
 * caller to free. */
static int
ipop_engine_start(const struct netdev *netdev, const struct smap *args,
                  struct ipop_port **portp, char **errorp)
{
    const struct ipop_config config = {
        .name = netdev_get_name(netdev),
        .invite = smap_get(args, "invite"),
        .listen = smap_get(args, "listen"),
        .introducers = smap_get(args, "introducers"),
        .rekey = smap_get(args, "rekey"),
        .state_dir = smap_get(args, "state_dir"),
        .n_rxq = smap_get(args, "n_rxq"),
        .tso = userspace_tso_enabled(),
    };
    char *engine_error = NULL;
    int error = ipop_port_create(&config, portp, &engine_error);

    if (error) {
        *portp = NULL;
        *errorp = xstrdup(engine_error ? engine_error : ovs_strerror(error));
    }
    ipop_free(engine_error);
    return error;
}

/* Makes 'port', which was made of 'args', that of 'engine'. */
static void
ipop_engine_adopt(struct ipop_engine *engine, struct ipop_port *port,
                  const struct smap *args)
{
    ovs_assert(!engine->port);
    engine->port = port;
    if (args != &engine->options) {
        smap_destroy(&engine->options);
        smap_clone(&engine->options, args);
    }
}

/* Forgets what was to be applied by ->reconfigure(). */
static void
ipop_engine_cancel(struct ipop_engine *engine)
{
    if (engine->next) {
        ipop_port_destroy(engine->next);
        engine->next = NULL;
    }
    engine->pending = false;
}

/* Notes that the options in the database are good, if 'error' is null, or else
 * that the port goes on without them because of 'error', of which it takes
 * ownership. */
static void
ipop_engine_set_error(struct ipop_engine *engine, struct netdev *netdev,
                      char *error)
{
    if (!nullable_string_is_equal(error, engine->config_error)) {
        if (error) {
            VLOG_WARN("%s: keeping the previous configuration: %s",
                      netdev_get_name(netdev), error);
        }
        netdev_change_seq_changed(netdev);
    }
    free(engine->config_error);
    engine->config_error = error;
}

/* Configures a port that has no engine yet.  Returns 0 or a positive errno
 * value and stores a sentence in '*errp'. */
static int
ipop_engine_configure_new(struct ipop_engine *engine,
                          const struct netdev *netdev,
                          const struct smap *args, char **errp)
{
    struct ipop_port *port = NULL;
    int error = EINVAL;

    *errp = ipop_engine_check_options(args);
    if (!*errp) {
        error = ipop_engine_start(netdev, args, &port, errp);
    }
    if (error) {
        VLOG_WARN_RL(&rl, "%s: %s", netdev_get_name(netdev), *errp);
        return error;
    }
    ipop_engine_adopt(engine, port, args);
    return 0;
}

/* Configures a port whose engine is running.  Cannot fail. */
static void
ipop_engine_configure_live(struct ipop_engine *engine, struct netdev *netdev,
                           const struct smap *args)
{
    struct ipop_port *port = NULL;
    char *error;

    if (engine->pending && smap_equal(args, &engine->next_options)) {
        return;
    }
    ipop_engine_cancel(engine);

    bool in_vain = smap_equal(args, &engine->vain_options);
    if (!in_vain) {
        smap_clear(&engine->vain_options);
    }

    if (smap_equal(args, &engine->options)) {
        ipop_engine_set_error(engine, netdev, NULL);
        return;
    }

    error = ipop_engine_check_options(args);
    if (error) {
        ipop_engine_set_error(engine, netdev, error);
        return;
    }

    switch (ipop_engine_start(netdev, args, &port, &error)) {
    case 0:
        break;

    case EBUSY:
    case EADDRINUSE:
        /* Is it our own old engine that uses the invite or the UDP port?  It
         * takes an interruption to find out, so we do that once only, and
         * what came of it then remains our error. */
        free(error);
        if (in_vain) {
            return;
        }
        break;

    default:
        ipop_engine_set_error(engine, netdev, error);
        return;
    }

    engine->next = port;
    engine->pending = true;
    smap_destroy(&engine->next_options);
    smap_clone(&engine->next_options, args);
    netdev_request_reconfigure(netdev);
}

int
ipop_engine_set_config(struct ipop_engine *engine, struct netdev *netdev,
                       const struct smap *args, char **errp)
{
    if (engine->port) {
        ipop_engine_configure_live(engine, netdev, args);
        return 0;
    } else if (engine->lost) {
        /* There is nothing left to keep alive.  vswitchd deletes the port and
         * at once makes a new one, which works or has its error shown. */
        *errp = xstrdup("stopped");
        return ENODEV;
    } else {
        return ipop_engine_configure_new(engine, netdev, args, errp);
    }
}

void
ipop_engine_reconfigure(struct ipop_engine *engine, struct netdev *netdev)
{
    char *error = NULL;

    if (!engine->pending) {
        return;
    }
    engine->pending = false;

    ipop_port_destroy(engine->port);
    engine->port = NULL;

    struct ipop_port *port = engine->next;
    engine->next = NULL;
    if (port || !ipop_engine_start(netdev, &engine->next_options, &port,
                                   &error)) {
        ipop_engine_adopt(engine, port, &engine->next_options);
        ipop_engine_set_error(engine, netdev, NULL);
    } else {
        ipop_engine_set_error(engine, netdev, error);
        smap_destroy(&engine->vain_options);
        smap_clone(&engine->vain_options, &engine->next_options);

        if (!ipop_engine_start(netdev, &engine->options, &port, &error)) {
            ipop_engine_adopt(engine, port, &engine->options);
        } else {
            VLOG_WARN("%s: the previous configuration doesn't work any "
                      "longer: %s", netdev_get_name(netdev), error);
            free(error);
            engine->lost = true;
        }
    }
    netdev_change_seq_changed(netdev);
}
