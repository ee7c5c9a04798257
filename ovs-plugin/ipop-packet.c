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

#include "ipop-packet.h"

#include "coverage.h"
#include "crc32c.h"
#include "dp-packet.h"
#include "flow.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

COVERAGE_DEFINE(ipop_packet_bad_tso);

/* Makes sure that the offsets of the headers in 'packet' are known.  They are
 * for all that came through the datapath's classifier. */
static void
parse(struct dp_packet *packet)
{
    if (!dp_packet_l3(packet) || !dp_packet_l4(packet)) {
        struct flow flow;

        flow_extract(packet, &flow);
    }
}

/* SCTP's checksum is a CRC of the whole message (RFC 9260, appendix A), not
 * the sum that TCP and UDP have, and no guest depends on its speed. */
static void
fill_sctp_checksum(struct dp_packet *packet)
{
    parse(packet);

    struct sctp_header *sctp = dp_packet_l4(packet);
    size_t size = dp_packet_l4_size(packet);

    if (sctp && size >= SCTP_HEADER_LEN) {
        put_16aligned_be32(&sctp->sctp_csum, 0);
        put_16aligned_be32(&sctp->sctp_csum,
                           crc32c((const uint8_t *) sctp, size));
    }
}

/* Returns how many octets of TCP payload in one segment fill a packet of
 * 'mtu' octets with the headers that 'packet' has, or 0 if it isn't TCP that
 * can be cut.
 *
 * The guest that wrote 'packet' knew the size that its peer can take, but Open
 * vSwitch doesn't pass that on.  All guests of the network are told the same
 * MTU, so it is the same size. */
static uint32_t
segment_size(struct dp_packet *packet, int mtu)
{
    parse(packet);

    const char *ip = dp_packet_l3(packet);
    const char *payload = dp_packet_get_tcp_payload(packet);

    return ip && payload && payload - ip < mtu ? mtu - (payload - ip) : 0;
}

bool
ipop_packet_to_frame(struct dp_packet *packet, int mtu,
                     struct ipop_frame *frame)
{
    frame->data = dp_packet_data(packet);
    frame->length = dp_packet_size(packet);
    frame->flags = 0;
    frame->segment_size = 0;

    if (OVS_UNLIKELY(!dp_packet_is_eth(packet))) {
        return false;
    }
    if (dp_packet_hwol_is_tso(packet)) {
        frame->segment_size = segment_size(packet, mtu);
        if (OVS_UNLIKELY(!frame->segment_size)) {
            COVERAGE_INC(ipop_packet_bad_tso);
            return false;
        }
        frame->flags = IPOP_FRAME_TSO | IPOP_FRAME_CSUM_PARTIAL;
    } else if (dp_packet_hwol_l4_is_tcp(packet)
               || dp_packet_hwol_l4_is_udp(packet)) {
        frame->flags = IPOP_FRAME_CSUM_PARTIAL;
    } else if (OVS_UNLIKELY(dp_packet_hwol_l4_is_sctp(packet))) {
        fill_sctp_checksum(packet);
    }
    return true;
}

void
ipop_packet_set_tso(struct dp_packet *packet)
{
    parse(packet);
    if (dp_packet_l3(packet)
        && IP_VER(*(uint8_t *) dp_packet_l3(packet)) == 4) {
        dp_packet_hwol_set_tx_ipv4(packet);
    } else {
        dp_packet_hwol_set_tx_ipv6(packet);
    }
    dp_packet_hwol_set_csum_tcp(packet);
    dp_packet_hwol_set_tcp_seg(packet);
}
