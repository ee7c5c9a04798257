// As much of IPv6 (RFC 8200) as a port needs that answers neighbour discovery, DNS and ping.  Extension
// headers are skipped, fragments are not reassembled.
#pragma once

#include <cstdint>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/wire/address.h"
#include "overlay/wire/ip_protocol.h"

namespace ipop {

struct Ipv6Packet {
  static constexpr size_t kHeaderSize = 40;
  enum class Fragment : uint8_t { No, First, Later };  ///< A packet that is its own only fragment is a First.

  Ipv6Address src;
  Ipv6Address dst;
  uint8_t protocol = 0;  ///< Of the payload: the last "next header".
  uint8_t hop_limit = 64;
  uint8_t traffic_class = 0;
  Fragment fragment = Fragment::No;
  ByteView payload;  ///< A view; behind the extension headers, and exactly to where the header says.

  /// Malformed also if the headers, the transport's included, do not end within the packet or its first
  /// fragment (RFC 7112).
  static Result<Ipv6Packet> decode(ByteView packet);
  /// Without extension headers, and never a fragment.  REQUIRES: payload.size() <= 65535.
  Bytes encode() const;
};

/// | src (16) | dst (16) | length (4) | zero (3) | protocol (1) |, RFC 8200, section 8.1: what the checksums
/// of UDP and ICMPv6 begin with.
uint16_t pseudo_header_sum(const Ipv6Address& src, const Ipv6Address& dst, uint8_t protocol, size_t length);

}  // namespace ipop
