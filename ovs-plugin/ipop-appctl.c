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

/* ovs-appctl ipop/show, ipop/peers and ipop/bindings.
 *
 *     ipop/show [--json] [PORT]
 *
 * For people, all ports are printed one after the other, each under its name.
 * For programs, what is said of one port is one JSON value, and of all ports a
 * JSON object with such a value for each, by its name. */

#include <config.h>

#include <string.h>

#include "netdev-ipop.h"
#include "netdev-provider.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "unixctl.h"
#include "util.h"

/* Appends 's' to 'ds' as a JSON string. */
static void
put_json_string(struct ds *ds, const char *s)
{
    struct json *json = json_string_create(s);

    json_to_ds(json, 0, ds);
    json_destroy(json);
}

/* Appends the 'view' of the port 'netdev' to 'ds'. */
static void
put_view(struct ds *ds, const struct netdev *netdev, enum ipop_view view,
         bool json)
{
    char *text = netdev_ipop_get_view(netdev, view, json);

    if (text) {
        ds_put_cstr(ds, text[0] ? text : "  none");
        ds_chomp(ds, '\n');
        ipop_free(text);
    } else {
        ds_put_cstr(ds, json ? "null" : "not running");
    }
}

/* Appends the 'view' of all 'ports' to 'ds', in the order of their names. */
static void
put_views(struct ds *ds, const struct shash *ports, enum ipop_view view,
          bool json)
{
    const struct shash_node **nodes = shash_sort(ports);

    if (json) {
        ds_put_char(ds, '{');
    }
    for (size_t i = 0; i < shash_count(ports); i++) {
        if (json) {
            ds_put_cstr(ds, i ? "," : "");
            put_json_string(ds, nodes[i]->name);
            ds_put_char(ds, ':');
        } else {
            ds_put_format(ds, "%s%s:\n", i ? "\n" : "", nodes[i]->name);
        }
        put_view(ds, nodes[i]->data, view, json);
        ds_put_cstr(ds, json ? "" : "\n");
    }
    if (json) {
        ds_put_char(ds, '}');
    }
    free(nodes);
}

/* 'aux' is the enum ipop_view. */
static void
ipop_appctl_view(struct unixctl_conn *conn, int argc, const char *argv[],
                 void *aux)
{
    enum ipop_view view = (uintptr_t) aux;
    const char *name = NULL;
    bool json = false;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            json = true;
        } else if (argv[i][0] == '-' || name) {
            char *error = xasprintf("%s: use %s [--json] [PORT]",
                                    argv[i], argv[0]);
            unixctl_command_reply_error(conn, error);
            free(error);
            return;
        } else {
            name = argv[i];
        }
    }

    /* Takes a reference to each netdev. */
    struct shash ports = SHASH_INITIALIZER(&ports);
    netdev_get_devices(&netdev_ipop_class, &ports);

    struct netdev *netdev = name ? shash_find_data(&ports, name) : NULL;
    if (name && !netdev) {
        char *error = xasprintf("%s: no such port of type ipop", name);
        unixctl_command_reply_error(conn, error);
        free(error);
    } else {
        struct ds ds = DS_EMPTY_INITIALIZER;

        if (name) {
            put_view(&ds, netdev, view, json);
        } else {
            put_views(&ds, &ports, view, json);
        }
        unixctl_command_reply(conn, ds_cstr(&ds));
        ds_destroy(&ds);
    }

    struct shash_node *node;
    SHASH_FOR_EACH (node, &ports) {
        netdev_close(node->data);
    }
    shash_destroy(&ports);
}

void
ipop_appctl_init(void)
{
    static const struct {
        const char *name;
        enum ipop_view view;
    } commands[] = {
        { "ipop/show", IPOP_VIEW_SHOW },
        { "ipop/peers", IPOP_VIEW_PEERS },
        { "ipop/bindings", IPOP_VIEW_BINDINGS },
    };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        unixctl_command_register(commands[i].name, "[--json] [PORT]", 0, 2,
                                 ipop_appctl_view,
                                 (void *) (uintptr_t) commands[i].view);
    }
}
