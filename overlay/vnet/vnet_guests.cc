// The part of Vnet that looks into the frames of local guests: what each is, what it teaches, and which
// machine answers it.
#include <algorithm>

#include "overlay/vnet/dhcp_carrier.h"
#include "overlay/vnet/vnet.h"
#include "overlay/wire/arp.h"
#include "overlay/wire/icmpv6.h"
#include "overlay/wire/nd.h"

namespace ipop {
namespace {

bool is_arp(const EthernetHeader& header) {
  return !header.vlan_tci && (header.ethertype == kEtherTypeArp || header.ethertype == kEtherTypeRarp);
}

/// Where nobody who is honest puts ARP or IPv6.
bool is_disguised(const FrameContent& content) {
  return content.wrapping == FrameContent::Wrapping::Unusual &&
         (content.ethertype == kEtherTypeArp || content.ethertype == kEtherTypeRarp ||
          content.ethertype == kEtherTypeIpv6);
}

bool is_to_one_guest(const Service& service, const EthernetHeader& header) {
  return !header.dst.is_group() && header.dst != service.mac;
}

}  // namespace

Result<Done> Vnet::handle_guest_frame(Instant now, ByteView frame) {
  const auto result = dispatch(now, frame);
  if (!result) errors_.add(result.error());
  drain_dhcp(now);
  return result;
}

Result<Done> Vnet::dispatch(Instant now, ByteView bytes) {
  auto frame = EthernetFrame::decode(bytes);
  if (!frame) return frame.error();
  const FrameContent content = FrameContent::of(bytes);
  if (content.wrapping == FrameContent::Wrapping::Priority) frame->header.vlan_tci.reset();
  const EthernetHeader& header = frame->header;
  if (header.src.is_group() || header.src.is_zero() || header.dst.is_zero()) return Error::Malformed;
  if (const auto imposture = find_imposture(service_, bytes)) {
    ++impostures_[static_cast<size_t>(*imposture)];
    log_limited(now,
                "Guest " + header.src.to_string() + " " + std::string(to_string(*imposture)) + ": dropped");
    return Error::NotAllowed;
  }
  if (is_disguised(content)) return Error::NotAllowed;
  if (is_arp(header)) return handle_arp(now, *frame, bytes);
  if (!header.vlan_tci && header.ethertype == kEtherTypeIpv6) return handle_ipv6(now, *frame, bytes);
  const bool is_to_service = header.dst == service_.mac;
  if (const auto dhcp = find_dhcp(*frame); dhcp && (header.dst.is_group() || is_to_service)) {
    return handle_dhcp(now, header.src, dhcp->payload);
  }
  if (const auto learned = learn_local(now, header.src, {}); !learned) return learned;
  const auto learned = learn_source(now, *frame);
  const auto handled = !is_to_service    ? forward(now, header, bytes)
                       : header.vlan_tci ? Result<Done>(Error::UnexpectedMessage)
                                         : host_.handle_frame(now, *frame);
  return handled ? learned : handled;
}

/// A guest that begins anew uses no address of IPv4.  What it had at another host may be another's by now,
/// and has moved here with it in vain: DHCP asks for it first, or for that of several that the guest wishes
/// for.
void Vnet::leave_behind(Instant now, const DhcpMessage& message) {
  const MacAddress& mac = message.chaddr;
  auto left = map_.carried(mac);
  std::erase_if(left, [](const IpAddress& ip) { return !ip.is_ipv4(); });
  if (left.empty()) return;
  const IpAddress wish = message.requested_address.value_or(Ipv4Address{});
  const bool is_one_of_them = std::find(left.begin(), left.end(), wish) != left.end();
  dhcp_.remember(now, mac, (is_one_of_them ? wish : left.front()).ipv4());
  for (const IpAddress& ip : left) end_address(now, mac, ip);
}

/// It is the guest's no more, and others are told so.
void Vnet::end_address(Instant now, const MacAddress& mac, const IpAddress& ip) {
  std::erase_if(announcements_, [&](const Binding& said) { return said.mac == mac && said.ip == ip; });
  Binding ended = *map_.find_ip(ip);
  ended.expires = now;
  map_.erase(now, mac, ip);
  announcements_.push_back(ended);
}

/// What a guest was given takes the place of what it merely uses: of that which would end first, but not of
/// what all of its neighbours know it by.
void Vnet::make_room(Instant now, const MacAddress& mac) {
  std::optional<Binding> first;
  for (const IpAddress& ip : map_.addresses(mac)) {
    if (!ip.is_ipv4() && ip.ipv6().is_link_local()) continue;
    const auto held = map_.find_ip(ip);
    if (!first || held->expires < first->expires) first = held;
  }
  if (first) end_address(now, mac, first->ip);
}

Result<Done> Vnet::handle_dhcp(Instant now, const MacAddress& mac, ByteView payload) {
  const auto message = DhcpMessage::decode(payload);
  const bool is_its_own = message && message->chaddr == mac;
  if (const auto learned = learn_local(now, mac, {}); !learned) return learned;
  if (is_its_own && message->begins_anew()) leave_behind(now, *message);
  if (!dhcp_rate_.take(now)) return Error::RateLimited;
  if (!message) return message.error();
  if (!is_its_own) return Error::NotAllowed;  // A guest asks for itself only.
  return dhcp_.handle_message(now, *message);
}

/// Any packet tells its sender's address, if it is one of the network: a guest that has been paused for long,
/// or is new here, may say no other word of it.
Result<Done> Vnet::learn_source(Instant now, const EthernetFrame& frame) {
  if (frame.header.vlan_tci || frame.header.ethertype != kEtherTypeIpv4) return Done{};
  const auto packet = Ipv4Packet::decode(frame.payload);
  if (!packet || !service_.is_guest_address(packet->src)) return Done{};
  return learn_local(now, frame.header.src, packet->src);
}

Result<Done> Vnet::handle_arp(Instant now, const EthernetFrame& frame, ByteView bytes) {
  const MacAddress& mac = frame.header.src;
  const auto packet = ArpPacket::decode(frame.payload);
  if (!packet) return packet.error();
  const bool reverse = frame.header.ethertype == kEtherTypeRarp;
  if (packet->sender_mac != mac) return Error::NotAllowed;

  std::optional<Error> doubt;
  if (!reverse && service_.is_guest_address(packet->sender_ip)) {
    if (const auto learned = learn_local(now, mac, packet->sender_ip); !learned) doubt = learned.error();
  }
  if (!map_.is_confirmed(mac)) {  // It sent no address, or one that it cannot have.
    if (const auto learned = learn_local(now, mac, {}); !learned) return learned;
  }
  const bool asks = packet->operation == ArpPacket::Operation::Request;
  if (!reverse && is_to_one_guest(service_, frame.header) && !packet->sender_ip.is_unspecified()) {
    // A reply, or the question whether it is still there, which is its own to answer.
    if (!may_tell(mac, packet->sender_ip)) return doubt.value_or(Error::Conflict);
    if (const auto forwarded = forward(now, frame.header, bytes); !forwarded) return forwarded;
  } else if (!reverse && asks) {
    if (const auto handled = arp_.handle_request(now, *packet); !handled) return handled;
  }
  if (doubt) return *doubt;
  return Done{};
}

/// Whether a guest of ours may say to one elsewhere that it has the address: it has, as far as is known here,
/// or the address is none of the network's.
bool Vnet::may_tell(const MacAddress& mac, const IpAddress& ip) const {
  const auto holder = map_.find_ip(ip);
  return holder ? holder->mac == mac : !service_.is_guest_address(ip);
}

/// As learn_source().
Result<Done> Vnet::handle_ipv6(Instant now, const EthernetFrame& frame, ByteView bytes) {
  const MacAddress& mac = frame.header.src;
  const auto packet = Ipv6Packet::decode(frame.payload);
  if (!packet) return packet.error();
  routers_.handle_guest(now);
  std::optional<Error> doubt;
  if (service_.is_guest_address(packet->src)) {
    if (const auto learned = learn_local(now, mac, packet->src); !learned) doubt = learned.error();
  }
  if (!map_.is_confirmed(mac)) {  // As in handle_arp().
    if (const auto learned = learn_local(now, mac, {}); !learned) return learned;
  }
  const auto handled = handle_neighbour_discovery(now, frame, *packet, bytes);
  drain_nd_claims(now);
  if (!handled || !doubt) return handled;
  return *doubt;
}

Result<Done> Vnet::handle_neighbour_discovery(Instant now, const EthernetFrame& frame,
                                              const Ipv6Packet& packet, ByteView bytes) {
  const EthernetHeader& header = frame.header;
  const MacAddress& mac = header.src;
  const bool is_icmp = packet.protocol == kIpProtocolIcmpv6 && !packet.payload.empty();
  switch (is_icmp ? packet.payload[0] : 0) {
    case Icmpv6Message::kNeighbourSolicitation: {
      const auto solicitation = NeighbourSolicitation::decode(packet);
      if (!solicitation) return solicitation.error();
      if (solicitation->source_mac.value_or(mac) != mac) return Error::NotAllowed;
      const IpAddress target = solicitation->target;
      const bool is_probe = packet.src.is_unspecified();
      const bool is_known = service_.is_own_address(target) || service_.is_guest_address(target);
      if (is_known && (is_probe || !is_to_one_guest(service_, header))) {
        return nd_.handle_solicitation(now, mac, packet.src, *solicitation);
      }
      if (!may_tell(mac, packet.src)) return Error::Conflict;
      break;  // To one guest, as in handle_arp(); or of a network that guests have made among themselves.
    }
    case Icmpv6Message::kNeighbourAdvertisement: {
      const auto advertisement = NeighbourAdvertisement::decode(packet);
      if (!advertisement) return advertisement.error();
      if (advertisement->target_mac.value_or(mac) != mac) return Error::NotAllowed;
      if (!service_.is_guest_address(advertisement->target)) break;
      const auto learned = learn_local(now, mac, advertisement->target);
      if (!is_to_one_guest(service_, header)) return learned;  // Members hear of it from us.
      if (!may_tell(mac, advertisement->target)) return learned;
      break;
    }
    case Icmpv6Message::kRouterSolicitation: {
      const auto solicitation = RouterSolicitation::decode(packet);
      if (!solicitation) return solicitation.error();
      return routers_.handle_solicitation(now, mac, packet.src);
    }
    default:
      break;
  }
  if (header.dst == service_.mac) {
    return host_.handle_frame(now, frame);
  }
  return forward(now, header, bytes);
}

}  // namespace ipop
