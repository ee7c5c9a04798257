// Small helps for the tests of vnet/: names for guests and hosts, a guest that speaks DHCP and ARP, and hosts
// that carry each other's questions, announcements and frames without loss or delay.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "overlay/base/log.h"
#include "overlay/base/random.h"
#include "overlay/vnet/vnet.h"
#include "overlay/wire/inet.h"
#include "overlay/wire/nd.h"

namespace ipop::vnet_testing {

constexpr MacAddress mac(uint8_t n) { return {{0x52, 0x54, 0, 0, 0, n}}; }
inline Ipv4Address ip(const char* text) { return *Ipv4Address::parse(text); }
inline NodeId node(uint8_t n) {
  NodeId out;
  out.bytes[0] = n;
  return out;
}
inline Ipv6Address ip6(const char* text) { return *Ipv6Address::parse(text); }
/// The link-local address that guest n makes of its MAC (RFC 4291, appendix A).
inline Ipv6Address link_local(uint8_t n) {
  return {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x50, 0x54, 0, 0xff, 0xfe, 0, 0, n}};
}
constexpr Instant at(Duration since_epoch) { return Instant(since_epoch); }
inline Ipv4Subnet subnet() { return *Ipv4Subnet::parse("10.128.0.0/24"); }
inline Service service() { return Service::make("grid", subnet(), 0x1234, 1380); }

/// `address` of either kind, or none.
inline Binding binding(uint8_t guest, const char* address, uint8_t host, uint64_t sequence, Instant expires) {
  return {.ip = *address ? *IpAddress::parse(address) : Ipv4Address{},
          .mac = mac(guest),
          .node = node(host),
          .sequence = sequence,
          .expires = expires,
          .name = {}};
}

class TestLog : public Log {
 public:
  void write(Level, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

inline DhcpMessage dhcp(DhcpMessage::Type type, uint8_t guest) {
  DhcpMessage out;
  out.type = type;
  out.xid = 0x1000u + guest;
  out.chaddr = mac(guest);
  out.parameter_list = {1, 12, 15, 26, 28};
  return out;
}

inline Bytes dhcp_frame(const DhcpMessage& message, const MacAddress& to = MacAddress::broadcast(),
                        Ipv4Address to_ip = kLimitedBroadcast) {
  const Bytes payload = message.encode();
  const Bytes udp =
      UdpDatagram{.src_port = kDhcpClientPort, .dst_port = kDhcpServerPort, .payload = payload}.encode(
          message.ciaddr, to_ip);
  const Bytes packet =
      Ipv4Packet{.src = message.ciaddr, .dst = to_ip, .protocol = kIpProtocolUdp, .payload = udp}.encode();
  return EthernetFrame{
      .header = {.dst = to, .src = message.chaddr, .vlan_tci = {}, .ethertype = kEtherTypeIpv4},
      .payload = packet}
      .encode();
}

/// The DHCP message in a frame, its carriers checked on the way.
inline std::optional<DhcpMessage> dhcp_in(ByteView bytes) {
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame || frame->header.ethertype != kEtherTypeIpv4) return std::nullopt;
  const auto packet = Ipv4Packet::decode(frame->payload);
  if (!packet) return std::nullopt;
  const auto datagram = UdpDatagram::decode(*packet);
  if (!datagram || datagram->src_port != kDhcpServerPort || datagram->dst_port != kDhcpClientPort)
    return std::nullopt;
  const auto message = DhcpMessage::decode(datagram->payload);
  if (!message) return std::nullopt;
  return *message;
}

inline std::optional<ArpPacket> arp_in(ByteView bytes) {
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame || frame->header.ethertype != kEtherTypeArp) return std::nullopt;
  const auto packet = ArpPacket::decode(frame->payload);
  if (!packet) return std::nullopt;
  return *packet;
}

inline ArpPacket arp_request(uint8_t guest, Ipv4Address sender, Ipv4Address target) {
  return {.operation = ArpPacket::Operation::Request,
          .sender_mac = mac(guest),
          .sender_ip = sender,
          .target_mac = {},
          .target_ip = target};
}

/// "Who has `target`?"  Of guest n with the address `src`, or a probe.
inline Bytes nd_request(uint8_t guest, const Ipv6Address& src, const Ipv6Address& target) {
  const Ipv6Address group = target.solicited_node();
  NeighbourSolicitation message{.target = target, .source_mac = {}};
  if (!src.is_unspecified()) message.source_mac = mac(guest);
  return nd_frame(group.multicast_mac(), mac(guest), group, src, message.encode(src, group));
}

/// The packet of an IPv6 frame; the frame outlives it.
inline std::optional<Ipv6Packet> ipv6_in(ByteView bytes) {
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame || frame->header.ethertype != kEtherTypeIpv6) return std::nullopt;
  const auto packet = Ipv6Packet::decode(frame->payload);
  if (!packet) return std::nullopt;
  return *packet;
}

inline std::optional<NeighbourAdvertisement> advertisement_in(ByteView bytes) {
  const auto packet = ipv6_in(bytes);
  if (!packet) return std::nullopt;
  const auto message = NeighbourAdvertisement::decode(*packet);
  if (!message) return std::nullopt;
  return *message;
}

inline Bytes data_frame(const MacAddress& dst, const MacAddress& src, const char* text = "hello") {
  return EthernetFrame{.header = {.dst = dst, .src = src, .vlan_tci = {}, .ethertype = 0x88b5},
                       .payload = as_bytes(text)}
      .encode();
}

struct Host {
  explicit Host(uint8_t n, const Ipv4Subnet& network = subnet())
      : id(node(n)),
        random(n),
        vnet({.network_name = "grid", .subnet = network, .network_hash = 0x1234, .own = id, .mtu = 1380},
             random, log) {}

  /// The one message of DHCP among to_guests, which it is taken from; nothing if there is not just one.
  std::optional<DhcpMessage> take_dhcp() {
    std::optional<DhcpMessage> out;
    for (const Bytes& frame : std::exchange(to_guests, {})) {
      const auto message = dhcp_in(frame);
      if (message && out) return std::nullopt;
      if (message) out = message;
    }
    return out;
  }

  NodeId id;
  SeededRandom random;
  TestLog log;
  Vnet vnet;
  std::vector<Bytes> to_guests;  ///< What the switch was given.
};

inline uint64_t counter(const Vnet& vnet, std::string_view name) {
  for (const auto& counter : vnet.counters()) {
    if (counter.name == name) return counter.value;
  }
  ADD_FAILURE() << "there is no counter " << name;
  return 0;
}
inline uint64_t counter(const Host& host, std::string_view name) { return counter(host.vnet, name); }

class Hosts {
 public:
  Host& add(const Ipv4Subnet& network = subnet()) {
    const auto n = static_cast<uint8_t>(hosts_.size() + 1);
    return *hosts_.emplace_back(std::make_unique<Host>(n, network));
  }

  /// Until everybody has said everything.
  void run(Instant now) {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& host : hosts_) busy |= run(now, *host);
    }
  }
  void timeouts(Instant now) {
    for (auto& host : hosts_) {
      if (host->vnet.next_timeout() <= now) host->vnet.handle_timeout(now);
    }
    run(now);
  }
  /// A frame from a guest of `host`, and all that follows from it; what `host` then gave to its guests.
  std::vector<Bytes> frame(Instant now, Host& host, const Bytes& bytes) {
    host.to_guests.clear();
    (void)host.vnet.handle_guest_frame(now, bytes);
    run(now);
    return host.to_guests;
  }
  /// A DHCP exchange from DISCOVER to ACK; the address, or nothing.
  std::optional<Ipv4Address> lease(Instant now, Host& host, uint8_t guest) {
    frame(now, host, dhcp_frame(dhcp(DhcpMessage::Type::Discover, guest)));
    const auto offer = host.take_dhcp();
    if (!offer || offer->type != DhcpMessage::Type::Offer) return std::nullopt;
    DhcpMessage request = dhcp(DhcpMessage::Type::Request, guest);
    request.requested_address = offer->yiaddr;
    request.server_id = offer->server_id;
    frame(now, host, dhcp_frame(request));
    const auto ack = host.take_dhcp();
    if (!ack || ack->type != DhcpMessage::Type::Ack || ack->yiaddr != offer->yiaddr) return std::nullopt;
    return ack->yiaddr;
  }

 private:
  bool run(Instant now, Host& host) {
    bool busy = false;
    while (auto query = host.vnet.poll_query()) {
      busy = true;
      std::optional<Binding> answer;
      for (auto& other : hosts_) {
        if (other.get() == &host) continue;
        const auto said = other->vnet.handle_query(now, host.id, *query);
        if (said && !answer) answer = said;
      }
      (void)host.vnet.handle_answer(now, query->id, answer);
    }
    while (auto announcement = host.vnet.poll_announcement()) {
      busy = true;
      for (auto& other : hosts_) {
        if (other.get() != &host) (void)other->vnet.handle_announcement(now, host.id, *announcement);
      }
    }
    while (auto notice = host.vnet.poll_notice()) {
      busy = true;
      for (auto& other : hosts_) {
        if (other.get() != &host && (!notice->to || *notice->to == other->id)) {
          (void)other->vnet.handle_announcement(now, host.id, notice->binding);
        }
      }
    }
    while (auto outgoing = host.vnet.poll_outgoing()) {
      busy = true;
      for (auto& other : hosts_) {
        if (other.get() != &host && (!outgoing->to || *outgoing->to == other->id)) {
          (void)other->vnet.handle_member_frame(now, host.id, outgoing->frame);
        }
      }
    }
    while (auto frame = host.vnet.poll_guest_frame()) host.to_guests.push_back(std::move(*frame));
    return busy;
  }

  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace ipop::vnet_testing
