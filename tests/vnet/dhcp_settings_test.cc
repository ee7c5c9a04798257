// The DHCP server under the network's settings: pool and reservations, and what a change of them does to
// guests that have an address.
#include <gtest/gtest.h>

#include <set>

#include "overlay/vnet/dhcp_server.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Type = DhcpMessage::Type;

struct DhcpSettings : ::testing::Test {
  void use(const std::string& document) {
    const auto settings = Settings::parse(document, network.subnet, network.mtu);
    ASSERT_TRUE(settings) << settings.error().text;
    network.settings = std::make_shared<const Settings>(*settings);
  }
  /// Guest n has a reservation.
  static std::string reservation(uint8_t guest, const std::string& address, const std::string& name = "") {
    return R"({"mac": ")" + mac(guest).to_string() + R"(", "ip": ")" + address + "\"" +
           (name.empty() ? "" : R"(, "name": ")" + name + "\"") + "}";
  }

  /// What the server answers to a message; the network knows of `elsewhere`, and of nothing else.
  std::optional<DhcpMessage> say(const DhcpMessage& message) {
    (void)server.handle_message(now, message);
    while (const auto query = resolver.poll_query()) {
      (void)resolver.handle_answer(query->id);
      std::optional<Binding> answer;
      for (const Binding& binding : elsewhere) {
        if (query->kind == Query::Kind::Ip ? binding.ip == query->ip : binding.mac == query->mac) {
          answer = binding;
        }
      }
      server.handle_answer(now, *query, answer);
    }
    std::optional<DhcpMessage> out;
    while (const auto frame = server.poll_frame()) out = dhcp_in(*frame);
    while (const auto event = server.poll_event()) {
      (void)map.upsert(now, {.ip = event->ip,
                             .mac = event->mac,
                             .node = node(1),
                             .sequence = ++sequence,
                             .expires = event->expires,
                             .name = event->name});
      server.set_sequence(now, event->mac, sequence);
    }
    return out;
  }
  /// From DISCOVER to ACK.
  std::optional<DhcpMessage> boot(uint8_t guest) {
    const auto offered = say(dhcp(Type::Discover, guest));
    if (!offered || offered->type != Type::Offer) return std::nullopt;
    DhcpMessage request = dhcp(Type::Request, guest);
    request.requested_address = offered->yiaddr;
    request.server_id = offered->server_id;
    const auto ack = say(request);
    if (!ack || ack->type != Type::Ack || ack->yiaddr != offered->yiaddr) return std::nullopt;
    return ack;
  }
  std::optional<DhcpMessage> renew(uint8_t guest, const char* address) {
    DhcpMessage request = dhcp(Type::Request, guest);
    request.ciaddr = ip(address);
    return say(request);
  }
  std::optional<DhcpMessage> reboot_with(uint8_t guest, const char* address) {
    DhcpMessage request = dhcp(Type::Request, guest);
    request.requested_address = ip(address);
    return say(request);
  }
  void advance(Duration duration) {
    now += duration;
    map.handle_timeout(now);
    server.handle_timeout(now);
  }

  Instant now = at(1000s);
  Service network = service();  // 10.128.0.0/24.
  AddressMap map{node(1)};
  SeededRandom random{1};
  Resolver resolver{random};
  DhcpServer server{network, map, resolver, {*Ipv4Subnet::parse("10.128.0.0/25")}};
  std::vector<Binding> elsewhere;
  uint64_t sequence = 0;
};

TEST_F(DhcpSettings, AddressesArePickedFromThePool) {
  use(R"({"pool": ["10.128.0.50-10.128.0.51", "10.128.0.60-10.128.0.60"]})");
  std::set<Ipv4Address> given;
  for (uint8_t guest = 1; guest <= 3; ++guest) {
    DhcpMessage discover = dhcp(Type::Discover, guest);
    discover.requested_address = ip("10.128.0.9");  // A wish is none for an address outside.
    ASSERT_TRUE(say(discover));
    given.insert(boot(guest)->yiaddr);
  }
  EXPECT_EQ(given, (std::set{ip("10.128.0.50"), ip("10.128.0.51"), ip("10.128.0.60")}));
  EXPECT_FALSE(boot(4)) << "and when it is used up there is none";
  EXPECT_EQ(server.counts().exhausted, 1u);
  EXPECT_EQ(reboot_with(5, "10.128.0.9")->message, "not an address of the pool");
}

TEST_F(DhcpSettings, AReservationIsItsGuestsAndNobodyElses) {
  use(R"({"pool": ["10.128.0.10-10.128.0.11"], "reservations": [)" + reservation(1, "10.128.0.10", "db") +
      "]}");
  EXPECT_EQ(boot(2)->yiaddr, ip("10.128.0.11"));
  EXPECT_FALSE(boot(3)) << "the other address of the pool is reserved";
  EXPECT_EQ(reboot_with(3, "10.128.0.10")->message, "the address is reserved for another guest");
  const auto ack = boot(1);
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->yiaddr, ip("10.128.0.10"));
  EXPECT_EQ(ack->host_name, "db");
  EXPECT_EQ(ack->lease_seconds, 3600u);
  EXPECT_EQ(server.leases().find(mac(1))->name, "db") << "so DNS knows it by this name";
  EXPECT_EQ(renew(1, "10.128.0.10")->type, Type::Ack);
}

TEST_F(DhcpSettings, AReservationNeedNotBeOfThePool) {
  use(R"({"pool": ["10.128.0.50-10.128.0.60"], "reservations": [)" + reservation(1, "10.128.0.9") + "]}");
  EXPECT_EQ(boot(1)->yiaddr, ip("10.128.0.9"));
  EXPECT_EQ(reboot_with(1, "10.128.0.9")->type, Type::Ack);
  EXPECT_NE(boot(2)->yiaddr, ip("10.128.0.9"));
}

TEST_F(DhcpSettings, TheNetworkIsAskedForAReservedAddressToo) {
  use(R"({"reservations": [)" + reservation(1, "10.128.0.10") + "]}");
  elsewhere = {binding(7, "10.128.0.10", 2, 4, now + 1h)};  // A static address of a guest of another host.
  const auto ack = boot(1);
  ASSERT_TRUE(ack) << "it gets another one meanwhile";
  EXPECT_NE(ack->yiaddr, ip("10.128.0.10"));
  const Ipv4Address meanwhile = ack->yiaddr;
  EXPECT_EQ(boot(1)->yiaddr, meanwhile) << "and that again, as long as it is so";
  elsewhere.clear();
  EXPECT_EQ(boot(1)->yiaddr, ip("10.128.0.10"));
  EXPECT_FALSE(map.find_ip(meanwhile) && map.find_ip(meanwhile)->expires > now) << "the other is given back";
}

TEST_F(DhcpSettings, ANewReservationMovesItsGuestWhenItStartsAnew) {
  const auto first = boot(1);
  ASSERT_TRUE(first);
  const std::string had = first->yiaddr.to_string();
  use(R"({"reservations": [)" + reservation(1, "10.128.0.10") + "]}");
  advance(30min);
  const auto renewed = renew(1, had.c_str());
  EXPECT_EQ(renewed->type, Type::Ack) << "it runs on";
  EXPECT_EQ(renewed->lease_seconds, 3600u);
  EXPECT_EQ(reboot_with(1, had.c_str())->message, "another address is reserved for you");
  EXPECT_EQ(boot(1)->yiaddr, ip("10.128.0.10"));
}

TEST_F(DhcpSettings, WhoHasWhatIsNowReservedKeepsItForTheRestOfItsLease) {
  use(R"({"pool": ["10.128.0.10-10.128.0.10"]})");
  ASSERT_EQ(boot(2)->yiaddr, ip("10.128.0.10"));
  use(R"({"pool": ["10.128.0.20-10.128.0.30"], "reservations": [)" + reservation(1, "10.128.0.10") + "]}");

  const auto other = boot(1);
  ASSERT_TRUE(other) << "the guest that it is reserved for need not wait";
  EXPECT_NE(other->yiaddr, ip("10.128.0.10"));
  advance(30min);
  auto renewed = renew(2, "10.128.0.10");
  EXPECT_EQ(renewed->type, Type::Ack) << "no live lease is taken away";
  EXPECT_EQ(renewed->lease_seconds, 1800u) << "nor made longer";
  EXPECT_EQ(renewed->renewal_seconds, 900u);
  advance(29min + 59s);
  EXPECT_EQ(renew(2, "10.128.0.10")->lease_seconds, 1u);
  advance(1s);
  EXPECT_EQ(renew(2, "10.128.0.10")->type, Type::Nak);
  const auto moved = boot(2);
  ASSERT_TRUE(moved);
  EXPECT_TRUE(network.is_in_pool(moved->yiaddr));
  EXPECT_EQ(boot(1)->yiaddr, ip("10.128.0.10"));
}

TEST_F(DhcpSettings, ALeaseOutsideANewPoolGoesOnUntilItsGuestLetsGo) {
  use(R"({"pool": ["10.128.0.10-10.128.0.10"]})");
  ASSERT_TRUE(boot(1));
  use(R"({"pool": ["10.128.0.20-10.128.0.30"]})");
  advance(30min);
  EXPECT_EQ(renew(1, "10.128.0.10")->lease_seconds, 3600u);
  EXPECT_EQ(reboot_with(1, "10.128.0.10")->type, Type::Ack);
  advance(2h);
  EXPECT_EQ(reboot_with(1, "10.128.0.10")->message, "not an address of the pool");
  EXPECT_TRUE(network.is_in_pool(boot(1)->yiaddr)) << "what it had once is remembered, and not given";
}

TEST_F(DhcpSettings, AnOfferThatHasBeenReservedMeanwhileIsNoLease) {
  use(R"({"pool": ["10.128.0.10-10.128.0.10"]})");
  const auto offered = say(dhcp(Type::Discover, 2));
  ASSERT_TRUE(offered);
  use(R"({"reservations": [)" + reservation(1, "10.128.0.10") + "]}");
  DhcpMessage request = dhcp(Type::Request, 2);
  request.requested_address = offered->yiaddr;
  request.server_id = offered->server_id;
  EXPECT_EQ(say(request)->type, Type::Nak);
  EXPECT_EQ(boot(1)->yiaddr, ip("10.128.0.10"));
}

TEST_F(DhcpSettings, WhatTheCertificateDoesNotAllowIsNotGiven) {
  use(R"({"pool": ["10.128.0.50-10.128.0.60"], "reservations": [)" + reservation(1, "10.128.0.200") + "]}");
  EXPECT_FALSE(server.pool().may_give(ip("10.128.0.200"))) << "the certificate is for the lower half";
  const auto ack = boot(1);
  ASSERT_TRUE(ack) << "it gets one as any guest";
  EXPECT_TRUE(network.is_in_pool(ack->yiaddr));
}

TEST_F(DhcpSettings, WhatTheCertificateDoesNotAllowIsRefused) {
  const auto nak = reboot_with(1, "10.128.0.200");
  ASSERT_TRUE(nak) << "at once: the replicas would not say why";
  EXPECT_EQ(nak->message, "not an address that this host may give");
}

TEST_F(DhcpSettings, ADeclinedReservationIsLeftAloneForAWhile) {
  use(R"({"reservations": [)" + reservation(1, "10.128.0.10") + "]}");
  ASSERT_EQ(boot(1)->yiaddr, ip("10.128.0.10"));
  DhcpMessage decline = dhcp(Type::Decline, 1);
  decline.requested_address = ip("10.128.0.10");
  EXPECT_FALSE(say(decline));
  EXPECT_NE(boot(1)->yiaddr, ip("10.128.0.10")) << "the guest has seen somebody use it";
  advance(DhcpPool::kDeclineTime);
  EXPECT_EQ(boot(1)->yiaddr, ip("10.128.0.10"));
}

/// The network remembers a lease that ended, outside the pool of today.
TEST_F(DhcpSettings, WhatAnotherHostRemembersCountsIfItIsOfThePool) {
  use(R"({"pool": ["10.128.0.50-10.128.0.60"]})");
  elsewhere = {binding(1, "10.128.0.9", 2, 0, now + 60s)};
  EXPECT_TRUE(network.is_in_pool(boot(1)->yiaddr));
  elsewhere = {binding(2, "10.128.0.55", 2, 0, now + 60s)};
  EXPECT_EQ(boot(2)->yiaddr, ip("10.128.0.55"));
  elsewhere = {binding(3, "10.128.0.9", 2, 4, now + 1h)};  // It lives: the guest has moved here.
  EXPECT_EQ(boot(3)->yiaddr, ip("10.128.0.9"));
}

}  // namespace
}  // namespace ipop
