// Neighbour discovery (RFC 4861), the words of RFC 4862 for how hosts use it, and the DNS options of RFC
// 8106.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "overlay/wire/icmpv6.h"

namespace ipop {

/// "Who has `target`?"
struct NeighbourSolicitation {
  Ipv6Address target;
  std::optional<MacAddress> source_mac;  ///< Of who asks.

  /// UnknownType: another message.  Malformed: what RFC 4861, section 7.1.1, has a receiver discard.
  static Result<NeighbourSolicitation> decode(const Ipv6Packet& packet);
  /// An ICMPv6 message, to be sent with hop limit 255.
  Bytes encode(const Ipv6Address& src, const Ipv6Address& dst) const;
  bool operator==(const NeighbourSolicitation&) const = default;
};

/// "I have `target`."
struct NeighbourAdvertisement {
  bool is_router = false;
  bool is_solicited = false;
  bool overrides = false;  ///< Receivers replace what they had.
  Ipv6Address target;
  std::optional<MacAddress> target_mac;

  /// Likewise, by section 7.1.2.
  static Result<NeighbourAdvertisement> decode(const Ipv6Packet& packet);
  Bytes encode(const Ipv6Address& src, const Ipv6Address& dst) const;
  bool operator==(const NeighbourAdvertisement&) const = default;
};

/// "What network is this?"
struct RouterSolicitation {
  std::optional<MacAddress> source_mac;

  /// Likewise, by section 6.1.1.
  static Result<RouterSolicitation> decode(const Ipv6Packet& packet);
  bool operator==(const RouterSolicitation&) const = default;
};

/// "This is the network."  We only send it.
struct RouterAdvertisement {
  uint16_t router_lifetime_s = 0;  ///< Zero: not a default router.
  MacAddress source_mac;
  uint32_t mtu = 0;
  Ipv6Address prefix;  ///< A /64, on-link, from which hosts make their addresses.
  uint32_t prefix_valid_s = 0;
  uint32_t prefix_preferred_s = 0;
  std::optional<Ipv6Address> dns_server;  ///< Nothing: none is told.
  Bytes search_domain;  ///< Encoded as in DNS (wire/dns.h), at most 2032 octets; empty: none.
  uint32_t dns_lifetime_s = 0;

  Bytes encode(const Ipv6Address& src, const Ipv6Address& dst) const;
};

/// An ICMPv6 message in a packet with the hop limit of neighbour discovery, in an untagged Ethernet frame.
Bytes nd_frame(const MacAddress& dst_mac, const MacAddress& src_mac, const Ipv6Address& dst,
               const Ipv6Address& src, ByteView message);

}  // namespace ipop
