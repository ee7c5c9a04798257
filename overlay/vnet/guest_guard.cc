#include "overlay/vnet/guest_guard.h"

#include <algorithm>

#include "overlay/base/big_endian.h"
#include "overlay/wire/arp.h"
#include "overlay/wire/dhcp.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/icmpv6.h"
#include "overlay/wire/inet.h"
#include "overlay/wire/nd.h"

namespace ipop {
namespace {

constexpr uint16_t kDhcpv6ClientPort = 546, kDhcpv6ServerPort = 547;  // RFC 8415, section 7.2.

/// From a server or to a client.  A message to a server is no server's, even from its port: a relay's comes
/// so.
bool is_from_server(ByteView udp, uint16_t server_port, uint16_t client_port) {
  if (udp.size() < 4) return false;
  const uint16_t src_port = load_u16(&udp[0]), dst_port = load_u16(&udp[2]);
  return dst_port == client_port || (src_port == server_port && dst_port != server_port);
}

std::optional<Imposture> judge_arp(const ServiceAddresses& service, ByteView payload) {
  const auto packet = ArpPacket::decode(payload);
  if (!packet) return std::nullopt;
  if (packet->sender_ip == service.ip || packet->sender_mac == service.mac) return Imposture::Service;
  return std::nullopt;
}

/// Looks at first fragments too, and at packets whose checksum is wrong: Ipv4Packet would not decode them,
/// but their receiver may put them together.
std::optional<Imposture> judge_ipv4(const ServiceAddresses& service, ByteView payload) {
  const auto header = Ipv4Header::decode(payload);
  if (!header) return std::nullopt;
  if (header->src == service.ip) return Imposture::Service;
  if (header->protocol == kIpProtocolUdp && !header->is_later_fragment() &&
      is_from_server(payload.subspan(header->size), kDhcpServerPort, kDhcpClientPort)) {
    return Imposture::DhcpServer;
  }
  return std::nullopt;
}

std::optional<Imposture> judge_ipv6(const ServiceAddresses& service, ByteView payload) {
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

/// The sender's own address, told by itself.
bool is_true_arp(const AddressBook& addresses, const MacAddress& guest, ByteView payload) {
  const auto packet = ArpPacket::decode(payload);
  return packet && packet->sender_mac == guest && addresses.has(packet->sender_ip, guest);
}

/// Likewise: of a solicitation its source, of an advertisement its target.
bool is_true_discovery(const AddressBook& addresses, const MacAddress& guest, const Ipv6Packet& packet) {
  if (const auto asks = NeighbourSolicitation::decode(packet)) {
    return asks->source_mac.value_or(guest) == guest && addresses.has(packet.src, guest);
  }
  const auto tells = NeighbourAdvertisement::decode(packet);
  return tells && tells->target_mac.value_or(guest) == guest && addresses.has(tells->target, guest);
}

bool is_discovery(const Ipv6Packet& packet) {
  return packet.protocol == kIpProtocolIcmpv6 && !packet.payload.empty() &&
         packet.payload[0] >= Icmpv6Message::kRouterSolicitation &&
         packet.payload[0] <= Icmpv6Message::kRedirect;
}

bool must_judge_ipv4(const ServiceAddresses& service, ByteView packet) {
  if (packet.size() < Ipv4Packet::kHeaderSize) return false;
  if (load_u32(&packet[12]) == service.ip.value) return true;
  const size_t header_size = 4 * (packet[0] & size_t{15});
  return packet[9] == kIpProtocolUdp && packet.size() >= header_size &&
         is_from_server(packet.subspan(header_size), kDhcpServerPort, kDhcpClientPort);
}

bool must_judge_ipv6(const AddressBook& addresses, const MacAddress& guest, FrameContent::Wrapping wrapping,
                     ByteView packet) {
  if (packet.size() < Ipv6Packet::kHeaderSize) return false;
  const auto is_source = [&](const Ipv6Address& own) {
    return std::equal(own.bytes.begin(), own.bytes.end(), packet.begin() + 8);
  };
  if (is_source(addresses.service.ipv6) || is_source(addresses.service.link_local)) return true;
  const uint8_t next_header = packet[6];
  if (next_header == kIpProtocolTcp) return false;
  if (next_header == kIpProtocolUdp) {
    return is_from_server(packet.subspan(Ipv6Packet::kHeaderSize), kDhcpv6ServerPort, kDhcpv6ClientPort);
  }
  const auto decoded = Ipv6Packet::decode(packet);
  if (!decoded) return true;  // Some receiver may make sense of it.
  if (decoded->fragment == Ipv6Packet::Fragment::Later) return false;
  if (decoded->protocol == kIpProtocolUdp) {
    return is_from_server(decoded->payload, kDhcpv6ServerPort, kDhcpv6ClientPort);
  }
  if (!is_discovery(*decoded)) return false;
  // Who has which address in a VLAN is not the network's business.
  if (wrapping == FrameContent::Wrapping::Vlan) return judge_ipv6(addresses.service, packet).has_value();
  return !is_true_discovery(addresses, guest, *decoded);
}

MacAddress source_of(ByteView frame) {
  MacAddress out;
  std::copy_n(frame.begin() + 6, out.bytes.size(), out.bytes.begin());
  return out;
}

}  // namespace

std::optional<Imposture> find_imposture(const ServiceAddresses& service, ByteView frame) {
  if (source_of(frame) == service.mac) return Imposture::Service;
  const FrameContent content = FrameContent::of(frame);
  switch (content.ethertype) {
    case kEtherTypeArp:
    case kEtherTypeRarp:
      return judge_arp(service, content.payload);
    case kEtherTypeIpv4:
      return judge_ipv4(service, content.payload);
    case kEtherTypeIpv6:
      return judge_ipv6(service, content.payload);
    default:
      return std::nullopt;
  }
}

bool must_judge(const AddressBook& addresses, ByteView frame) {
  const FrameContent content = FrameContent::of(frame);
  switch (content.ethertype) {
    case kEtherTypeIpv4:
      return must_judge_ipv4(addresses.service, content.payload);
    case kEtherTypeIpv6:
      return content.wrapping == FrameContent::Wrapping::Unusual ||
             must_judge_ipv6(addresses, source_of(frame), content.wrapping, content.payload);
    case kEtherTypeArp:
      if (content.wrapping == FrameContent::Wrapping::Vlan) {
        return judge_arp(addresses.service, content.payload).has_value();
      }
      return content.wrapping == FrameContent::Wrapping::Unusual ||
             !is_true_arp(addresses, source_of(frame), content.payload);
    default:
      return content.ethertype == kEtherTypeRarp;
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
