// Addresses in whole nodes: DHCP claims, moves, duplicates, restarts, partitions; docs/addresses.md.
#include "overlay/node/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "overlay/node/dht_address.h"
#include "overlay/sim/world.h"
#include "tests/support/guest_frames.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using sim::Host;
using sim::World;

std::string name_of(size_t i) { return "h" + std::to_string(i); }

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
    for (const auto& [name, value] : host.node().vnet().counters()) {
      if (name == std::string_view("moved_away")) return value;
    }
    return 0;
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

struct SplitNetwork : Network, testing::WithParamInterface<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, SplitNetwork, testing::Range<uint64_t>(1, 9));

struct NetworkOf : Network, testing::WithParamInterface<size_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, NetworkOf, testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 16));

TEST_P(NetworkOf, GuestsOfAllHostsGetDifferentAddressesAtTheSameTime) {
  start(GetParam(), {.seed = GetParam(), .subnet = *Ipv4Subnet::parse("10.128.0.0/27")});
  std::map<uint8_t, Ipv4Address> given;
  std::map<uint8_t, DhcpMessage> offers;
  for (int round = 0; round < 40 && given.size() < 16; ++round) {
    for (uint8_t guest = 1; guest <= 16; ++guest) {
      if (given.contains(guest)) continue;
      Host& host = *hosts[guest % hosts.size()];
      if (offers.contains(guest)) {
        auto request = vnet_testing::dhcp(DhcpMessage::Type::Request, guest);
        request.requested_address = offers.at(guest).yiaddr;
        request.server_id = offers.at(guest).server_id;
        host.send_frame(vnet_testing::dhcp_frame(request));
      } else {
        host.send_frame(vnet_testing::dhcp_frame(vnet_testing::dhcp(DhcpMessage::Type::Discover, guest)));
      }
    }
    world->run_for(500ms);
    for (Host* host : hosts) {
      for (const Bytes& frame : host->take_frames()) {
        const auto reply = vnet_testing::dhcp_in(frame);
        if (!reply) continue;
        const uint8_t guest = reply->chaddr.bytes[5];
        if (reply->type == DhcpMessage::Type::Offer) offers[guest] = *reply;
        if (reply->type == DhcpMessage::Type::Nak) offers.erase(guest);
        if (reply->type == DhcpMessage::Type::Ack) given[guest] = reply->yiaddr;
      }
    }
  }
  EXPECT_EQ(given.size(), 16u);
  std::set<Ipv4Address> addresses;
  for (const auto& [guest, ip] : given) addresses.insert(ip);
  EXPECT_EQ(addresses.size(), given.size());
}

TEST_F(Network, WhereAllKnowEachOtherAnOfferTakesAFewRoundTrips) {
  start(4);
  hosts[1]->take_frames();
  hosts[1]->send_frame(vnet_testing::dhcp_frame(vnet_testing::dhcp(DhcpMessage::Type::Discover, 1)));
  const bool is_offered = world->run_until(
      [&] {
        const auto frames = hosts[1]->take_frames();
        return std::any_of(frames.begin(), frames.end(),
                           [](const Bytes& frame) { return vnet_testing::dhcp_in(frame).has_value(); });
      },
      kLookupPatience);
  EXPECT_TRUE(is_offered) << "each has said that it is not its; nobody's silence was waited for";
}

TEST_P(NetworkOf, TheSameGuestGetsTheSameAddressOnAnotherHost) {
  start(GetParam());
  const auto first = lease(*hosts[0], 1);
  ASSERT_TRUE(first);
  world->run_for(10s);
  EXPECT_EQ(lease(*hosts.back(), 1), first);
  world->run_for(10s);
  EXPECT_TRUE(holds(*hosts.back(), 1, *first));
  if (hosts.size() > 1) {
    EXPECT_FALSE(holds(*hosts[0], 1, *first)) << "the old host has heard of it";
  }
}

TEST_F(Network, HostsWhoseClocksDifferByMinutesGrantAddressesToo) {
  start(6, {.seed = 12, .clock_spread = 290s});
  std::set<Ipv4Address> given;
  for (uint8_t i = 0; i < 6; ++i) {
    const auto ip = lease(*hosts[i], 1 + i);
    ASSERT_TRUE(ip) << int{i};
    given.insert(*ip);
  }
  EXPECT_EQ(given.size(), 6u);
  std::set<uint64_t> issued;
  for (const auto& [key, entry] : std::as_const(*hosts[0]).node().directory().replica().store().all()) {
    issued.insert(entry.record.issued_ms);
  }
  EXPECT_GT(*issued.rbegin() - *issued.begin(), 150'000u) << "in a minute at most";
}

TEST_P(NetworkOf, AnyHostFindsAGuest) {
  start(GetParam());
  const auto ip = lease(*hosts.back(), 1);
  ASSERT_TRUE(ip);
  world->run_for(10s);
  for (Host* host : hosts) {
    if (host == hosts.back()) continue;  // Its guest answers for itself.
    EXPECT_EQ(resolve(*host, *ip), vnet_testing::mac(1)) << host->name();
  }
}

TEST_F(Network, AnAddressInUseIsNotGivenToAnother) {
  start(9);
  const auto first = lease(*hosts[0], 1);
  ASSERT_TRUE(first);
  const auto second = lease(*hosts[5], 2, first);
  ASSERT_TRUE(second);
  EXPECT_NE(second, first);
}

TEST_F(Network, AStaticAddressThatIsHeldIsNotBelieved) {
  start(9);
  const auto first = lease(*hosts[0], 1);
  ASSERT_TRUE(first);
  world->run_for(5s);
  hosts[5]->send_frame(test::arp_request(test::kBob, *first, *first));
  world->run_for(10s);
  EXPECT_TRUE(holds(*hosts[0], 1, *first));
  const auto known = std::as_const(*hosts[5]).node().vnet().map().find_ip(*first);
  EXPECT_TRUE(!known || known->node == hosts[0]->id());
}

// Its host has not heard of the holder, and its MAC has the higher sequence, since it has moved a few times.
TEST_F(Network, WhoClaimsAHeldAddressIsBelievedByNobody) {
  start(30);
  const auto first = lease(*hosts[0], 1);
  ASSERT_TRUE(first);
  world->run_for(10s);
  const auto knows = [&](const Host* host) {
    return std::as_const(*host).node().vnet().map().find_ip(*first).has_value();
  };
  const auto stranger = std::find_if_not(hosts.begin(), hosts.end(), knows);
  ASSERT_NE(stranger, hosts.end());
  for (int i = 0; i < 6; ++i) {
    Host& host = i % 2 == 0 ? *hosts[0] : **stranger;
    host.send_frame(test::arp_request(test::kBob, test::kBobIp, test::kBobIp));
    world->run_for(2s);
  }
  ASSERT_FALSE(knows(*stranger));
  (*stranger)->send_frame(test::arp_request(test::kBob, *first, *first));
  for (int i = 0; i < 40; ++i) {
    world->run_for(250ms);
    for (const Host* host : hosts) {
      if (host == *stranger) continue;  // It believes its guest until it has the answer.
      const auto known = std::as_const(*host).node().vnet().map().find_ip(*first);
      EXPECT_TRUE(!known || known->mac == vnet_testing::mac(1))
          << host->name() << " after " << i << " x 250 ms";
    }
  }
  EXPECT_TRUE(holds(*hosts[0], 1, *first));
  const auto known = std::as_const(**stranger).node().vnet().map().find_ip(*first);
  EXPECT_TRUE(!known || known->mac == vnet_testing::mac(1));
}

TEST_F(Network, AnAddressIsToldWhenItIsGranted) {
  start(9);
  const Node& node = std::as_const(*hosts[5]).node();
  const auto is_told = [&](const IpAddress& ip) {
    const auto told = node.directory().told_bindings();
    return std::any_of(told.begin(), told.end(),
                       [&](const Binding& one) { return one.mac == test::kBob && one.ip == ip; });
  };
  hosts[5]->send_frame(test::arp_request(test::kBob, test::kBobIp, test::kBobIp));
  const auto claim = node.vnet().map().find_ip(test::kBobIp);
  ASSERT_TRUE(claim);
  EXPECT_FALSE(is_told(test::kBobIp));
  EXPECT_TRUE(is_told({})) << "where the guest is, is for its host to say";
  const auto answer = [&](Query::Kind asked) {
    return node.directory().as_answer(world->now(), asked, *node.vnet().map().find_ip(test::kBobIp));
  };
  EXPECT_EQ(answer(Query::Kind::Ip).expires, world->now() + Directory::kClaimTime);
  EXPECT_EQ(answer(Query::Kind::Mac).ip, IpAddress());
  world->run_for(5s);
  EXPECT_TRUE(is_told(test::kBobIp));
  EXPECT_EQ(answer(Query::Kind::Ip).expires, claim->expires);
  EXPECT_EQ(answer(Query::Kind::Mac).ip, IpAddress(test::kBobIp));
}

// All have just started, and may have missed who has what: everybody is asked about each address.
TEST_F(Network, ManyClaimsWaitUntilEverybodyCanBeAsked) {
  constexpr uint8_t kGuests = 240;
  start(9);
  for (uint8_t guest = 1; guest <= kGuests; ++guest) {
    const Ipv4Address ip{test::kBobIp.value + guest};
    hosts[5]->send_frame(test::arp_request(vnet_testing::mac(guest), ip, ip));
  }
  const Directory& directory = std::as_const(*hosts[5]).node().directory();
  const auto bound = [&] {
    int out = 0;
    for (uint8_t guest = 1; guest <= kGuests; ++guest) {
      out += directory.is_published(Ipv4Address{test::kBobIp.value + guest});
      EXPECT_GE(directory.counts().asked_all, static_cast<uint64_t>(out));
    }
    return out;
  };
  EXPECT_TRUE(world->run_until([&] { return bound() == kGuests; }, 120s)) << bound();
  EXPECT_GT(directory.counts().ask_all_limited, 0u);
}

TEST_F(Network, AMoveIsFollowedByThoseWhoTalkWithTheGuest) {
  start(9);
  const Bytes here = test::arp_request(test::kBob, test::kBobIp, test::kBobIp);
  hosts[1]->send_frame(here);
  world->run_for(5s);
  ASSERT_EQ(resolve(*hosts[5], test::kBobIp), test::kBob);
  for (int i = 0; i < 20; ++i) {
    Host& host = *hosts[i % 2 == 0 ? 2 : 1];
    host.send_frame(here);
    world->run_for(2s);
    for (Host* each : hosts) each->take_frames();
    hosts[5]->send_frame(test::frame(test::kBob, test::kAlice, "hello"));
    world->run_for(1s);
    EXPECT_THAT(host.take_frames(), testing::Contains(test::frame(test::kBob, test::kAlice, "hello")))
        << "move " << i;
  }
}

TEST_F(Network, AfterAPartitionExactlyOneKeepsTheAddress) {
  start(10);
  split([](size_t i) { return i % 2 == 0; });
  world->run_for(60s);
  const Ipv4Address wish = *Ipv4Address::parse("10.128.7.7");
  const auto left = lease(*hosts[2], 1, wish);
  const auto right = lease(*hosts[3], 2, wish);
  ASSERT_EQ(left, wish);
  ASSERT_EQ(right, wish) << "each side goes on by itself";
  world->internet().heal();
  world->run_for(120s);
  EXPECT_EQ(holds(*hosts[2], 1, wish) + holds(*hosts[3], 2, wish), 1);
  const MacAddress winner = vnet_testing::mac(holds(*hosts[2], 1, wish) ? 1 : 2);
  for (const size_t i : {0, 5, 9}) EXPECT_EQ(resolve(*hosts[i], wish), winner);
  // The loser gets another one.
  const uint8_t loser = winner == vnet_testing::mac(1) ? 2 : 1;
  const auto next = lease(*hosts[loser == 1 ? 2 : 3], loser);
  ASSERT_TRUE(next);
  EXPECT_NE(*next, wish);
}

/// The other part believes that one of the two has moved, and says so before the replicas of the address have
/// met: a guest that was called away only has not begun anew.
TEST_P(SplitNetwork, AGuestThatIsCalledAwayInErrorKeepsTheAddressThatItsRecordWins) {
  start(10, {.seed = GetParam()});
  const Ipv4Address wish = *Ipv4Address::parse("10.128.7.7");
  split([](size_t i) { return i % 2 == 0; });
  world->run_for(60s);
  show_up(*hosts[2], 1);
  world->run_for(1s);
  ASSERT_EQ(lease(*hosts[4], 1, wish), wish);
  ASSERT_EQ(lease(*hosts[3], 2, wish), wish);
  for (int i = 0; i < 6; ++i) {  // It counts further there.
    show_up(*hosts[i % 2 == 0 ? 5 : 7], 1);
    world->run_for(2s);
  }
  hosts[4]->take_frames();
  world->internet().heal();
  for (int i = 0; i < 60; ++i) {
    world->run_for(2s);
    answer_arp(*hosts[4], 1, wish);
    answer_arp(*hosts[3], 2, wish);
  }
  EXPECT_GE(std::as_const(*hosts[4]).node().vnet().map().find_mac(vnet_testing::mac(1))->sequence, 7u);
  EXPECT_TRUE(holds(*hosts[4], 1, wish));
  EXPECT_FALSE(holds(*hosts[3], 2, wish));
}

/// There another guest had it, which had moved more often.  There are too few hosts for whoever holds it to
/// write it again because it has new neighbours.
TEST_F(Network, WhatOnePartGaveBackIsNotTakenFromTheOther) {
  start(4);
  std::sort(hosts.begin(), hosts.end(), [](const Host* a, const Host* b) { return a->id() < b->id(); });
  split([](size_t i) { return i < 2; });
  world->run_for(60s);
  const Ipv4Address wish = *Ipv4Address::parse("10.128.7.7");
  for (int i = 0; i < 6; ++i) {
    show_up(*hosts[i % 2], 2);
    world->run_for(2s);
  }
  ASSERT_EQ(lease(*hosts[0], 2, wish), wish);
  ASSERT_EQ(lease(*hosts[2], 1, wish), wish);
  world->run_for(5s);
  auto release = vnet_testing::dhcp(DhcpMessage::Type::Release, 2);
  release.ciaddr = wish;
  hosts[0]->send_frame(vnet_testing::dhcp_frame(release));
  world->run_for(5s);
  const auto count = [&](wire::DhtRecord::State state) {
    return std::count_if(hosts.begin(), hosts.end(), [&](const Host* host) {
      const auto* held = host->node().directory().replica().store().find(key_of(ip_address(wish)));
      return held != nullptr && held->record.state == state;
    });
  };
  ASSERT_EQ(count(wire::DhtRecord::State::Withdrawn), 2);
  ASSERT_EQ(count(wire::DhtRecord::State::Bound), 2);
  world->internet().heal();
  world->run_for(30s);
  EXPECT_TRUE(holds(*hosts[2], 1, wish));
  EXPECT_EQ(count(wire::DhtRecord::State::Bound), 4);
}

/// Perhaps with all replicas of something.
TEST_F(Network, WhoLosesSeveralNeighboursAtOnceWritesWhatItsGuestsHoldAgain) {
  start(12);
  ASSERT_TRUE(lease(*hosts[0], 1));
  world->run_for(20s);
  const Node& node = std::as_const(*hosts[0]).node();
  const uint64_t before = node.directory().counts().refreshes;
  const auto near = node.ring().near();
  ASSERT_EQ(near.successors.size(), 3u);
  for (Host* host : hosts) {
    const bool is_next = host->id() == near.successors[0] || host->id() == near.successors[1];
    if (is_next) world->kill(*host);
  }
  world->run_for(40s);
  EXPECT_GE(node.directory().counts().refreshes, before + 2) << "its address and its MAC";
}

TEST_F(Network, WhoseNeighbourComesAndGoesDoesNotWriteWithoutEnd) {
  start(12);
  ASSERT_TRUE(lease(*hosts[0], 1));
  world->run_for(20s);
  const Node& node = std::as_const(*hosts[0]).node();
  const uint64_t before = node.directory().counts().refreshes;
  const NodeId next = node.ring().near().successors[0];
  const auto host =
      std::find_if(hosts.begin(), hosts.end(), [&](const Host* one) { return one->id() == next; });
  for (int i = 0; i < 10; ++i) {
    world->kill(**host);
    world->run_for(8s);
    world->start(**host);
    world->run_for(4s);
  }
  EXPECT_GE(node.directory().replica().counts().mass_losses, 5u);
  EXPECT_LE(node.directory().counts().refreshes, before + 2 * (1 + 120 / 30)) << "its address and its MAC";
}

/// The word that called it away has run out before its guest wakes.
TEST_F(Network, WhatAGuestHasThatWasCalledAwayInErrorIsNotWithdrawn) {
  start(10);
  split([](size_t i) { return i % 2 == 0; });
  world->run_for(60s);
  const auto ip = lease(*hosts[4], 1);
  ASSERT_TRUE(ip);
  for (int i = 0; i < 6; ++i) {
    show_up(*hosts[i % 2 == 0 ? 5 : 7], 1);
    world->run_for(2s);
  }
  world->kill(*hosts[7]);
  for (int i = 0; i < 62 * 12; ++i) {  // Of the five minutes that clocks may differ by, three are left.
    world->run_for(5s);
    if (i % 60 == 0) show_use(*hosts[4], 1, *ip);
    answer_arp(*hosts[4], 1, *ip);
  }
  ASSERT_TRUE(holds(*hosts[4], 1, *ip));
  world->internet().heal();
  world->run_for(60s);
  ASSERT_GE(moved_away(*hosts[4]), 1u);
  size_t kept = 0;
  for (const Host* host : hosts) {
    if (!host->is_running()) continue;
    for (const auto& [key, entry] : host->node().directory().replica().store().all()) {
      if (entry.record.kind != wire::DhtAddress::Kind::Ip || entry.record.ip != *ip) continue;
      EXPECT_EQ(entry.record.state, wire::DhtRecord::State::Bound) << host->name();
      ++kept;
    }
  }
  EXPECT_GE(kept, kReplicas);
}

TEST_F(Network, AHostThatIsCutOffGrantsNothingBeforeItHasCalledAllThatItKnows) {
  start(10);
  world->run_for(60s);
  split([](size_t i) { return i == 0; });
  const sim::Host& cut_off = *hosts[0];
  const auto searches = [&] { return cut_off.node().ring().is_searching(); };
  const auto granted = [&] { return cut_off.node().directory().counts().claims_won; };
  const Instant end = world->now() + 60s;
  while (!searches() && world->now() < end) world->run_for(100ms);
  ASSERT_TRUE(searches());
  ASSERT_EQ(granted(), 0u);
  while (searches() && world->now() < end) {
    hosts[0]->send_frame(vnet_testing::dhcp_frame(vnet_testing::dhcp(DhcpMessage::Type::Discover, 1)));
    world->run_for(100ms);
    EXPECT_TRUE(!searches() || granted() == 0);
  }
  EXPECT_TRUE(lease(*hosts[0], 1)) << "then it goes on by itself";
}

TEST_F(Network, WhatAHostGrantedAloneItWritesAgainWhenItMeetsTheOthers) {
  start(10);
  world->run_for(60s);
  split([](size_t i) { return i == 0; });
  world->run_for(60s);
  ASSERT_TRUE(lease(*hosts[0], 1));
  world->run_for(20s);
  const auto written = [&] { return std::as_const(*hosts[0]).node().directory().counts().refreshes; };
  const uint64_t before = written();
  world->internet().heal();
  world->run_for(20s);
  EXPECT_GE(written(), before + 2) << "its address and its MAC, long before the next refresh";
}

TEST_F(Network, AHostThatRestartsWithoutItsFileGivesItsGuestTheSameAddress) {
  start(9);
  const auto first = lease(*hosts[4], 1);
  ASSERT_TRUE(first);
  world->run_for(5s);
  world->kill(*hosts[4]);
  world->run_for(10s);
  world->start(*hosts[4]);
  world->run_for(15s);
  EXPECT_EQ(lease(*hosts[4], 1), first);
}

/// Its guest was started elsewhere meanwhile.
TEST_F(Network, AHostThatRestartsWithItsFileCallsNobodyBack) {
  for (const size_t n : {3, 9}) {
    hosts.clear();
    start(n);
    Host& old = *hosts[1];
    const auto ip = lease(old, 1);
    ASSERT_TRUE(ip);
    world->run_for(5s);
    const std::string file = std::as_const(old).node().vnet().save_leases(old.now(), 1'000'000);
    world->kill(old);
    world->run_for(10s);
    ASSERT_EQ(lease(*hosts[2], 1), ip);
    world->run_for(5s);
    world->start(old);
    ASSERT_TRUE(old.node().vnet().load_leases(file, old.now(), 1'000'020));
    world->run_for(30s);
    EXPECT_TRUE(holds(*hosts[2], 1, *ip)) << n;
    EXPECT_FALSE(holds(old, 1, *ip)) << n;
  }
}

TEST_F(Network, AHostThatRestartsWithItsFileHoldsWhatNobodyTook) {
  start(9);
  Host& host = *hosts[1];
  const auto ip = lease(host, 1);
  ASSERT_TRUE(ip);
  const std::string file = std::as_const(host).node().vnet().save_leases(host.now(), 1'000'000);
  world->kill(host);
  world->run_for(10s);
  world->start(host);
  ASSERT_TRUE(host.node().vnet().load_leases(file, host.now(), 1'000'010));
  world->run_for(30s);
  EXPECT_TRUE(std::as_const(host).node().directory().is_published(*ip));
  auto renewal = vnet_testing::dhcp(DhcpMessage::Type::Request, 1);
  renewal.ciaddr = *ip;
  const auto ack = ask(host, renewal);
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->type, DhcpMessage::Type::Ack);
}

/// A guest wakes at another host a few minutes before the end of its lease, of which only that host hears.
TEST_F(Network, AnOldHostDoesNotGiveBackWhatItsGuestHasElsewhere) {
  start(9);
  const auto first = lease(*hosts[4], 1);
  const auto second = lease(*hosts[5], 2);
  ASSERT_TRUE(first && second);
  world->run_for(56min);
  show_use(*hosts[5], 1, *first);
  show_use(*hosts[4], 2, *second);
  for (int i = 0; i < 150; ++i) {  // Past the end of the leases, and a refresh.
    world->run_for(5s);
    for (const Host* host : hosts) {
      for (const auto& [key, entry] : host->node().directory().replica().store().all()) {
        ASSERT_NE(entry.record.state, wire::DhtRecord::State::Withdrawn) << i;
      }
    }
  }
  EXPECT_TRUE(holds(*hosts[5], 1, *first));
  EXPECT_TRUE(holds(*hosts[4], 2, *second));
}

/// Else what becomes of the address there, where nobody tells this host, would be forgotten should a guest
/// here use it within the next minutes.
TEST_F(Network, WhatAGuestTookWithItIsNoMoreItsOldHostsToRefresh) {
  start(9);
  const auto ip = lease(*hosts[4], 1);
  ASSERT_TRUE(ip);
  world->run_for(5s);
  const Directory& directory = std::as_const(*hosts[4]).node().directory();
  ASSERT_TRUE(directory.is_published(*ip));
  const size_t before = directory.published().second;
  ASSERT_EQ(lease(*hosts[5], 1), ip);
  world->run_for(1s);
  EXPECT_FALSE(directory.is_published(*ip));
  EXPECT_EQ(directory.published().second, before - 1) << "of its MAC, the next refresh is soon enough";
}

/// By a host that knew no better, which has not claimed its address yet.
TEST_F(Network, AGuestThatIsCalledAwayInErrorStillHasItsRecord) {
  start(9);
  const auto ip = lease(*hosts[4], 1);
  ASSERT_TRUE(ip);
  world->run_for(20s);
  show_up(*hosts[5], 1);
  hosts[4]->take_frames();
  for (int i = 0; i < 500; ++i) {
    world->run_for(10ms);
    answer_arp(*hosts[4], 1, *ip);
    ASSERT_TRUE(std::as_const(*hosts[4]).node().directory().is_published(*ip)) << i;
  }
  EXPECT_GE(moved_away(*hosts[4]), 1u);
  EXPECT_TRUE(holds(*hosts[4], 1, *ip));
}

TEST_F(Network, WhatAGuestWasOfferedBeforeItLeftIsNoMoreItsOldHostsEither) {
  start(9);
  ASSERT_TRUE(ask(*hosts[4], vnet_testing::dhcp(DhcpMessage::Type::Discover, 1)));
  world->run_for(1s);
  const Directory& directory = std::as_const(*hosts[4]).node().directory();
  ASSERT_EQ(directory.published(), std::pair(size_t{1}, size_t{2})) << "its MAC and what it was offered";
  show_up(*hosts[5], 1);
  world->run_for(1s);
  EXPECT_EQ(directory.published().second, 1u);
}

/// A guest uses an address, asks DHCP for it, and does not take what it is offered.
TEST_F(Network, WhatIsReservedAgainIsNotBoundUntilItIsTaken) {
  start(9);
  const Ipv4Address used = *Ipv4Address::parse("10.128.0.77");
  show_use(*hosts[4], 1, used);
  world->run_for(5s);
  const Directory& directory = std::as_const(*hosts[4]).node().directory();
  ASSERT_TRUE(directory.is_published(used));
  const auto offer = ask(*hosts[4], vnet_testing::dhcp(DhcpMessage::Type::Discover, 1));
  ASSERT_TRUE(offer);
  ASSERT_EQ(offer->yiaddr, used);
  EXPECT_FALSE(directory.is_published(used)) << "the replicas have a reservation, which runs out";
  world->run_for(Directory::kReservationTime);
  EXPECT_TRUE(directory.is_published(used)) << "it uses it as before";
}

/// Before its record is written.
TEST_F(Network, WhatIsGivenBackAtOnceIsFreeAtOnce) {
  start(9);
  auto release = vnet_testing::dhcp(DhcpMessage::Type::Release, 1);
  const auto offer = ask(*hosts[4], vnet_testing::dhcp(DhcpMessage::Type::Discover, 1));
  ASSERT_TRUE(offer);
  auto request = vnet_testing::dhcp(DhcpMessage::Type::Request, 1);
  request.requested_address = release.ciaddr = offer->yiaddr;
  request.server_id = offer->server_id;
  hosts[4]->send_frame(vnet_testing::dhcp_frame(request));
  world->run_for(1ms);
  hosts[4]->send_frame(vnet_testing::dhcp_frame(release));
  world->run_for(5s);
  EXPECT_EQ(lease(*hosts[6], 2, offer->yiaddr), offer->yiaddr);
}

/// By the record of its MAC, at the replicas: its host is dead, and the new one has never heard of it.
TEST_F(Network, AGuestOfADeadHostGetsItsAddressWhereNobodyKnowsIt) {
  start(9);
  const Ipv4Address wish = *Ipv4Address::parse("10.128.0.77");
  ASSERT_EQ(lease(*hosts[4], 1, wish), wish);
  world->run_for(5s);
  world->kill(*hosts[4]);
  world->run_for(10s);
  Host& fresh = world->add_host("fresh");
  world->run_for(15s);
  ASSERT_FALSE(std::as_const(fresh).node().vnet().map().find_mac(vnet_testing::mac(1)));
  show_up(fresh, 1);
  world->run_for(2s);  // As a guest that speaks IPv6 before it asks DHCP.
  EXPECT_EQ(lease(fresh, 1), wish);
}

/// It wakes just after its record has run out, at a host that has not looked since.
TEST_F(Network, AGuestThatSleptForItsLeaseAsksForItsAddressAnew) {
  start(9);
  const auto ip = lease(*hosts[4], 1);
  ASSERT_TRUE(ip);
  const Directory& directory = std::as_const(*hosts[4]).node().directory();
  world->run_for(59min);
  while (holds(*hosts[4], 1, *ip)) world->run_for(100ms);
  hosts[4]->send_frame(
      arp_frame(MacAddress::broadcast(), vnet_testing::mac(1), vnet_testing::arp_request(1, *ip, *ip)));
  world->run_for(1ms);
  ASSERT_TRUE(holds(*hosts[4], 1, *ip)) << "by the map of its host, that is: it claims it";
  EXPECT_FALSE(directory.is_published(*ip));
  world->run_for(5s);
  EXPECT_TRUE(directory.is_published(*ip));
}

TEST_F(Network, WhatADeadHostHeldIsFreeAfterItsLease) {
  start(9, {.seed = 12, .drift_ppm = 100});
  const auto first = lease(*hosts[4], 1);
  ASSERT_TRUE(first);
  world->run_for(5s);
  world->kill(*hosts[4]);
  world->run_for(30min);
  EXPECT_NE(lease(*hosts[1], 2, first), first);
  world->run_for(37min);
  EXPECT_EQ(lease(*hosts[2], 3, first), first);
}

TEST_F(Network, OneWordLostInTwentyChangesNothing) {
  start(9, {.seed = 13, .loss = 0.05});
  std::set<Ipv4Address> given;
  for (uint8_t guest = 1; guest <= 20; ++guest) {
    const auto ip = lease(*hosts[guest % 9], guest);
    ASSERT_TRUE(ip) << int{guest};
    EXPECT_TRUE(given.insert(*ip).second) << ip->to_string();
  }
}

TEST_F(Network, OwnRecordsAreRefreshedForAsLongAsTheGuestIsHere) {
  start(9);
  const auto ip = lease(*hosts[0], 1);
  ASSERT_TRUE(ip);
  world->run_for(15min);
  EXPECT_GT(std::as_const(*hosts[0]).node().directory().counts().refreshes, 5u);
  const auto [bound, all] = std::as_const(*hosts[0]).node().directory().published();
  EXPECT_EQ(bound, all);
  EXPECT_EQ(all, 2u) << "its IP and its MAC";
}

struct Names : Network {
  /// How many answers the service of `host` gives to the guest's question, within 4 s; nothing: none at all.
  std::optional<unsigned> ask_name(Host& host, const std::string& name, uint16_t type) {
    Writer out;
    for (const uint16_t field : std::initializer_list<uint16_t>{7, 0, 1, 0, 0, 0}) out.u16(field);
    out.bytes(DnsName::of(name).encode());
    out.u16(type);
    out.u16(1);
    const Bytes question = out.take();
    const auto& service = std::as_const(host).node().vnet().service();
    const Bytes udp =
        UdpDatagram{.src_port = 5353, .dst_port = 53, .payload = question}.encode(test::kAliceIp, service.ip);
    const Bytes packet =
        Ipv4Packet{.src = test::kAliceIp, .dst = service.ip, .protocol = kIpProtocolUdp, .payload = udp}
            .encode();
    host.take_frames();
    host.send_frame(EthernetFrame{
        .header = {.dst = service.mac, .src = test::kAlice, .vlan_tci = {}, .ethertype = kEtherTypeIpv4},
        .payload = packet}
                        .encode());
    world->run_for(4s);
    for (const Bytes& bytes : host.take_frames()) {
      const auto frame = EthernetFrame::decode(bytes);
      if (!frame || frame->header.ethertype != kEtherTypeIpv4 || frame->header.dst != test::kAlice) continue;
      const auto reply = Ipv4Packet::decode(frame->payload);
      const auto datagram = reply ? UdpDatagram::decode(*reply) : Error::Malformed;
      if (datagram && datagram->src_port == 53) return datagram->payload[7];
    }
    return std::nullopt;
  }
};

TEST_F(Names, AreFoundWhereverTheGuestIs) {
  start(24);
  world->run_for(8min);  // Votes are sure by then: nobody has to be asked beside the replicas.
  auto discover = vnet_testing::dhcp(DhcpMessage::Type::Discover, 3);
  discover.host_name = "vm3";
  const auto offer = ask(*hosts[2], discover);
  ASSERT_TRUE(offer);
  auto request = vnet_testing::dhcp(DhcpMessage::Type::Request, 3);
  request.host_name = "vm3";
  request.requested_address = offer->yiaddr;
  request.server_id = offer->server_id;
  ASSERT_EQ(ask(*hosts[2], request)->type, DhcpMessage::Type::Ack);
  world->run_for(1s);
  constexpr uint16_t kA = 1, kAaaa = 28;
  size_t strangers = 0;
  for (Host* host : hosts) {
    strangers += !std::as_const(*host).node().vnet().map().find_name("vm3");
    EXPECT_EQ(ask_name(*host, "vm3.grid.ipop", kA), 1u) << host->name();
    EXPECT_EQ(ask_name(*host, "vm3.grid.ipop", kAaaa), 0u) << host->name();
    EXPECT_EQ(ask_name(*host, "vm4.grid.ipop", kA), 0u) << host->name();
  }
  EXPECT_GT(strangers, 0u) << "or nothing had to be asked";
}

}  // namespace
}  // namespace ipop
