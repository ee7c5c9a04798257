// What is held in parts of a network that are apart and meet, and after many hosts are lost;
// docs/addresses.md.
#include "overlay/node/directory.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "overlay/node/dht_address.h"
#include "tests/node/network.h"

namespace ipop {
namespace {

using node_testing::Network;
using sim::Host;

/// A guest of the first host has an address.
struct AHolder : Network {
  void hold() {
    ASSERT_TRUE(lease(*hosts[0], 1));
    world->run_for(20s);
    before = written();
  }
  const Node& node() const { return std::as_const(*hosts[0]).node(); }
  uint64_t written() const { return node().directory().counts().refreshes; }

  static constexpr uint64_t kRecords = 2;  ///< Of its address and of its MAC.
  uint64_t before = 0;                     ///< Written when it had it.
};

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
TEST_F(AHolder, WhoLosesSeveralNeighboursAtOnceWritesWhatItsGuestsHoldAgain) {
  start(12);
  hold();
  const auto near = node().ring().near();
  ASSERT_EQ(near.successors.size(), 3u);
  for (Host* host : hosts) {
    const bool is_next = host->id() == near.successors[0] || host->id() == near.successors[1];
    if (is_next) world->kill(*host);
  }
  world->run_for(40s);
  EXPECT_GE(written(), before + kRecords);
}

TEST_F(AHolder, WhoseNeighbourComesAndGoesDoesNotWriteWithoutEnd) {
  start(12);
  hold();
  const NodeId next = node().ring().near().successors[0];
  const auto host =
      std::find_if(hosts.begin(), hosts.end(), [&](const Host* one) { return one->id() == next; });
  for (int i = 0; i < 10; ++i) {
    world->kill(**host);
    world->run_for(8s);
    world->start(**host);
    world->run_for(4s);
  }
  EXPECT_GE(node().directory().replica().counts().mass_losses, 5u);
  EXPECT_LE(written(), before + kRecords * (1 + 120 / 30));
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

TEST_F(AHolder, WhatAHostGrantedAloneItWritesAgainWhenItMeetsTheOthers) {
  start(10);
  world->run_for(60s);
  split([](size_t i) { return i == 0; });
  world->run_for(60s);
  hold();
  world->internet().heal();
  world->run_for(20s);
  EXPECT_GE(written(), before + kRecords) << "long before the next refresh";
}

}  // namespace
}  // namespace ipop
