// Guests that go to other hosts, or are said to; docs/addresses.md, "Moves".
#include "overlay/node/directory.h"

#include <gtest/gtest.h>

#include "tests/node/network.h"

namespace ipop {
namespace {

using node_testing::Network;
using sim::Host;

struct SplitNetwork : Network, testing::WithParamInterface<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, SplitNetwork, testing::Range<uint64_t>(1, 9));

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

}  // namespace
}  // namespace ipop
