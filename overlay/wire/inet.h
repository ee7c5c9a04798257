// As much of IPv4 (RFC 791), UDP (RFC 768; over IPv6, too) and ICMP echo (RFC 792) as a port needs that
// answers DHCP, DNS and ping. Fragments are not reassembled.
#pragma once

#include <cstdint>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/wire/address.h"
#include "overlay/wire/internet_checksum.h"
#include "overlay/wire/ip_protocol.h"
#include "overlay/wire/ipv6.h"

namespace ipop {

inline constexpr Ipv4Address kLimitedBroadcast{0xffffffff};

/// What an IPv4 header says of itself, be the packet behind it a fragment, cut short or wrong in its
/// checksum.
struct Ipv4Header {
  size_t size = 0;   ///< With options, 20 to 60 octets.
  size_t total = 0;  ///< Octets of the packet; may be fewer than the header or more than there are.
  uint8_t tos = 0;
  uint16_t fragment = 0;  ///< Flags and offset.
  uint8_t ttl = 0;
  uint8_t protocol = 0;
  Ipv4Address src;
  Ipv4Address dst;

  bool may_be_cut() const { return (fragment & 0x4000) == 0; }
  bool is_later_fragment() const { return (fragment & 0x1fff) != 0; }
  bool is_fragment() const { return (fragment & 0x3fff) != 0; }

  /// Nothing if not even the header, options included, is there.
  static std::optional<Ipv4Header> decode(ByteView packet);
};

struct Ipv4Packet {
  static constexpr size_t kHeaderSize = 20;  ///< Of those we write; options are skipped when reading.

  Ipv4Address src;
  Ipv4Address dst;
  uint8_t protocol = 0;
  uint8_t ttl = 64;
  uint8_t tos = 0;
  ByteView payload;  ///< A view; exactly the octets that the header's total length says.

  /// Refuses a wrong header checksum and any fragment.  What follows the total length is padding.
  static Result<Ipv4Packet> decode(ByteView packet);
  /// REQUIRES: payload.size() <= 65515.
  Bytes encode() const;
};

struct UdpDatagram {
  uint16_t src_port = 0;
  uint16_t dst_port = 0;
  ByteView payload;

  /// The payload of an Ipv4Packet, whose addresses are part of the checksum.  Accepts no checksum (zero), the
  /// right one, and the bare sum of the pseudo-header: that is how a virtual network card hands over what it
  /// expects hardware to finish, and between a guest and its switch nothing needs finishing.
  static Result<UdpDatagram> decode(const Ipv4Packet& packet);
  /// The same, but a checksum there must be: RFC 8200, section 8.1.
  static Result<UdpDatagram> decode(const Ipv6Packet& packet);
  /// The checksum is always filled in: raw-socket DHCP clients look at it.  REQUIRES: payload fits a packet.
  Bytes encode(Ipv4Address src, Ipv4Address dst) const;
  Bytes encode(const Ipv6Address& src, const Ipv6Address& dst) const;
};

struct IcmpEcho {
  bool is_reply = false;
  uint16_t identifier = 0;
  uint16_t sequence = 0;
  ByteView data;

  /// Refuses other ICMP types as UnknownType.
  static Result<IcmpEcho> decode(ByteView message);
  Bytes encode() const;
};

}  // namespace ipop
