// Whom the members of a ring come to know, and what becomes of a few that are cut off from the others.
#include <gtest/gtest.h>

#include "tests/ring/lone_node.h"
#include "tests/ring/testing.h"

namespace ipop {
namespace {

using SearchTest = test::LoneNode;

TEST_F(SearchTest, WhoStartsAndKnowsNobodyHasNobodyToLookFor) { EXPECT_FALSE(alone_.ring->is_searching()); }

TEST_F(SearchTest, WhoStartsCallsThosePeersThatItRemembersFirst) {
  for (uint8_t i = 1; i <= kMaxCalls + 4; ++i)
    alone_.ring->handle_known_peer(now_, {.node = stranger(i), .endpoint = place_of(i)});
  std::set<Endpoint> called;
  while (alone_.ring->is_searching()) {
    for (const auto& [endpoint, times] : calls_until(now_ + 100ms)) called.insert(endpoint);
  }
  EXPECT_EQ(called.size(), kMaxCalls + 4);
}

/// Two neighbours, a third that was lost before, and twenty that a peer spoke of.
struct BereavedTest : SearchTest {
  void SetUp() override {
    for (uint8_t i = 1; i <= 3; ++i)
      alone_.ring->handle_connected(now_, {.node = stranger(i), .path = place_of(i)});
    alone_.pump(now_);
    lose(3);
    calls_until(now_ + 1min);
    wire::Members named;
    for (uint8_t i = 11; i <= 30; ++i)
      named.members.push_back({.node = stranger(i), .endpoint = place_of(i)});
    alone_.ring->handle_members(now_, stranger(1), named);
  }
  void lose(uint8_t i) {
    alone_.ring->handle_disconnected(now_,
                                     {.node = stranger(i), .path = place_of(i), .end = Links::End::Dead});
  }
};

TEST_F(BereavedTest, WhoLosesItsNeighboursCallsAllThatItKnows) {
  calls_until(now_ + 30s);
  for (uint8_t i = 11; i <= 30; ++i) {
    alone_.ring->handle_heard_of(now_, {.node = stranger(i), .endpoint = place_of(i)});
  }
  ASSERT_FALSE(alone_.ring->is_searching());
  lose(1);
  lose(2);
  ASSERT_TRUE(alone_.ring->is_searching());
  const Instant started = now_;
  std::set<Endpoint> called;
  while (alone_.ring->is_searching()) {
    for (const auto& [endpoint, times] : calls_until(now_ + 100ms)) called.insert(endpoint);
  }
  EXPECT_LT(now_ - started, kLongestSearch) << "nobody answers, and then there is nobody left to call";
  for (uint8_t i = 1; i <= 3; ++i) EXPECT_TRUE(called.contains(place_of(i))) << int{i};
  for (uint8_t i = 11; i <= 30; ++i) EXPECT_TRUE(called.contains(place_of(i))) << int{i};
}

TEST_F(BereavedTest, ASearchEndsHoweverManyMoreAreSpokenOf) {
  lose(1);
  lose(2);
  const Instant started = now_;
  for (uint8_t i = 31; alone_.ring->is_searching() && now_ - started < 1min; ++i) {
    alone_.ring->handle_heard_of(now_, {.node = stranger(i), .endpoint = place_of(i)});
    calls_until(now_ + 500ms);
  }
  EXPECT_LE(now_ - started, 2 * kLongestSearch + 500ms);
}

TEST_F(SearchTest, SamplesAreHeardAsOftenAsTheyComeFromAFewHundredNodes) {
  calls_until(now_ + 1min);
  const auto size = [&] { return alone_.ring->contacts().all().size(); };
  for (uint8_t i = 0; i < 100; ++i) {
    alone_.ring->handle_sample(now_, {.members = {{.node = stranger(i), .endpoint = place_of(i)}}});
  }
  EXPECT_EQ(size(), 10u);
}

/// A ring whose members have had ten minutes to get to know each other.
struct SamplesTest : ::testing::Test {
  void SetUp() override {
    for (size_t i = 1; i < circle.size(); ++i) {
      circle[i].links.call(circle.now, {.path = circle[0].endpoint, .node = {}}, 10s);
      circle.advance(300ms);
    }
    circle.advance(10min);
  }
  const Contacts& known(size_t i) { return circle[i].ring->contacts(); }

  test::Circle circle{40, test::Circle::Kind::Rings};
};

TEST_F(SamplesTest, MembersOfASmallRingKnowMostOfIt) {
  size_t all = 0;
  for (size_t i = 0; i < circle.size(); ++i) {
    all += known(i).all().size();
    EXPECT_GE(known(i).all().size(), circle.size() / 2) << "far more than six neighbours and theirs";
  }
  EXPECT_GT(all, circle.size() * circle.size() * 3 / 4) << all;
}

TEST_F(SamplesTest, TwoThatAreCutOffAndOnlyHeardOfEachOtherFindEachOther) {
  const auto is_far = [&](size_t a, size_t b) {
    return known(a).find(circle[b].id()) != nullptr && !circle[a].is_linked(circle[b]);
  };
  size_t one = 0;
  while (one < 20 && !is_far(one, one + 20)) ++one;
  ASSERT_LT(one, 20u) << "of nodes opposite each other none has heard of the other one";
  const size_t other = one + 20;
  const auto is_cut_off = [&](size_t i) { return i == one || i == other; };
  circle.loses = [&](size_t from, size_t to) { return is_cut_off(from) != is_cut_off(to); };
  EXPECT_TRUE(circle.advance_until([&] { return circle[one].is_linked(circle[other]); }, 20s));
}

}  // namespace
}  // namespace ipop
