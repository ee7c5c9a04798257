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

/* The ipop/... commands of ovs-appctl.
 *
 *     ipop/show [--json] [PORT]          likewise peers, bindings, leases,
 *                                        settings, ring and dht
 *     ipop/trace [--json] [PORT] TARGET
 *     ipop/crawl [--json] [PORT]
 *     ipop/why [--json] [PORT] ADDRESS
 *     ipop/settings-load [--json] [PORT] FILE
 *     ipop/expect [--json] [PORT] MAC [ADDRESS] [NAME]
 *
 * The first kind shows what the port knows.  For people, all ports are printed
 * one after the other, each under its name.  For programs, what is said of one
 * port is one JSON value, and of all ports a JSON object with such a value for
 * each, by its name.
 *
 * The second kind asks other nodes, of one port: PORT may be left out where
 * there is one only.  Its replies come some time later, from
 * ipop_appctl_run().  A question doesn't keep the port alive: should that be
 * gone by then, the reply says so. */

#include <config.h>

#include "netdev-ipop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "netdev-provider.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "unixctl.h"
#include "util.h"

/* A question that hasn't been answered yet. */
struct ipop_query {
    struct ovs_list node;       /* In 'queries'. */
    struct unixctl_conn *conn;
    char *port;                 /* Name. */
    uint64_t number;            /* Of ipop_port_ask(). */
    bool json;
};

/* All of them.  Only the main thread comes here. */
static struct ovs_list queries = OVS_LIST_INITIALIZER(&queries);

/* What may follow the name of a command. */
struct ipop_args {
    bool json;
    const char *words[4];
    int n;
};

/* Parses 'argv' into '*args'.  Returns false, and has replied, if there are
 * more words than 'max' or an option that we don't know; 'usage' is what there
 * should have been. */
static bool
parse_args(struct unixctl_conn *conn, int argc, const char *argv[], int max,
           const char *usage, struct ipop_args *args)
{
    memset(args, 0, sizeof *args);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            args->json = true;
        } else if (argv[i][0] == '-' || args->n >= max) {
            char *error = xasprintf("%s: use %s %s", argv[i], argv[0], usage);

            unixctl_command_reply_error(conn, error);
            free(error);
            return false;
        } else {
            args->words[args->n++] = argv[i];
        }
    }
    return true;
}

static void
reply_no_such_port(struct unixctl_conn *conn, const char *name)
{
    char *error = xasprintf("%s: no such port of type ipop", name);

    unixctl_command_reply_error(conn, error);
    free(error);
}

/* Stores all ports in 'ports', with a reference to each. */
static void
get_ports(struct shash *ports)
{
    shash_init(ports);
    netdev_ipop_get_devices(ports);
}

static void
put_ports(struct shash *ports)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, ports) {
        netdev_close(node->data);
    }
    shash_destroy(ports);
}

/* Views: what a port knows. */

#define VIEW_USAGE "[--json] [PORT]"

/* Appends 's' to 'ds' as a JSON string. */
static void
put_json_string(struct ds *ds, const char *s)
{
    struct json *json = json_string_create(s);

    json_to_ds(json, 0, ds);
    json_destroy(json);
}

struct view_aux {
    enum ipop_view view;
    bool json;
    char *text;
};

static void
get_view(struct ipop_port *port, void *aux_)
{
    struct view_aux *aux = aux_;

    aux->text = ipop_port_view(port, aux->view, aux->json);
}

/* Appends the 'view' of the port 'netdev' to 'ds'. */
static void
put_view(struct ds *ds, const struct netdev *netdev, enum ipop_view view,
         bool json)
{
    struct view_aux aux = { .view = view, .json = json };

    if (netdev_ipop_with_port(netdev, get_view, &aux)) {
        ds_put_cstr(ds, aux.text[0] ? aux.text : "  none");
        ds_chomp(ds, '\n');
        ipop_free(aux.text);
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
    struct ipop_args args;
    struct shash ports;

    if (!parse_args(conn, argc, argv, 1, VIEW_USAGE, &args)) {
        return;
    }

    get_ports(&ports);

    const char *name = args.words[0];
    struct netdev *netdev = name ? shash_find_data(&ports, name) : NULL;
    if (name && !netdev) {
        reply_no_such_port(conn, name);
    } else {
        struct ds ds = DS_EMPTY_INITIALIZER;

        if (name) {
            put_view(&ds, netdev, view, args.json);
        } else {
            put_views(&ds, &ports, view, args.json);
        }
        unixctl_command_reply(conn, ds_cstr(&ds));
        ds_destroy(&ds);
    }
    put_ports(&ports);
}

/* Questions: what other nodes know. */

#define TRACE_USAGE "[--json] [PORT] NODE|GUEST-IP"
#define CRAWL_USAGE "[--json] [PORT]"
#define WHY_USAGE "[--json] [PORT] GUEST-IP|MAC"
#define SETTINGS_LOAD_USAGE "[--json] [PORT] FILE"
#define EXPECT_USAGE "[--json] [PORT] MAC [ADDRESS] [NAME]"

struct ask_aux {
    enum ipop_question question;
    const char *target;         /* Null for a crawl. */
    uint64_t number;
    char *error;                /* For ipop_free(), or null. */
    int retval;
};

static void
ask(struct ipop_port *port, void *aux_)
{
    struct ask_aux *aux = aux_;

    aux->retval = ipop_port_ask(port, aux->question, aux->target,
                                &aux->number, &aux->error);
}

/* Asks a question of 'netdev' on behalf of 'conn', which has its reply now if
 * the question can't be asked. */
static void
ask_port(struct unixctl_conn *conn, const struct netdev *netdev,
         enum ipop_question question, const char *target, bool json)
{
    struct ask_aux aux = { .question = question, .target = target };

    if (!netdev_ipop_with_port(netdev, ask, &aux)) {
        unixctl_command_reply_error(conn, "the port isn't running");
    } else if (aux.retval) {
        unixctl_command_reply_error(conn, aux.error ? aux.error
                                          : ovs_strerror(aux.retval));
        ipop_free(aux.error);
    } else {
        struct ipop_query *query = xmalloc(sizeof *query);

        query->conn = conn;
        query->port = xstrdup(netdev_get_name(netdev));
        query->number = aux.number;
        query->json = json;
        ovs_list_push_back(&queries, &query->node);
    }
}

/* Asks a question of the port called 'name' or, if that is null, of the only
 * one there is. */
static void
ask_by_name(struct unixctl_conn *conn, const char *name,
            enum ipop_question question, const char *target, bool json)
{
    struct shash ports;

    get_ports(&ports);

    struct netdev *netdev = NULL;
    if (name) {
        netdev = shash_find_data(&ports, name);
    } else if (shash_count(&ports) == 1) {
        netdev = shash_first(&ports)->data;
    }
    if (netdev) {
        ask_port(conn, netdev, question, target, json);
    } else if (name) {
        reply_no_such_port(conn, name);
    } else if (shash_is_empty(&ports)) {
        unixctl_command_reply_error(conn, "there is no port of type ipop");
    } else {
        unixctl_command_reply_error(conn, "there are several ports of type "
                                    "ipop; say which");
    }
    put_ports(&ports);
}

/* Asks 'question' about the last word of 'argv'; the one before it, if any, is
 * the port to ask.  'usage' is what there should have been. */
static void
ask_about(struct unixctl_conn *conn, int argc, const char *argv[],
          enum ipop_question question, const char *usage)
{
    struct ipop_args args;

    if (!parse_args(conn, argc, argv, 2, usage, &args)) {
        return;
    }
    if (!args.n) {
        char *error = xasprintf("use %s %s", argv[0], usage);

        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }
    ask_by_name(conn, args.n > 1 ? args.words[0] : NULL, question,
                args.words[args.n - 1], args.json);
}

static void
ipop_appctl_trace(struct unixctl_conn *conn, int argc, const char *argv[],
                  void *aux OVS_UNUSED)
{
    ask_about(conn, argc, argv, IPOP_QUESTION_TRACE, TRACE_USAGE);
}

static void
ipop_appctl_why(struct unixctl_conn *conn, int argc, const char *argv[],
                void *aux OVS_UNUSED)
{
    ask_about(conn, argc, argv, IPOP_QUESTION_WHY, WHY_USAGE);
}

static void
ipop_appctl_settings_load(struct unixctl_conn *conn, int argc,
                          const char *argv[], void *aux OVS_UNUSED)
{
    ask_about(conn, argc, argv, IPOP_QUESTION_LOAD_SETTINGS,
              SETTINGS_LOAD_USAGE);
}

static void
ipop_appctl_expect(struct unixctl_conn *conn, int argc, const char *argv[],
                   void *aux OVS_UNUSED)
{
    struct ipop_args args;
    struct eth_addr mac;

    if (!parse_args(conn, argc, argv, ARRAY_SIZE(args.words), EXPECT_USAGE,
                    &args)) {
        return;
    }

    /* A port may have any name, but hardly that of a MAC. */
    int first = args.n > 1 && !eth_addr_from_string(args.words[0], &mac);
    if (args.n <= first) {
        char *error = xasprintf("use %s %s", argv[0], EXPECT_USAGE);

        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }

    struct ds target = DS_EMPTY_INITIALIZER;
    for (int i = first; i < args.n; i++) {
        ds_put_format(&target, "%s%s", i > first ? " " : "", args.words[i]);
    }
    ask_by_name(conn, first ? args.words[0] : NULL, IPOP_QUESTION_EXPECT,
                ds_cstr(&target), args.json);
    ds_destroy(&target);
}

static void
ipop_appctl_crawl(struct unixctl_conn *conn, int argc, const char *argv[],
                  void *aux OVS_UNUSED)
{
    struct ipop_args args;

    if (parse_args(conn, argc, argv, 1, CRAWL_USAGE, &args)) {
        ask_by_name(conn, args.words[0], IPOP_QUESTION_CRAWL, NULL,
                    args.json);
    }
}

/* Returns the port that 'query' was put to, with a reference, or a null
 * pointer if there is none of its name any more. */
static struct netdev *
ipop_query_get_netdev(const struct ipop_query *query)
{
    struct netdev *netdev = netdev_from_name(query->port);

    if (netdev && !netdev_ipop_is_class(netdev_get_class(netdev))) {
        netdev_close(netdev);
        netdev = NULL;
    }
    return netdev;
}

struct collect_aux {
    const struct ipop_query *query;
    char *answer;               /* For ipop_free(). */
    int retval;
};

static void
collect(struct ipop_port *port, void *aux_)
{
    struct collect_aux *aux = aux_;

    aux->retval = ipop_port_collect(port, aux->query->number, aux->query->json,
                                    &aux->answer);
}

/* Replies to 'query' and returns true, unless there is nothing to say yet. */
static bool
ipop_query_run(struct ipop_query *query)
{
    struct collect_aux aux = { .query = query, .retval = ENOENT };
    struct netdev *netdev = ipop_query_get_netdev(query);

    if (netdev) {
        netdev_ipop_with_port(netdev, collect, &aux);
        netdev_close(netdev);
    }

    if (aux.retval == EAGAIN) {
        return false;
    } else if (aux.retval == EINVAL) {
        unixctl_command_reply_error(query->conn, aux.answer);
        ipop_free(aux.answer);
    } else if (aux.retval) {
        char *error = xasprintf("%s: the port was stopped before the answer "
                                "came", query->port);

        unixctl_command_reply_error(query->conn, error);
        free(error);
    } else {
        unixctl_command_reply(query->conn, aux.answer);
        ipop_free(aux.answer);
    }
    return true;
}

void
ipop_appctl_run(void)
{
    struct ipop_query *query;

    LIST_FOR_EACH_SAFE (query, node, &queries) {
        if (ipop_query_run(query)) {
            ovs_list_remove(&query->node);
            free(query->port);
            free(query);
        }
    }
}

static void
wait_for_answers(struct ipop_port *port, void *aux OVS_UNUSED)
{
    poll_fd_wait(ipop_port_answer_fd(port), POLLIN);
}

void
ipop_appctl_wait(void)
{
    struct ipop_query *query;

    LIST_FOR_EACH (query, node, &queries) {
        struct netdev *netdev = ipop_query_get_netdev(query);

        if (!netdev
            || !netdev_ipop_with_port(netdev, wait_for_answers, NULL)) {
            poll_immediate_wake();
        }
        netdev_close(netdev);
    }
}

void
ipop_appctl_init(void)
{
    static const struct {
        const char *name;
        enum ipop_view view;
    } views[] = {
        { "ipop/show", IPOP_VIEW_SHOW },
        { "ipop/peers", IPOP_VIEW_PEERS },
        { "ipop/bindings", IPOP_VIEW_BINDINGS },
        { "ipop/ring", IPOP_VIEW_RING },
        { "ipop/dht", IPOP_VIEW_DHT },
        { "ipop/leases", IPOP_VIEW_LEASES },
        { "ipop/settings", IPOP_VIEW_SETTINGS },
    };

    for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
        unixctl_command_register(views[i].name, VIEW_USAGE, 0, 2,
                                 ipop_appctl_view,
                                 (void *) (uintptr_t) views[i].view);
    }
    unixctl_command_register("ipop/trace", TRACE_USAGE, 1, 3,
                             ipop_appctl_trace, NULL);
    unixctl_command_register("ipop/crawl", CRAWL_USAGE, 0, 2,
                             ipop_appctl_crawl, NULL);
    unixctl_command_register("ipop/why", WHY_USAGE, 1, 3, ipop_appctl_why,
                             NULL);
    unixctl_command_register("ipop/settings-load", SETTINGS_LOAD_USAGE, 1, 3,
                             ipop_appctl_settings_load, NULL);
    unixctl_command_register("ipop/expect", EXPECT_USAGE, 1, 5,
                             ipop_appctl_expect, NULL);
}
