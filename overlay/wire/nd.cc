#include "overlay/wire/nd.h"

#include "overlay/wire/ethernet.h"

namespace ipop {
namespace {

constexpr uint8_t kHopLimit = 255;  // Nobody beyond a router could have sent it: RFC 4861, section 3.1.

enum Option : uint8_t {
  kSourceMac = 1,
  kTargetMac = 2,
  kPrefixInformation = 3,
  kMtu = 5,
  kDnsServers = 25,
  kSearchDomains = 31,
};

/// The MAC in the option `wanted`, of | type (1) | length in 8 octets (1) | content |.
std::optional<MacAddress> find_mac_option(Reader& in, uint8_t wanted) {
  std::optional<MacAddress> out;
  while (in.ok() && in.remaining() > 0) {
    const uint8_t type = in.u8();
    const size_t length = in.u8();
    if (length == 0) in.fail();  // RFC 4861, section 4.6: nodes must discard such a packet.
    Reader content(in.bytes(in.ok() ? 8 * length - 2 : 0));
    if (in.ok() && type == wanted && !out) out = read_mac(content);
  }
  return out;
}

void write_mac_option(Writer& out, uint8_t type, const std::optional<MacAddress>& mac) {
  if (!mac) return;
  out.u8(type);
  out.u8(1);
  write(out, *mac);
}

/// What holds of all of them: RFC 4861, sections 6.1 and 7.1.
Result<Icmpv6Message> decode_message(const Ipv6Packet& packet, uint8_t type) {
  const auto message = Icmpv6Message::decode(packet);
  if (!message) return message;
  if (message->type != type) return Error::UnknownType;
  if (packet.hop_limit != kHopLimit || message->code != 0) return Error::Malformed;
  return message;
}

Bytes encode_message(uint8_t type, ByteView body, const Ipv6Address& src, const Ipv6Address& dst) {
  return Icmpv6Message{.type = type, .code = 0, .body = body}.encode(src, dst);
}

bool is_solicited_node_group(const Ipv6Address& address) { return address == address.solicited_node(); }

}  // namespace

/// | reserved (4) | target (16) | options |
Result<NeighbourSolicitation> NeighbourSolicitation::decode(const Ipv6Packet& packet) {
  const auto message = decode_message(packet, Icmpv6Message::kNeighbourSolicitation);
  if (!message) return message.error();
  Reader in(message->body);
  in.u32();
  NeighbourSolicitation out;
  out.target = read_ipv6(in);
  out.source_mac = find_mac_option(in, kSourceMac);
  if (!in.ok() || out.target.is_multicast()) return Error::Malformed;
  const bool is_probe = packet.src.is_unspecified();
  if (is_probe && (out.source_mac || !is_solicited_node_group(packet.dst))) return Error::Malformed;
  return out;
}

Bytes NeighbourSolicitation::encode(const Ipv6Address& src, const Ipv6Address& dst) const {
  Writer out;
  out.u32(0);
  write(out, target);
  write_mac_option(out, kSourceMac, source_mac);
  return encode_message(Icmpv6Message::kNeighbourSolicitation, out.view(), src, dst);
}

/// | router, solicited, override, reserved (4) | target (16) | options |
Result<NeighbourAdvertisement> NeighbourAdvertisement::decode(const Ipv6Packet& packet) {
  const auto message = decode_message(packet, Icmpv6Message::kNeighbourAdvertisement);
  if (!message) return message.error();
  Reader in(message->body);
  const auto flags = in.u32();
  NeighbourAdvertisement out{.is_router = (flags & 0x80000000) != 0,
                             .is_solicited = (flags & 0x40000000) != 0,
                             .overrides = (flags & 0x20000000) != 0,
                             .target = read_ipv6(in),
                             .target_mac = {}};
  out.target_mac = find_mac_option(in, kTargetMac);
  if (!in.ok() || out.target.is_multicast()) return Error::Malformed;
  if (packet.dst.is_multicast() && out.is_solicited) return Error::Malformed;
  return out;
}

Bytes NeighbourAdvertisement::encode(const Ipv6Address& src, const Ipv6Address& dst) const {
  Writer out;
  out.u32((is_router ? 0x80000000 : 0) | (is_solicited ? 0x40000000 : 0) | (overrides ? 0x20000000 : 0));
  write(out, target);
  write_mac_option(out, kTargetMac, target_mac);
  return encode_message(Icmpv6Message::kNeighbourAdvertisement, out.view(), src, dst);
}

/// | reserved (4) | options |
Result<RouterSolicitation> RouterSolicitation::decode(const Ipv6Packet& packet) {
  const auto message = decode_message(packet, Icmpv6Message::kRouterSolicitation);
  if (!message) return message.error();
  Reader in(message->body);
  in.u32();
  const RouterSolicitation out{.source_mac = find_mac_option(in, kSourceMac)};
  if (!in.ok() || (packet.src.is_unspecified() && out.source_mac)) return Error::Malformed;
  return out;
}

/// | hop limit (1) | flags (1) | router lifetime (2) | reachable time (4) | retransmission time (4) | options
/// |
Bytes RouterAdvertisement::encode(const Ipv6Address& src, const Ipv6Address& dst) const {
  constexpr uint8_t kOnLinkAndAutonomous = 0xc0;
  Writer out;
  out.u8(0);  // Zeros leave to the host what is not our business: RFC 4861, section 4.2.
  out.u8(0);
  out.u16(router_lifetime_s);
  out.u32(0);
  out.u32(0);
  write_mac_option(out, kSourceMac, source_mac);

  out.u8(kMtu);
  out.u8(1);
  out.u16(0);
  out.u32(mtu);

  out.u8(kPrefixInformation);
  out.u8(4);
  out.u8(64);
  out.u8(kOnLinkAndAutonomous);
  out.u32(prefix_valid_s);
  out.u32(prefix_preferred_s);
  out.u32(0);
  write(out, prefix);

  if (dns_server) {
    out.u8(kDnsServers);
    out.u8(3);
    out.u16(0);
    out.u32(dns_lifetime_s);
    write(out, *dns_server);
  }
  if (!search_domain.empty()) {
    const size_t padding = (8 - search_domain.size() % 8) % 8;  // RFC 8106, section 5.2: filled with zeros.
    out.u8(kSearchDomains);
    out.u8(static_cast<uint8_t>(1 + (search_domain.size() + padding) / 8));
    out.u16(0);
    out.u32(dns_lifetime_s);
    out.bytes(search_domain);
    out.zeros(padding);
  }
  return encode_message(Icmpv6Message::kRouterAdvertisement, out.view(), src, dst);
}

Bytes nd_frame(const MacAddress& dst_mac, const MacAddress& src_mac, const Ipv6Address& dst,
               const Ipv6Address& src, ByteView message) {
  const Bytes packet =
      Ipv6Packet{
          .src = src, .dst = dst, .protocol = kIpProtocolIcmpv6, .hop_limit = kHopLimit, .payload = message}
          .encode();
  const EthernetFrame frame{
      .header = {.dst = dst_mac, .src = src_mac, .vlan_tci = {}, .ethertype = kEtherTypeIpv6},
      .payload = packet};
  return frame.encode();
}

}  // namespace ipop
