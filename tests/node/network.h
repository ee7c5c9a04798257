// Whole nodes that are one network, and what their guests say: for tests of addresses.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/sim/world.h"
#include "tests/support/guest_frames.h"
#include "tests/vnet/testing.h"

namespace ipop::node_testing {

using sim::Host;
using sim::World;

inline std::string name_of(size_t i) { return "h" + std::to_string(i); }

struct Network : testing::Test {
  void start(size_t n, sim::WorldOptions options = {.seed = 11}) {
    world = std::make_unique<World>(options);
    for (size_t i = 0; i < n; ++i) hosts.push_back(&world->add_host(name_of(i)));
    world->run_for(12s);
  }
  /// What the guest is offered and gets, within 10 s.
  std::optional<Ipv4Address> lease(Host& host, uint8_t guest, std::optional<Ipv4Address> wish = {}) {
    for (int i = 0; i < 5; ++i) {
      auto discover = vnet_testing::dhcp(DhcpMessage::Type::Discover, guest);
      discover.requested_address = wish;
      if (const auto offer = ask(host, discover)) {
        auto request = vnet_testing::dhcp(DhcpMessage::Type::Request, guest);
        request.requested_address = offer->yiaddr;
        request.server_id = offer->server_id;
        const auto ack = ask(host, request);
        if (ack && ack->type == DhcpMessage::Type::Ack) return ack->yiaddr;
      }
    }
    return std::nullopt;
  }
  std::optional<DhcpMessage> ask(Host& host, const DhcpMessage& message) {
    host.take_frames();
    host.send_frame(vnet_testing::dhcp_frame(message));
    for (int i = 0; i < 20; ++i) {
      world->run_for(100ms);
      for (const Bytes& frame : host.take_frames()) {
        const auto reply = vnet_testing::dhcp_in(frame);
        if (reply && reply->chaddr == message.chaddr) return reply;
      }
    }
    return std::nullopt;
  }
  static bool holds(Host& host, uint8_t guest, Ipv4Address ip) {
    const auto known = std::as_const(host).node().vnet().map().find_ip(ip);
    return known && known->node == host.id() && known->mac == vnet_testing::mac(guest);
  }
  /// Where the ARP answer of `host` says that the address is.
  std::optional<MacAddress> resolve(Host& host, Ipv4Address ip) {
    host.take_frames();
    host.send_frame(test::arp_request(test::kAlice, test::kAliceIp, ip));
    world->run_for(4s);
    for (const Bytes& frame : host.take_frames()) {
      const auto reply = vnet_testing::arp_in(frame);
      if (reply && reply->operation == ArpPacket::Operation::Reply && reply->sender_ip == ip) {
        return reply->sender_mac;
      }
    }
    return std::nullopt;
  }
  static uint64_t moved_away(const Host& host) {
    return vnet_testing::counter(host.node().vnet(), "moved_away");
  }
  /// By a frame that says no address.
  static void show_up(Host& host, uint8_t guest) {
    host.send_frame(arp_frame(MacAddress::broadcast(), vnet_testing::mac(guest),
                              {.operation = ArpPacket::Operation::ReverseRequest,
                               .sender_mac = vnet_testing::mac(guest),
                               .sender_ip = {},
                               .target_mac = vnet_testing::mac(guest),
                               .target_ip = {}}));
  }
  static void show_use(Host& host, uint8_t guest, Ipv4Address ip) {
    host.send_frame(arp_frame(MacAddress::broadcast(), vnet_testing::mac(guest),
                              vnet_testing::arp_request(guest, ip, ip)));
  }
  /// As the guest whose the address is, if it is asked.
  static void answer_arp(Host& host, uint8_t guest, Ipv4Address ip) {
    for (const Bytes& frame : host.take_frames()) {
      const auto request = vnet_testing::arp_in(frame);
      if (!request || request->operation != ArpPacket::Operation::Request || request->target_ip != ip)
        continue;
      host.send_frame(arp_frame(request->sender_mac, vnet_testing::mac(guest),
                                {.operation = ArpPacket::Operation::Reply,
                                 .sender_mac = vnet_testing::mac(guest),
                                 .sender_ip = ip,
                                 .target_mac = request->sender_mac,
                                 .target_ip = request->sender_ip}));
    }
  }
  void split(const std::function<bool(size_t)>& is_left) {
    for (size_t i = 0; i < hosts.size(); ++i) {
      world->internet().set_group(hosts[i]->index(), is_left(i) ? 0 : 1);
    }
  }

  std::unique_ptr<World> world;
  std::vector<Host*> hosts;
};

}  // namespace ipop::node_testing
