// The virtual network under any sequence of events.  The input is a list of operations,
// | operation (1) | argument (1) | length (1) | octets |, that guests, members and the clock do to one host;
// whatever they are, its tables stay bounded and consistent, and what it says is well-formed.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "overlay/base/assert.h"
#include "overlay/vnet/vnet.h"
#include "overlay/wire/dns.h"
#include "overlay/wire/inet.h"
#include "overlay/wire/nd.h"

using namespace ipop;

namespace {

class Silent : public Log {
 public:
  void write(Level, std::string_view) override {}
};

MacAddress guest(uint8_t n) { return {{0x52, 0x54, 0, 0, 0, static_cast<uint8_t>(n & 7)}}; }
Ipv4Address address(uint8_t n) { return {0x0a800000u + (n & 15u)}; }
/// In the network's prefix, link-local, ours, or foreign.
Ipv6Address address6(uint8_t n) {
  Ipv6Address out{{0xfd}};
  if ((n & 16) != 0) out = {{0xfe, 0x80}};
  if ((n & 96) == 96) out = {{0x20, 1, 0x0d, 0xb8}};
  out.bytes[15] = n & 15;
  return out;
}
NodeId member(uint8_t n) {
  NodeId out;
  out.bytes[0] = n & 3;
  return out;
}

class Play {
 public:
  explicit Play(ByteView script) : in_(script) {}

  void run() {
    while (in_.remaining() > 0) {
      step();
      listen();
      check();
    }
  }

 private:
  void step() {
    const uint8_t operation = in_.u8();
    const uint8_t argument = in_.u8();
    switch (operation % 12) {
      case 0:
        (void)vnet_.handle_guest_frame(now_, frame());
        break;
      case 1:
        (void)vnet_.handle_member_frame(now_, member(argument), frame());
        break;
      case 2:
        dhcp(argument);
        break;
      case 3:
        arp(argument);
        break;
      case 4:
        (void)vnet_.handle_announcement(now_, member(argument), binding());
        break;
      case 5:
        query(argument);
        break;
      case 6:
        answer(argument);
        break;
      case 7:
        now_ += std::chrono::seconds(1 << argument % 13);
        if (vnet_.next_timeout() <= now_) vnet_.handle_timeout(now_);
        IPOP_ASSERT(vnet_.next_timeout() > now_);
        break;
      case 8:
        vnet_.handle_member_gone(now_, member(argument));
        break;
      case 9:
        reload(argument);
        break;
      case 10:
        discovery(argument);
        break;
      case 11:
        packet_to_service(argument);
        break;
    }
  }

  Bytes frame() {
    const ByteView octets = in_.bytes(std::min<size_t>(in_.u8(), in_.remaining()));
    return Bytes(octets.begin(), octets.end());
  }

  Binding binding() {
    const uint8_t what = in_.u8();
    IpAddress ip;
    if ((what & 1) != 0) ip = address(in_.u8());
    if ((what & 2) != 0) ip = address6(in_.u8());
    return {.ip = ip,
            .mac = guest(in_.u8()),
            .node = member(in_.u8()),
            .sequence = in_.u8(),
            .expires = now_ + std::chrono::seconds(in_.u8()) * 60,
            .name = (what & 4) != 0 ? "vm" + std::to_string(what >> 6) : ""};
  }

  void dhcp(uint8_t argument) {
    DhcpMessage message;
    message.type = static_cast<DhcpMessage::Type>(1 + argument % 8);
    message.chaddr = guest(in_.u8());
    const uint8_t has = in_.u8();
    if ((has & 1) != 0) message.requested_address = address(in_.u8());
    if ((has & 2) != 0) message.ciaddr = address(in_.u8());
    if ((has & 4) != 0) message.server_id = address(in_.u8());
    message.broadcast = (has & 8) != 0;
    const Bytes payload = message.encode();
    const Bytes udp =
        UdpDatagram{.src_port = kDhcpClientPort, .dst_port = kDhcpServerPort, .payload = payload}.encode(
            message.ciaddr, kLimitedBroadcast);
    const Bytes packet =
        Ipv4Packet{
            .src = message.ciaddr, .dst = kLimitedBroadcast, .protocol = kIpProtocolUdp, .payload = udp}
            .encode();
    const EthernetFrame out{.header = {.dst = MacAddress::broadcast(),
                                       .src = message.chaddr,
                                       .vlan_tci = {},
                                       .ethertype = kEtherTypeIpv4},
                            .payload = packet};
    (void)vnet_.handle_guest_frame(now_, out.encode());
  }

  void arp(uint8_t argument) {
    const MacAddress sender = guest(in_.u8());
    const ArpPacket packet{.operation = static_cast<ArpPacket::Operation>(1 + argument % 4),
                           .sender_mac = sender,
                           .sender_ip = address(in_.u8()),
                           .target_mac = {},
                           .target_ip = address(in_.u8())};
    const MacAddress to = (argument & 16) != 0 ? guest(in_.u8()) : MacAddress::broadcast();
    (void)vnet_.handle_guest_frame(now_, arp_frame(to, sender, packet));
  }

  /// A right checksum and hop limit, which random octets would not have.
  void discovery(uint8_t argument) {
    const MacAddress sender = guest(in_.u8());
    const uint8_t from = in_.u8();
    const Ipv6Address src = (from & 128) != 0 ? Ipv6Address{} : address6(from);
    const Ipv6Address target = (argument & 8) != 0 ? vnet_.service().ipv6 : address6(in_.u8());
    const Ipv6Address group = target.solicited_node();
    const bool unicast = (argument & 16) != 0;
    const Ipv6Address dst = unicast ? target : group;
    const MacAddress to = unicast ? guest(in_.u8()) : group.multicast_mac();
    Bytes message;
    if (argument % 3 == 0) {
      message = NeighbourSolicitation{.target = target, .source_mac = {}}.encode(src, dst);
    } else if (argument % 3 == 1) {
      message = NeighbourAdvertisement{.is_router = false,
                                       .is_solicited = unicast,
                                       .overrides = true,
                                       .target = target,
                                       .target_mac = sender}
                    .encode(src, dst);
    } else {
      const Bytes body = frame();
      message = Icmpv6Message{.type = static_cast<uint8_t>(128 + argument / 3 % 10), .code = 0, .body = body}
                    .encode(src, dst);
    }
    (void)vnet_.handle_guest_frame(now_, nd_frame(to, sender, dst, src, message));
  }

  void packet_to_service(uint8_t argument) {
    const MacAddress sender = guest(in_.u8());
    const Bytes data = frame();
    const Service& service = vnet_.service();
    const UdpDatagram datagram{.src_port = 40000, .dst_port = kDnsPort, .payload = data};
    Bytes packet;
    const bool ipv6 = (argument & 1) != 0;
    if (ipv6) {
      const Ipv6Address src = address6(argument);
      const Bytes udp = datagram.encode(src, service.ipv6);
      packet =
          Ipv6Packet{.src = src, .dst = service.ipv6, .protocol = kIpProtocolUdp, .payload = udp}.encode();
    } else {
      const Ipv4Address src = address(argument);
      const Bytes udp = datagram.encode(src, service.ip);
      packet = Ipv4Packet{.src = src, .dst = service.ip, .protocol = kIpProtocolUdp, .payload = udp}.encode();
    }
    const EthernetFrame out{.header = {.dst = service.mac,
                                       .src = sender,
                                       .vlan_tci = {},
                                       .ethertype = ipv6 ? kEtherTypeIpv6 : kEtherTypeIpv4},
                            .payload = packet};
    (void)vnet_.handle_guest_frame(now_, out.encode());
  }

  void query(uint8_t argument) {
    Query query;
    query.kind = (argument & 4) != 0 ? Query::Kind::Mac : Query::Kind::Ip;
    query.ip = (argument & 32) != 0 ? IpAddress(address6(in_.u8())) : IpAddress(address(in_.u8()));
    query.mac = guest(in_.u8());
    if ((argument & 8) != 0) query.claim = Query::Claim{.ip = query.ip, .mac = query.mac};
    if ((argument & 16) != 0) query.asker = binding();
    const auto answer = vnet_.handle_query(now_, member(argument), query);
    IPOP_ASSERT(!answer || answer->node == member(0));
    IPOP_ASSERT(!answer || query.kind == Query::Kind::Mac || answer->ip == query.ip);
  }

  void answer(uint8_t argument) {
    if (questions_.empty()) return;
    const auto question = std::next(questions_.begin(), argument % questions_.size());
    Binding binding = this->binding();
    if (question->second.kind == Query::Kind::Ip) binding.ip = question->second.ip;
    if (question->second.kind == Query::Kind::Mac) binding.mac = question->second.mac;
    (void)vnet_.handle_answer(now_, question->first,
                              argument % 2 == 0 ? std::optional<Binding>() : std::optional(binding));
    if (argument % 3 != 0) questions_.erase(question);  // Else it is answered again, perhaps.
  }

  void reload(uint8_t argument) {
    const std::string text = vnet_.save_leases(now_, 1'000'000);
    IPOP_ASSERT(vnet_.load_leases(text, now_, 1'000'000));
    std::string wrong = text;
    wrong[argument % wrong.size()] = static_cast<char>(in_.u8());
    (void)vnet_.load_leases(wrong, now_, 1'000'000);
  }

  void listen() {
    while (const auto query = vnet_.poll_query()) questions_[query->id] = *query;
    while (const auto binding = vnet_.poll_announcement()) {
      IPOP_ASSERT(binding->node == member(0) && binding->sequence > 0 && !binding->mac.is_group());
    }
    while (const auto notice = vnet_.poll_notice()) {
      const Binding& binding = notice->binding;
      IPOP_ASSERT(notice->to != member(0) && binding.sequence > 0 && binding.ip.is_unspecified());
    }
    while (const auto out = vnet_.poll_outgoing()) {
      IPOP_ASSERT(out->to != member(0) && EthernetFrame::decode(out->frame));
    }
    while (const auto frame = vnet_.poll_guest_frame()) IPOP_ASSERT(EthernetFrame::decode(*frame));
  }

  void check() {
    std::set<IpAddress> seen;
    for (const Binding& binding : vnet_.bindings()) {
      IPOP_ASSERT(vnet_.map().find_mac(binding.mac)->node == binding.node);
      IPOP_ASSERT(vnet_.map().addresses(binding.mac).size() <= 16);
      IPOP_ASSERT(binding.name.empty() || vnet_.map().find_name(binding.name));
      if (binding.ip.is_unspecified()) continue;
      IPOP_ASSERT(seen.insert(binding.ip).second && vnet_.map().find_ip(binding.ip) == binding);
      IPOP_ASSERT(vnet_.service().is_guest_address(binding.ip));
    }
    seen.clear();
    for (const auto& [mac, lease] : vnet_.leases().all()) {
      IPOP_ASSERT(seen.insert(lease.ip).second && vnet_.service().is_guest_address(lease.ip));
    }
  }

  Reader in_;
  Instant now_{1000s};
  SeededRandom random_{1};
  Silent log_;
  Vnet vnet_{{.network_name = "grid",
              .subnet = {.network = {0x0a800000}, .prefix_length = 28},
              .network_hash = 7,
              .own = member(0),
              .mtu = 1380},
             random_,
             log_};
  std::map<uint64_t, Query> questions_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Play(ByteView(data, std::min<size_t>(size, 4096))).run();
  return 0;
}
