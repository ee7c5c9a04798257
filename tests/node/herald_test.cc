#include "overlay/node/herald.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "tests/support/circle.h"

namespace ipop {
namespace {

/// A ring of members whose nodes are no more than links, router, ring and herald.
struct HeraldTest : ::testing::Test {
  void form(size_t size) {
    circle = std::make_unique<test::Circle>(size, test::Circle::Kind::Rings);
    for (size_t i = 1; i < size; ++i) circle->link(i, 0);
    circle->advance(20s);
    for (size_t i = 0; i < size; ++i) {
      test::Place& place = (*circle)[i];
      EXPECT_TRUE(place.ring->is_joined());
      heralds.emplace_back(place.id(), circle->now, place.links, place.router, *place.ring, random);
    }
  }
  /// Until nothing is on its way any more, each takes what broadcasts come: how many that were.
  std::vector<size_t> spread() {
    std::vector<size_t> out(circle->size());
    for (bool busy = true; busy;) {
      busy = false;
      circle->settle();
      for (size_t i = 0; i < circle->size(); ++i) {
        for (const auto& [from, broadcast] : (*circle)[i].heard<wire::Broadcast>()) {
          out[i] += heralds[i].handle_broadcast(circle->now, broadcast);
          busy = true;
        }
        (*circle)[i].messages.clear();
      }
    }
    return out;
  }
  size_t announcements(size_t i) {
    const auto& delivered = (*circle)[i].delivered;
    return static_cast<size_t>(std::count_if(delivered.begin(), delivered.end(), [](const auto& one) {
      return std::holds_alternative<wire::Announcement>(one.message);
    }));
  }
  Binding guest(size_t i) {
    return {.ip = *Ipv4Address::parse("10.128.0.10"),
            .mac = {{0x52, 0x54, 0, 0, 0, 1}},
            .node = (*circle)[i].id(),
            .sequence = 1,
            .expires = circle->now + 1h,
            .name = {}};
  }
  static wire::RingMessage word() { return wire::Announcement{}; }

  std::unique_ptr<test::Circle> circle;
  SeededRandom random{1};
  std::deque<Herald> heralds;
};

TEST_F(HeraldTest, AWordToAllReachesEachOnce) {
  form(30);
  heralds[3].tell_all(circle->now, word());
  std::vector<size_t> once(30, 1);
  once[3] = 0;
  EXPECT_EQ(spread(), once);
}

TEST_F(HeraldTest, ABroadcastIsTakenOnceWhileOthersCome) {
  form(2);
  const NodeId& other = (*circle)[1].id();
  const auto broadcast = [&](uint64_t id) {
    return wire::Broadcast{.hops = 1, .id = id, .source = other, .bound = other, .body = {}};
  };
  EXPECT_TRUE(heralds[0].handle_broadcast(circle->now, broadcast(1)));
  for (uint64_t id = 2; id < 200; ++id) EXPECT_TRUE(heralds[0].handle_broadcast(circle->now, broadcast(id)));
  EXPECT_FALSE(heralds[0].handle_broadcast(circle->now, broadcast(1)));
  EXPECT_FALSE(heralds[0].handle_broadcast(circle->now, broadcast(199)));
}

TEST_F(HeraldTest, ABroadcastThatHasGoneTooFarEnds) {
  form(2);
  const NodeId& other = (*circle)[1].id();
  EXPECT_FALSE(heralds[0].handle_broadcast(
      circle->now, {.hops = wire::Routed::kMaxHops, .id = 1, .source = other, .bound = other, .body = {}}));
}

TEST_F(HeraldTest, InASmallRingAllAreToldAgainAndAgain) {
  form(3);
  EXPECT_TRUE(heralds[0].sees_whole_ring());
  EXPECT_EQ(heralds[0].linked_nodes().size(), 2u);
  for (size_t times = 1; times <= 3; ++times) {
    const Instant before = circle->now;
    circle->advance_to(heralds[0].next_timeout());
    EXPECT_LE(circle->now - before, kGossipInterval * 7 / 6);
    EXPECT_GE(circle->now - before, kGossipInterval * 5 / 6);
    heralds[0].handle_timeout(circle->now, {guest(0)});
    circle->settle();
    EXPECT_EQ(announcements(1), times);
    EXPECT_EQ(announcements(2), times);
  }
}

TEST_F(HeraldTest, InALargeRingAllHearOfTheFirstGuestSoon) {
  form(30);
  EXPECT_FALSE(heralds[0].sees_whole_ring());
  heralds[0].handle_guest(circle->now);
  const Instant due = heralds[0].next_timeout();
  EXPECT_LE(due - circle->now, 2 * 30 * kPresencePace / kPresenceBurst) << "its estimate of the ring's size";
  heralds[0].handle_guest(circle->now + 1ms);
  EXPECT_EQ(heralds[0].next_timeout(), due) << "one guest stands for all";

  circle->advance_to(due);
  heralds[0].handle_timeout(circle->now, {guest(0)});
  std::vector<size_t> once(30, 1);
  once[0] = 0;
  EXPECT_EQ(spread(), once);
  circle->advance_to(heralds[0].next_timeout());
  heralds[0].handle_timeout(circle->now, {guest(0)});
  EXPECT_EQ(spread(), std::vector<size_t>(30)) << "not again so soon";
}

TEST_F(HeraldTest, WhoHasHeardOfManyWaits) {
  form(30);
  for (int i = 0; i < kPresenceBurst; ++i) heralds[0].note_presence(circle->now);
  heralds[0].handle_guest(circle->now);
  circle->now = heralds[0].next_timeout();
  for (int i = 0; i < kPresenceBurst; ++i) heralds[0].note_presence(circle->now);
  heralds[0].handle_timeout(circle->now, {guest(0)});
  EXPECT_EQ(spread(), std::vector<size_t>(30));
  circle->advance_to(circle->now + kPresenceInterval);  // Nobody says anything: there is room again.
  heralds[0].handle_timeout(circle->now, {guest(0)});
  EXPECT_EQ(spread()[1], 1u);
}

}  // namespace
}  // namespace ipop
