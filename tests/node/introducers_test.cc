#include "overlay/node/introducers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/ring/testing.h"

namespace ipop {
namespace {

using ring_testing::at;

constexpr Instant kStart{100s};

Endpoint place(uint16_t port) { return Endpoint::from_ipv4({0xcb007107}, port); }

class IntroducersTest : public ::testing::Test {
 protected:
  std::vector<Endpoint> calls(Instant now, bool is_alone, std::vector<NodeId> linked = {}) {
    return introducers_.take_calls(now, is_alone, [&](const NodeId& node) {
      return std::find(linked.begin(), linked.end(), node) != linked.end();
    });
  }
  SeededRandom random_{1};
  Introducers introducers_{{place(1), place(2), place(3)}, kStart, random_};
};

TEST_F(IntroducersTest, AllAreCalledAtTheStart) {
  EXPECT_EQ(introducers_.next_timeout(true), kStart);
  EXPECT_EQ(calls(kStart, true), (std::vector{place(1), place(2), place(3)}));
  EXPECT_TRUE(calls(kStart, true).empty()) << "each call repeats itself meanwhile";
}

TEST_F(IntroducersTest, AllAreCalledAgainTenSecondsLaterWhileWeAreAlone) {
  calls(kStart, true);
  const Instant next = introducers_.next_timeout(true);
  EXPECT_GE(next, kStart + 10s * 5 / 6);  // Give or take a sixth.
  EXPECT_LE(next, kStart + 10s * 7 / 6);
  EXPECT_TRUE(calls(next - 1us, true).empty());
  EXPECT_EQ(calls(next, true).size(), 3u);
}

TEST_F(IntroducersTest, OneIsCalledEveryQuarterOfAnHourOtherwise) {
  calls(kStart, true);
  std::vector<Endpoint> called;
  Instant last = kStart;
  for (int i = 0; i < 30; ++i) {
    const Instant next = introducers_.next_timeout(false);
    EXPECT_GE(next, last + 900s * 5 / 6);
    EXPECT_LE(next, last + 900s * 7 / 6);
    EXPECT_TRUE(calls(next - 1us, false).empty());
    const auto now_called = calls(next, false);
    ASSERT_EQ(now_called.size(), 1u);
    called.push_back(now_called[0]);
    last = next;
  }
  for (const uint16_t port : std::vector<uint16_t>{1, 2, 3}) {
    EXPECT_NE(std::count(called.begin(), called.end(), place(port)), 0) << "each has its turn";
  }
}

TEST_F(IntroducersTest, WhoeverLosesItsLastLinkDoesNotWait) {
  calls(kStart, true);
  EXPECT_TRUE(calls(kStart + 1s, true).empty());
  introducers_.hurry(kStart + 1s);
  EXPECT_LE(introducers_.next_timeout(true), kStart + 1s);
  EXPECT_EQ(calls(kStart + 1s, true).size(), 3u);
}

TEST_F(IntroducersTest, ALinkedOneIsNotCalled) {
  calls(kStart, true);
  introducers_.handle_answered(place(2), at(7));
  introducers_.handle_answered(place(9), at(8));  // A call of somebody else's: no introducer lives there.
  EXPECT_EQ(calls(introducers_.next_timeout(true), true, {at(7), at(8)}), (std::vector{place(1), place(3)}));
  EXPECT_EQ(calls(introducers_.next_timeout(true), true), (std::vector{place(1), place(2), place(3)}))
      << "it is again once its link has ended";
}

TEST_F(IntroducersTest, WhenAllAreLinkedThereIsNothingToDo) {
  calls(kStart, true);
  for (const uint16_t port : std::vector<uint16_t>{1, 2, 3})
    introducers_.handle_answered(place(port), at(port));
  const Instant next = introducers_.next_timeout(false);
  EXPECT_TRUE(calls(next, false, {at(1), at(2), at(3)}).empty());
  EXPECT_GT(introducers_.next_timeout(false), next) << "until the next turn, or we would be asked for ever";
}

TEST_F(IntroducersTest, ANewProcessThereHasAnotherName) {
  introducers_.handle_answered(place(1), at(7));
  introducers_.handle_answered(place(1), at(8));
  EXPECT_EQ(calls(kStart, true, {at(7)}).size(), 3u) << "who answered last counts";
}

TEST_F(IntroducersTest, OurOwnEndpointIsLeftAloneForFiveMinutes) {
  introducers_.handle_self(kStart, place(1));
  EXPECT_EQ(calls(kStart, true), (std::vector{place(2), place(3)}));
  introducers_.hurry(kStart + 300s - 1us);
  EXPECT_EQ(calls(kStart + 300s - 1us, true), (std::vector{place(2), place(3)}));
  introducers_.hurry(kStart + 300s);
  EXPECT_EQ(calls(kStart + 300s, true).size(), 3u) << "addresses move";
}

TEST(Introducers, OfNobodyNeverWake) {
  SeededRandom random(1);
  Introducers none({}, kStart, random);
  EXPECT_EQ(none.next_timeout(true), kNever);
  EXPECT_EQ(none.next_timeout(false), kNever);
  EXPECT_TRUE(none.take_calls(kStart, true, [](const NodeId&) { return false; }).empty());
  none.hurry(kStart);
  EXPECT_EQ(none.next_timeout(true), kNever);
}

}  // namespace
}  // namespace ipop
