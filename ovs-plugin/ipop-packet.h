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

#ifndef IPOP_PACKET_H
#define IPOP_PACKET_H 1

#include <stdbool.h>

#include "overlay/ipop.h"

struct dp_packet;

/* What Open vSwitch and the engine say of one frame: which checksums are still
 * to be filled in, and whether it is to be cut up.
 *
 * With DPDK the kinds of checksum are values of a bit field, not bits, so
 * only the dp_packet_hwol_l4_is_*() functions may be asked.
 *
 * Any thread, each with packets of its own. */

/* Describes 'packet', of a guest whose packets have up to 'mtu' octets, in
 * '*frame', which points into it.  Returns false if it can't go. */
bool ipop_packet_to_frame(struct dp_packet *packet, int mtu,
                          struct ipop_frame *frame);

/* Marks 'packet' as a TCP super-frame, for the port that it leaves by to cut
 * up.  The segments' size isn't told: that port goes by its own MTU. */
void ipop_packet_set_tso(struct dp_packet *packet);

#endif /* ipop-packet.h */
