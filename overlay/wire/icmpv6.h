// ICMPv6 (RFC 4443): the message that pings and neighbour discovery (wire/nd.h) come in.
#pragma once

#include <cstdint>

#include "overlay/wire/ipv6.h"

namespace ipop {

struct Icmpv6Message {
  static constexpr uint8_t kPacketTooBig = 2;
  static constexpr uint8_t kEchoRequest = 128;
  static constexpr uint8_t kEchoReply = 129;
  static constexpr uint8_t kRouterSolicitation = 133;
  static constexpr uint8_t kRouterAdvertisement = 134;
  static constexpr uint8_t kNeighbourSolicitation = 135;
  static constexpr uint8_t kNeighbourAdvertisement = 136;
  static constexpr uint8_t kRedirect = 137;

  uint8_t type = 0;
  uint8_t code = 0;
  ByteView body;  ///< All that follows the checksum.

  /// Another protocol, or a fragment: UnknownType.  Too short, or a wrong checksum: Malformed.
  static Result<Icmpv6Message> decode(const Ipv6Packet& packet);
  Bytes encode(const Ipv6Address& src, const Ipv6Address& dst) const;
};

}  // namespace ipop
