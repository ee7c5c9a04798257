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
  const auto header = Ipv4Header::decode(payload);
  if (!header) return std::nullopt;
  if (header->src == service.ip) return Imposture::Service;
  if (header->protocol == kIpProtocolUdp && !header->is_later_fragment() &&
      is_from_server(payload.subspan(header->size), kDhcpServerPort, kDhcpClientPort)) {
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
