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

#include <errno.h>

#include "netdev-ipop.h"
#include "netdev-provider.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_ipop_wrong_datapath);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

static struct netdev *
wrong_datapath_alloc(void)
{
    return xzalloc(sizeof(struct netdev));
}

static int
wrong_datapath_construct(struct netdev *netdev OVS_UNUSED)
{
    return 0;
}

static void
wrong_datapath_destruct(struct netdev *netdev OVS_UNUSED)
{
}

static void
wrong_datapath_dealloc(struct netdev *netdev)
{
    free(netdev);
}

/* The one purpose of this class.  The bridge isn't known here: its part of
 * the command is for the administrator to fill in. */
static int
wrong_datapath_set_config(struct netdev *netdev,
                          const struct smap *args OVS_UNUSED, char **errp)
{
    *errp = xstrdup("type=ipop needs a userspace bridge: "
                    "ovs-vsctl set bridge BRIDGE datapath_type=netdev");
    VLOG_WARN_RL(&rl, "%s: %s", netdev_get_name(netdev), *errp);
    return EINVAL;
}

static int
wrong_datapath_update_flags(struct netdev *netdev OVS_UNUSED,
                            enum netdev_flags off OVS_UNUSED,
                            enum netdev_flags on OVS_UNUSED,
                            enum netdev_flags *old_flagsp)
{
    *old_flagsp = 0;
    return 0;
}

const struct netdev_class netdev_ipop_wrong_datapath_class = {
    .type = "ipop-wrong-datapath",
    .alloc = wrong_datapath_alloc,
    .construct = wrong_datapath_construct,
    .destruct = wrong_datapath_destruct,
    .dealloc = wrong_datapath_dealloc,
    .set_config = wrong_datapath_set_config,
    .update_flags = wrong_datapath_update_flags,
};
