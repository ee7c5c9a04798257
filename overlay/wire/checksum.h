// Internet checksums (RFC 1071) of guests' frames: where the transport header is, and what its checksum must
// be. Everything here takes hostile frames, allocates nothing and may run on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/wire/internet_checksum.h"
#include "overlay/wire/ip_protocol.h"

namespace ipop {

/// Where the transport segment of a whole (unfragmented) IP packet lies in its Ethernet frame.
struct TransportPlace {
  bool is_ipv6 = false;
  uint8_t protocol = 0;       ///< kIpProtocolTcp or kIpProtocolUdp.
  size_t network_offset = 0;  ///< Octets from the start of the frame to the IP header.
  size_t offset = 0;          ///< To the TCP or UDP header.
  size_t end = 0;             ///< To one past the packet's last octet; Ethernet padding may follow.
};

/// Looks behind any 802.1Q and 802.1ad tags, IPv4 options and IPv6 extension headers.  The fixed part of the
/// transport header (20 octets of TCP, 8 of UDP) lies inside the packet.  Nothing for other protocols, for
/// fragments, for headers that contradict each other, and for packets on a source route, whose checksum is
/// made for a destination other than the one in the header (RFC 1122, section 3.2.1.8; RFC 8200,
/// section 8.1).
std::optional<TransportPlace> find_transport(ByteView frame);

/// The sum of the pseudo-header (RFC 9293, section 3.1; RFC 8200, section 8.1) for `length` octets of TCP or
/// UDP.  REQUIRES: `place` is find_transport(frame).
InternetChecksum pseudo_header_sum(ByteView frame, const TransportPlace& place, size_t length);

/// Fills in the TCP or UDP checksum of a frame whose sender left it to the network card.  The field's old
/// content is not used: the switch's NAT leaves something other than the pseudo-header's sum there.  False,
/// and the frame untouched, where find_transport() finds nothing or the UDP length does not fit.
bool complete_checksum(ByteSpan frame);

/// Whether the TCP or UDP checksum is the sum of the pseudo-header alone: how a virtual network card hands
/// over what it expects hardware to finish.  One whole checksum in 65536 looks like that, too, and completing
/// it changes nothing.
bool is_left_to_card(ByteView frame);

/// Fills in an IPv4 header's own checksum.  REQUIRES: `header` is the whole header, options included.
void complete_ipv4_header_checksum(ByteSpan header);

}  // namespace ipop
