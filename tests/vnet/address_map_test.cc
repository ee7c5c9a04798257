#include "overlay/vnet/address_map.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Change = AddressMap::Change;

TEST(AddressMap, FindsByIpAndByMac) {
  AddressMap map(node(1));
  EXPECT_EQ(*map.upsert(at(0s), binding(1, "10.128.0.2", 1, 5, at(60s))), Change::Added);
  EXPECT_EQ(*map.upsert(at(0s), binding(2, "10.128.0.3", 2, 6, at(60s))), Change::Added);
  EXPECT_EQ(map.find_ip(ip("10.128.0.3"))->mac, mac(2));
  EXPECT_EQ(map.find_mac(mac(1))->ip, ip("10.128.0.2"));
  EXPECT_EQ(map.find_mac(mac(3)), std::nullopt);
  EXPECT_TRUE(map.is_local(mac(1)));
  EXPECT_FALSE(map.is_local(mac(2)));
  EXPECT_EQ(map.local_bindings().size(), 1u);
  EXPECT_EQ(map.bindings().size(), 2u);
}

TEST(AddressMap, AMacWithoutAnAddressIsABindingToo) {
  AddressMap map(node(1));
  EXPECT_EQ(*map.upsert(at(0s), binding(2, "", 2, 1, at(60s))), Change::Added);
  EXPECT_TRUE(map.find_mac(mac(2))->ip.is_unspecified());
  EXPECT_EQ(map.find_ip({}), std::nullopt);
  EXPECT_EQ(map.forwarding(), (std::vector<AddressMap::Forward>{{.mac = mac(2), .node = node(2)}}));
}

// Who keeps a MAC that one node has with sequence 5 and another claims.
TEST(AddressMap, BetterClaimsWin) {
  struct {
    uint8_t holder, claimant;
    uint64_t sequence;
    bool wins;
  } const cases[] = {
      {2, 3, 4, false}, {2, 3, 5, false},         {2, 3, 6, true},  // The higher NodeId claims.
      {3, 2, 4, false}, {3, 2, 5, true},          {3, 2, 6, true},  // The lower one does.
      {2, 2, 4, true},  {2, 2, 5, true},          {2, 2, 6, true},  // The same one is believed.
      {2, 3, 0, false}, {2, 3, UINT64_MAX, true},
  };
  for (const auto& c : cases) {
    for (const bool by_ip : {false, true}) {  // For the MAC itself, or for an address of another MAC.
      AddressMap map(node(1));
      ASSERT_TRUE(map.upsert(at(0s), binding(7, "10.128.0.7", c.holder, 5, at(60s))));
      const auto before = map.bindings();
      const auto change =
          map.upsert(at(1s), binding(by_ip ? 8 : 7, "10.128.0.7", c.claimant, c.sequence, at(61s)));
      EXPECT_EQ(change.has_value(), c.wins)
          << int{c.holder} << ' ' << int{c.claimant} << ' ' << c.sequence << by_ip;
      if (c.wins) {
        EXPECT_EQ(map.find_ip(ip("10.128.0.7"))->node, node(c.claimant));
      } else {
        EXPECT_EQ(change.error(), Error::Conflict);
        EXPECT_EQ(map.bindings(), before) << "A refused claim leaves nothing behind.";
      }
    }
  }
}

TEST(AddressMap, ClaimsInAnyOrderEndInTheSameMap) {
  const std::vector<Binding> claims = {
      binding(7, "10.128.0.7", 2, 5, at(60s)),
      binding(7, "10.128.0.7", 3, 6, at(60s)),
      binding(7, "10.128.0.7", 4, 6, at(60s)),
  };
  std::vector<size_t> order = {0, 1, 2};
  do {
    AddressMap map(node(1));
    for (const size_t i : order) (void)map.upsert(at(0s), claims[i]);
    EXPECT_EQ(map.bindings(), std::vector<Binding>{claims[1]});
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(AddressMap, AddressesMoveWithTheirMac) {
  AddressMap map(node(1));
  (void)map.upsert(at(0s), binding(7, "10.128.0.7", 2, 5, at(60s)));
  (void)map.upsert(at(0s), binding(7, "10.128.0.8", 2, 5, at(60s)));
  const uint64_t version = map.version();
  EXPECT_EQ(*map.upsert(at(1s), binding(7, "", 3, 6, at(60s))), Change::Moved);
  EXPECT_EQ(map.find_ip(ip("10.128.0.7"))->node, node(3));
  EXPECT_EQ(map.find_ip(ip("10.128.0.8"))->node, node(3));
  EXPECT_GT(map.version(), version);
}

TEST(AddressMap, VersionStaysWhileForwardingDoes) {
  AddressMap map(node(1));
  (void)map.upsert(at(0s), binding(7, "", 2, 5, at(60s)));
  const uint64_t version = map.version();
  EXPECT_EQ(*map.upsert(at(1s), binding(7, "", 2, 6, at(90s))), Change::Refreshed);
  EXPECT_EQ(*map.upsert(at(1s), binding(7, "10.128.0.7", 2, 6, at(90s))), Change::Added);
  (void)map.upsert(at(1s), binding(7, "10.128.0.7", 3, 1, at(90s)));
  EXPECT_EQ(map.version(), version);
}

TEST(AddressMap, ItsAddressVersionGrowsWithWhatGuestsHereHave) {
  AddressMap map(node(1));
  using Addresses = std::vector<std::pair<IpAddress, MacAddress>>;
  auto grows = [&, last = map.address_version()]() mutable {
    return std::exchange(last, map.address_version()) < map.address_version();
  };
  ASSERT_TRUE(map.upsert(at(0s), binding(1, "", 1, 1, at(1h))));
  EXPECT_FALSE(grows()) << "it has none";
  ASSERT_TRUE(map.upsert(at(0s), binding(1, "10.128.0.9", 1, 2, at(1h))));
  EXPECT_TRUE(grows());
  const uint64_t version = map.version();
  ASSERT_TRUE(map.upsert(at(0s), binding(1, "10.128.0.9", 1, 3, at(1h))));
  EXPECT_FALSE(grows()) << "it is only refreshed";
  ASSERT_TRUE(map.upsert(at(0s), binding(3, "10.128.0.7", 2, 3, at(1h))));
  EXPECT_FALSE(grows()) << "that is elsewhere";
  ASSERT_TRUE(map.upsert(at(0s), binding(2, "10.128.0.8", 1, 3, at(10s))));
  EXPECT_TRUE(grows());
  EXPECT_EQ(map.local_addresses(), (Addresses{{ip("10.128.0.8"), mac(2)}, {ip("10.128.0.9"), mac(1)}}));
  EXPECT_EQ(map.version(), version + 2) << "two MACs are new";
  map.erase(at(0s), mac(1), ip("10.128.0.9"));
  EXPECT_TRUE(grows());
  EXPECT_EQ(map.local_addresses(), (Addresses{{ip("10.128.0.8"), mac(2)}}));
  map.doubt(mac(2));
  EXPECT_TRUE(grows());
  EXPECT_TRUE(map.local_addresses().empty()) << "whose frames are to be looked at";
  ASSERT_TRUE(map.upsert(at(0s), binding(2, "", 1, 4, at(1h))));
  EXPECT_TRUE(grows());
  map.handle_timeout(at(10s));
  EXPECT_TRUE(grows()) << "its address has run out";
  EXPECT_TRUE(map.is_confirmed(mac(2)) && map.local_addresses().empty());
  ASSERT_TRUE(map.upsert(at(10s), binding(2, "10.128.0.8", 1, 5, at(1h))));
  EXPECT_TRUE(grows());
  ASSERT_TRUE(map.upsert(at(10s), binding(2, "", 2, 6, at(1h))));
  EXPECT_TRUE(grows()) << "it has gone, and its address with it";
  EXPECT_TRUE(map.local_addresses().empty());
  ASSERT_TRUE(map.upsert(at(10s), binding(2, "", 1, 7, at(1h))));
  EXPECT_TRUE(grows()) << "and has come back";
  EXPECT_EQ(map.local_addresses(), (Addresses{{ip("10.128.0.8"), mac(2)}}));
  map.erase(at(10s), mac(2), {});
  EXPECT_TRUE(grows());
}

TEST(AddressMap, AnAddressMayBeOfIpv6) {
  AddressMap map(node(1));
  Binding ula = binding(7, "", 2, 5, at(60s));
  ula.ip = *IpAddress::parse("fd01::7");
  EXPECT_EQ(*map.upsert(at(0s), ula), Change::Added);
  (void)map.upsert(at(0s), binding(7, "10.128.0.7", 2, 5, at(60s)));
  EXPECT_EQ(map.find_mac(mac(7))->ip, ip("10.128.0.7")) << "IPv4 comes first";
  EXPECT_EQ(map.find_ip(ula.ip)->mac, mac(7));
  EXPECT_EQ(*map.upsert(at(1s), binding(7, "", 3, 6, at(60s))), Change::Moved);
  EXPECT_EQ(map.find_ip(ula.ip)->node, node(3)) << "and all move together";
}

TEST(AddressMap, ANameIsOneGuests) {
  AddressMap map(node(1));
  const auto named = [](uint8_t guest, uint8_t host, uint64_t sequence, const char* name) {
    Binding out = binding(guest, "", host, sequence, at(60s));
    out.name = name;
    return out;
  };
  (void)map.upsert(at(0s), named(7, 2, 5, "Web"));
  EXPECT_EQ(map.find_name("wEB"), mac(7)) << "RFC 4343: in any case";
  EXPECT_EQ(map.find_name("db"), std::nullopt);
  EXPECT_EQ(map.find_name(""), std::nullopt);
  (void)map.upsert(at(0s), named(9, 2, 5, "web"));
  EXPECT_EQ(map.find_name("web"), mac(7)) << "the lower MAC of one host's";
  (void)map.upsert(at(0s), named(8, 1, 5, "web"));
  EXPECT_EQ(map.find_name("web"), mac(8)) << "the lower host's";
  (void)map.upsert(at(0s), named(9, 2, 6, "web"));
  EXPECT_EQ(map.find_name("web"), mac(9)) << "the highest sequence's";
  (void)map.upsert(at(0s), named(9, 2, 6, "db"));
  EXPECT_EQ(map.find_name("web"), mac(8));
  EXPECT_EQ(map.find_name("db"), mac(9));
  map.erase(at(1s), mac(8), {});
  EXPECT_EQ(map.find_name("web"), mac(7));
  map.handle_timeout(at(60s));
  EXPECT_EQ(map.find_name("web"), std::nullopt);
  EXPECT_EQ(map.find_name("db"), std::nullopt);
}

TEST(AddressMap, AWithdrawalThatWasOvertakenIsPassedOver) {
  AddressMap map(node(1));
  (void)map.upsert(at(0s), binding(7, "10.128.0.7", 2, 6, at(60s)));
  EXPECT_EQ(*map.upsert(at(1s), binding(7, "10.128.0.7", 2, 5, at(1s))), Change::Withdrawn);
  EXPECT_TRUE(map.find_ip(ip("10.128.0.7")));
  EXPECT_EQ(*map.upsert(at(1s), binding(7, "10.128.0.7", 2, 6, at(1s))), Change::Withdrawn);
  EXPECT_FALSE(map.find_ip(ip("10.128.0.7")));
}

TEST(AddressMap, KnowsWhatCameHereWithItsMacAndIsNotUsedYet) {
  AddressMap map(node(1));
  using Addresses = std::vector<IpAddress>;
  const IpAddress first = ip("10.128.0.7"), second = ip("10.128.0.8"), third = ip("10.128.0.9");
  for (const char* address : {"10.128.0.7", "10.128.0.8", "10.128.0.9"}) {
    (void)map.upsert(at(0s), binding(7, address, 2, 5, at(60s)));
  }
  EXPECT_EQ(map.carried(mac(7)), Addresses{}) << "it is at another node";
  (void)map.upsert(at(1s), binding(7, "10.128.0.7", 1, 6, at(60s)));
  EXPECT_EQ(map.carried(mac(7)), (Addresses{first, second, third}));
  map.note_use(mac(7), first);
  EXPECT_EQ(map.carried(mac(7)), (Addresses{second, third}));
  (void)map.upsert(at(2s), binding(7, "10.128.0.8", 1, 6, at(61s)));
  EXPECT_EQ(map.carried(mac(7)), (Addresses{second, third})) << "a refresh is no use";
  map.erase(at(2s), mac(7), second);
  EXPECT_EQ(map.carried(mac(7)), Addresses{third});
  map.handle_timeout(at(60s));
  EXPECT_EQ(map.carried(mac(7)), Addresses{}) << "it has run out";

  (void)map.upsert(at(60s), binding(7, "", 2, 7, at(90s)));
  (void)map.upsert(at(60s), binding(7, "10.128.0.7", 2, 7, at(90s)));
  (void)map.upsert(at(61s), binding(7, "", 1, 8, at(90s)));
  EXPECT_EQ(map.carried(mac(7)), Addresses{first});
  (void)map.upsert(at(62s), binding(7, "", 2, 9, at(90s)));
  EXPECT_EQ(map.carried(mac(7)), Addresses{}) << "it has gone again";
  EXPECT_EQ(map.carried(mac(8)), Addresses{});
  map.note_use(mac(8), first);  // A MAC that there is not.
}

// What passes to another, moves, is taken back or expires had a holder.
TEST(AddressMap, RemembersWhoHadAnAddress) {
  AddressMap map(node(1));
  const auto before = [&](const auto& address) {
    std::vector<std::pair<MacAddress, NodeId>> out;
    for (const auto& holder : map.history().find(address)) out.emplace_back(holder.mac, holder.node);
    return out;
  };
  using Holders = std::vector<std::pair<MacAddress, NodeId>>;
  const auto address = ip("10.128.0.7");
  (void)map.upsert(at(0s), binding(7, "10.128.0.7", 2, 5, at(60s)));
  EXPECT_EQ(before(address), Holders{});
  (void)map.upsert(at(1s), binding(7, "10.128.0.7", 2, 5, at(61s)));
  EXPECT_EQ(before(address), Holders{}) << "a refresh changes nothing";
  (void)map.upsert(at(2s), binding(7, "", 3, 6, at(60s)));
  EXPECT_EQ(before(address), (Holders{{mac(7), node(2)}})) << "it moves with its MAC";
  EXPECT_EQ(before(mac(7)), (Holders{{mac(7), node(2)}}));
  (void)map.upsert(at(3s), binding(8, "10.128.0.7", 4, 7, at(60s)));
  EXPECT_EQ(before(address), (Holders{{mac(7), node(3)}, {mac(7), node(2)}})) << "another guest has it";
  EXPECT_EQ(before(mac(7)).size(), 1u) << "who is where it was";
  (void)map.upsert(at(4s), binding(8, "10.128.0.7", 4, 7, at(4s)));
  EXPECT_EQ(before(address).front(), std::pair(mac(8), node(4))) << "which takes it back";
  EXPECT_EQ(map.history().find(address).front().until, at(4s));
  (void)map.upsert(at(5s), binding(9, "10.128.0.9", 4, 1, at(10s)));
  map.handle_timeout(at(10s));
  EXPECT_EQ(before(ip("10.128.0.9")), (Holders{{mac(9), node(4)}}));
  EXPECT_EQ(before(mac(9)), (Holders{{mac(9), node(4)}}));
}

TEST(AddressMap, ExpiresAtItsHour) {
  AddressMap map(node(1));
  (void)map.upsert(at(0s), binding(7, "10.128.0.7", 2, 5, at(60s)));
  (void)map.upsert(at(0s), binding(7, "10.128.0.8", 2, 5, at(90s)));
  EXPECT_EQ(map.next_timeout(), at(60s));
  map.handle_timeout(at(60s));
  EXPECT_FALSE(map.find_ip(ip("10.128.0.7")));
  EXPECT_TRUE(map.find_ip(ip("10.128.0.8")));
  EXPECT_EQ(map.next_timeout(), at(90s));
  map.handle_timeout(at(90s));
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.next_timeout(), kNever);
}

TEST(AddressMap, WhatHasExpiredDoesNotContradict) {
  AddressMap map(node(1));
  (void)map.upsert(at(0s), binding(7, "10.128.0.7", 2, 50, at(60s)));
  EXPECT_EQ(*map.upsert(at(60s), binding(8, "10.128.0.7", 3, 1, at(90s))), Change::Added);
}

TEST(AddressMap, AnExpiredAnnouncementWithdraws) {
  AddressMap map(node(1));
  (void)map.upsert(at(0s), binding(7, "10.128.0.7", 2, 5, at(60s)));
  EXPECT_FALSE(map.upsert(at(1s), binding(7, "10.128.0.7", 3, 4, at(1s))))
      << "Not by one who could not claim it.";
  EXPECT_EQ(*map.upsert(at(1s), binding(8, "10.128.0.7", 2, 6, at(1s))), Change::Withdrawn);
  EXPECT_TRUE(map.find_ip(ip("10.128.0.7"))) << "It never was that MAC's.";
  EXPECT_EQ(*map.upsert(at(1s), binding(7, "10.128.0.7", 2, 5, at(1s))), Change::Withdrawn);
  EXPECT_FALSE(map.find_ip(ip("10.128.0.7")));
  EXPECT_TRUE(map.find_mac(mac(7)));
}

TEST(AddressMap, IsBounded) {
  AddressMap map(node(1), {.remote = 2, .of_member = 2, .local = 1, .addresses = 2});
  EXPECT_TRUE(map.upsert(at(0s), binding(1, "10.128.0.101", 2, 1, at(60s))));
  EXPECT_TRUE(map.upsert(at(0s), binding(2, "10.128.0.102", 2, 1, at(90s))));
  EXPECT_EQ(map.upsert(at(0s), binding(3, "", 2, 1, at(90s))).error(), Error::Full);
  EXPECT_TRUE(map.upsert(at(0s), binding(4, "", 1, 1, at(90s)))) << "Ours are counted for themselves.";
  EXPECT_TRUE(map.upsert(at(0s), binding(5, "10.128.0.9", 1, 1, at(90s))))
      << "One without address gives way.";
  EXPECT_FALSE(map.find_mac(mac(4)));
  EXPECT_EQ(map.upsert(at(0s), binding(4, "", 1, 1, at(90s))).error(), Error::Full) << "One with does not.";
  EXPECT_EQ(map.upsert(at(0s), binding(2, "", 1, 2, at(90s))).error(), Error::Full) << "Nor by moving.";
  EXPECT_TRUE(map.upsert(at(60s), binding(3, "", 2, 1, at(90s)))) << "What has expired makes room.";
  EXPECT_TRUE(map.upsert(at(60s), binding(3, "10.128.0.2", 2, 1, at(90s))));
  EXPECT_TRUE(map.upsert(at(60s), binding(3, "10.128.0.3", 2, 1, at(90s))));
  EXPECT_EQ(map.upsert(at(60s), binding(3, "10.128.0.4", 2, 1, at(90s))).error(), Error::Full);
  EXPECT_TRUE(map.upsert(at(60s), binding(3, "10.128.0.3", 2, 1, at(91s))));
}

// Else a guest with many of IPv6 is given one of IPv4 by DHCP at which nobody reaches it.
TEST(AddressMap, OfTheAddressesOfAMacOnePlaceIsKeptForIpv4) {
  AddressMap map(node(1), {.addresses = 2});
  EXPECT_TRUE(map.upsert(at(0s), binding(1, "fd00::1", 1, 1, at(90s))));
  EXPECT_EQ(map.upsert(at(0s), binding(1, "fd00::2", 1, 1, at(90s))).error(), Error::Full);
  EXPECT_TRUE(map.upsert(at(1s), binding(1, "fd00::1", 1, 1, at(91s))));
  EXPECT_TRUE(map.upsert(at(1s), binding(1, "10.128.0.2", 1, 1, at(90s))));
  EXPECT_EQ(map.upsert(at(1s), binding(1, "fd00::2", 1, 1, at(90s))).error(), Error::Full);

  EXPECT_TRUE(map.upsert(at(1s), binding(2, "10.128.0.3", 1, 1, at(90s))));
  EXPECT_TRUE(map.upsert(at(1s), binding(2, "fd00::3", 1, 1, at(90s))));
}

TEST(AddressMap, AMemberThatInventsMacsHarmsItselfAlone) {
  AddressMap map(node(1), {.remote = 6, .of_member = 4, .local = 4, .addresses = 2});
  EXPECT_TRUE(map.upsert(at(0s), binding(1, "", 3, 1, at(50s))));
  EXPECT_TRUE(map.upsert(at(0s), binding(2, "10.128.0.2", 2, 1, at(40s))));
  for (uint8_t invented = 100; invented < 200; ++invented) {
    ASSERT_TRUE(map.upsert(at(0s), binding(invented, "", 2, 1, at(60s + std::chrono::seconds(invented)))));
  }
  EXPECT_EQ(map.size(), 5u);
  EXPECT_TRUE(map.find_mac(mac(1))) << "another member's";
  EXPECT_TRUE(map.find_mac(mac(2))) << "it has an address";
  EXPECT_TRUE(map.find_mac(mac(199)));
  EXPECT_FALSE(map.find_mac(mac(196))) << "the oldest go first";
  // All that there may be: who has most without address gives way.
  EXPECT_TRUE(map.upsert(at(0s), binding(3, "", 4, 1, at(90s))));
  EXPECT_TRUE(map.upsert(at(0s), binding(4, "", 4, 1, at(90s))));
  EXPECT_EQ(map.size(), 6u);
  EXPECT_TRUE(map.find_mac(mac(1)));
  EXPECT_TRUE(map.find_mac(mac(3)));
  EXPECT_FALSE(map.find_mac(mac(197)));
  EXPECT_EQ(map.nodes(), (std::vector{node(2), node(3), node(4)}));
}

TEST(AddressMap, AGuestThatMovesToAFullHostIsTaken) {
  AddressMap map(node(1), {.remote = 4, .of_member = 4, .local = 2, .addresses = 2});
  EXPECT_TRUE(map.upsert(at(0s), binding(1, "10.128.0.1", 2, 1, at(90s))));
  EXPECT_TRUE(map.upsert(at(0s), binding(2, "", 1, 1, at(90s))));
  EXPECT_TRUE(map.upsert(at(0s), binding(3, "", 1, 1, at(80s))));
  EXPECT_TRUE(map.upsert(at(0s), binding(1, "", 1, 2, at(90s))));
  EXPECT_TRUE(map.is_local(mac(1)));
  EXPECT_TRUE(map.is_local(mac(2)));
  EXPECT_FALSE(map.find_mac(mac(3)));
  EXPECT_EQ(map.nodes(), std::vector{node(1)});
}

TEST(AddressMap, NobodyGivesWayToWhatIsRefused) {
  AddressMap map(node(1), {.remote = 4, .of_member = 1, .local = 1, .addresses = 1});
  EXPECT_TRUE(map.upsert(at(0s), binding(1, "", 2, 1, at(90s))));
  EXPECT_TRUE(map.upsert(at(0s), binding(2, "10.128.0.2", 3, 1, at(90s))));
  EXPECT_EQ(map.upsert(at(0s), binding(2, "10.128.0.3", 2, 2, at(90s))).error(), Error::Full);
  EXPECT_TRUE(map.find_mac(mac(1)));
}

TEST(AddressMap, ALocalGuestIsDoubtedHalfWay) {
  AddressMap map(node(1));
  (void)map.upsert(at(0s), binding(1, "10.128.0.2", 1, 1, at(60min)));
  EXPECT_TRUE(map.is_confirmed(mac(1)));
  EXPECT_EQ(map.next_timeout(), at(30min));
  const uint64_t version = map.version();
  map.handle_timeout(at(30min));
  EXPECT_FALSE(map.is_confirmed(mac(1)));
  EXPECT_TRUE(map.forwarding().empty()) << "Its next frame is to come to the core.";
  EXPECT_TRUE(map.find_ip(ip("10.128.0.2"))) << "It is still answered for.";
  EXPECT_GT(map.version(), version);
  EXPECT_EQ(map.poll_unconfirmed(), mac(1));
  EXPECT_EQ(map.poll_unconfirmed(), std::nullopt);
  map.handle_timeout(at(45min));
  EXPECT_EQ(map.poll_unconfirmed(), mac(1)) << "Asked again half-way to the end.";
  (void)map.upsert(at(50min), binding(1, "", 1, 1, at(110min)));
  EXPECT_TRUE(map.is_confirmed(mac(1)));
  EXPECT_EQ(map.forwarding().size(), 1u);
}

TEST(HostLabel, Boundaries) {
  for (const char* good : {"a", "vm1", "VM-1", "1", "a-b-c"}) EXPECT_TRUE(is_host_label(good)) << good;
  for (const char* bad : {"", "-a", "a-", "a.b", "a b", "a_b", "\xc3\xa4"})
    EXPECT_FALSE(is_host_label(bad)) << bad;
  EXPECT_TRUE(is_host_label(std::string(63, 'a')));
  EXPECT_FALSE(is_host_label(std::string(64, 'a')));
  EXPECT_FALSE(is_host_label(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace ipop
