#include "overlay/vnet/guest_guard.h"

#include "overlay/wire/arp.h"
#include "overlay/wire/dhcp.h"
#include "overlay/wire/icmpv6.h"
#include "overlay/wire/inet.h"

namespace ipop {
namespace {

constexpr uint16_t kDhcpv6ClientPort = 546, kDhcpv6ServerPort = 547;  // RFC 8415, section 7.2.

/// From a server or to a client.  A message to a server is no server's, even from its port: a relay's comes
/// so.
bool is_from_server(ByteView udp, uint16_t server_port, uint16_t client_port) {
  Reader in(udp);
  const auto src_port = in.u16();
  const auto dst_port = in.u16();
  return in.ok() && (dst_port == client_port || (src_port == server_port && dst_port != server_port));
}

std::optional<Imposture> judge_arp(const Service& service, ByteView payload) {
  const auto packet = ArpPacket::decode(payload);
  if (!packet) return std::nullopt;
  if (packet->sender_ip == service.ip || packet->sender_mac == service.mac) return Imposture::Service;
  return std::nullopt;
}

/// Looks at first fragments too, and at packets whose checksum is wrong: Ipv4Packet would not decode them,
/// but their receiver may put them together.
std::optional<Imposture> judge_ipv4(const Service& service, ByteView payload) {
  Reader in(payload);
  const auto version_words = in.u8();
  in.bytes(5);
  const auto fragment = in.u16();
  in.u8();
  const auto protocol = in.u8();
  in.u16();
  const auto src = read_ipv4(in);
  in.u32();
  const size_t header_size = 4 * (version_words & 15);
  if (!in.ok() || version_words >> 4 != 4 || header_size < Ipv4Packet::kHeaderSize) return std::nullopt;
  if (src == service.ip) return Imposture::Service;
  in.bytes(header_size - Ipv4Packet::kHeaderSize);
  const bool is_first = (fragment & 0x1fff) == 0;
  if (protocol == kIpProtocolUdp && is_first && is_from_server(in.rest(), kDhcpServerPort, kDhcpClientPort)) {
    return Imposture::DhcpServer;
  }
  return std::nullopt;
}

std::optional<Imposture> judge_ipv6(const Service& service, ByteView payload) {
  const auto packet = Ipv6Packet::decode(payload);
  if (!packet) return std::nullopt;
  if (service.is_own_address(packet->src)) return Imposture::Service;
  if (packet->fragment == Ipv6Packet::Fragment::Later) return std::nullopt;
  if (packet->protocol == kIpProtocolUdp &&
      is_from_server(packet->payload, kDhcpv6ServerPort, kDhcpv6ClientPort)) {
    return Imposture::DhcpServer;
  }
  if (packet->protocol != kIpProtocolIcmpv6) return std::nullopt;
  Reader in(packet->payload);
  const auto type = in.u8();
  if (type == Icmpv6Message::kRouterAdvertisement || type == Icmpv6Message::kRedirect) {
    return Imposture::Router;
  }
  in.bytes(7);  // Code, checksum, flags.
  const auto target = read_ipv6(in);
  if (type == Icmpv6Message::kNeighbourAdvertisement && in.ok() && service.is_own_address(target)) {
    return Imposture::Service;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Imposture> find_imposture(const Service& service, const EthernetFrame& frame) {
  if (frame.header.src == service.mac) return Imposture::Service;
  switch (frame.header.ethertype) {
    case kEtherTypeArp:
    case kEtherTypeRarp:
      return judge_arp(service, frame.payload);
    case kEtherTypeIpv4:
      return judge_ipv4(service, frame.payload);
    case kEtherTypeIpv6:
      return judge_ipv6(service, frame.payload);
    default:
      return std::nullopt;
  }
}

std::string_view to_string(Imposture imposture) {
  switch (imposture) {
    case Imposture::DhcpServer:
      return "answers DHCP";
    case Imposture::Router:
      return "advertises itself as a router";
    case Imposture::Service:
      return "claims the network's own address";
  }
  return "";
}

}  // namespace ipop
