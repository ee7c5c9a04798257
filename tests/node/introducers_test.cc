#include "overlay/node/introducers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/ring/testing.h"

namespace ipop {
namespace {

using ring_testing::at;
using Company = Introducers::Company;

constexpr Instant kStart{100s};

Endpoint place(uint16_t port) { return Endpoint::from_ipv4({0xcb007107}, port); }

class IntroducersTest : public ::testing::Test {
 protected:
  std::optional<Endpoint> call(Instant now, bool is_alone, std::vector<NodeId> linked = {}) {
    return introducers_.take_call(now, is_alone ? Company::Nobody : Company::Many, [&](const NodeId& node) {
      return std::find(linked.begin(), linked.end(), node) != linked.end();
    });
  }
  /// Who is called from `now` on until a second has passed in which nobody is, in order of port.
  std::vector<Endpoint> round(Instant now, std::vector<NodeId> linked = {}) {
    std::vector<Endpoint> out;
    for (Instant next = now; next < now + 1s;
         next = std::max(next, introducers_.next_timeout(Company::Nobody))) {
      const auto called = call(next, true, linked);
      if (!called) break;
      out.push_back(*called);
      now = next;
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  SeededRandom random_{1};
  Introducers introducers_{{place(1), place(2), place(3)}, kStart, random_};
};

TEST_F(IntroducersTest, OneAfterTheOtherIsCalledUntilOneAnswers) {
  EXPECT_EQ(introducers_.next_timeout(Company::Nobody), kStart);
  std::vector<Endpoint> called;
  for (const Duration after : {0ms, 80ms, 160ms}) {
    EXPECT_EQ(introducers_.next_timeout(Company::Nobody), kStart + after);
    EXPECT_EQ(call(kStart + after - 1us, true), std::nullopt);
    called.push_back(call(kStart + after, true).value());
  }
  std::sort(called.begin(), called.end());
  EXPECT_EQ(called, (std::vector{place(1), place(2), place(3)})) << "each once";
  EXPECT_EQ(call(kStart + 240ms, true), std::nullopt) << "each call repeats itself meanwhile";
}

TEST_F(IntroducersTest, WhoeverHasAnAnswerCallsNoOther) {
  call(kStart, true);
  EXPECT_EQ(call(kStart + 80ms, false), std::nullopt);
}

TEST_F(IntroducersTest, AllAreCalledAgainTenSecondsLaterWhileWeAreAlone) {
  round(kStart);
  const Instant next = introducers_.next_timeout(Company::Nobody);
  EXPECT_GE(next, kStart + 10s * 5 / 6);  // Give or take a sixth.
  EXPECT_LE(next, kStart + 160ms + 10s * 7 / 6);
  EXPECT_EQ(call(next - 1us, true), std::nullopt);
  EXPECT_EQ(round(next), (std::vector{place(1), place(2), place(3)}));
}

TEST_F(IntroducersTest, AnyIsTheFirst) {
  std::vector<Endpoint> first;
  for (int i = 0; i < 30; ++i) {
    introducers_.hurry(kStart);
    first.push_back(call(kStart, true).value());
  }
  for (const uint16_t port : std::vector<uint16_t>{1, 2, 3}) {
    EXPECT_NE(std::count(first.begin(), first.end(), place(port)), 0) << "or one of them had all the work";
  }
}

TEST_F(IntroducersTest, WhoSeesAWholeRingCallsEachThatIsNotInItOnce) {
  Instant now = kStart;
  const auto first = call(now, true).value();
  introducers_.handle_answered(first, at(7));
  const auto is_linked = [](const NodeId& node) { return node == at(7); };
  std::vector<Endpoint> called;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(introducers_.next_timeout(Company::Few), now + 1s);
    now += 1s;
    EXPECT_EQ(introducers_.take_call(now - 1us, Company::Few, is_linked), std::nullopt);
    called.push_back(introducers_.take_call(now, Company::Few, is_linked).value());
  }
  EXPECT_NE(called[0], called[1]);
  EXPECT_EQ(std::count(called.begin(), called.end(), first), 0);
  EXPECT_EQ(introducers_.take_call(now + 1s, Company::Few, is_linked), std::nullopt);
  EXPECT_GT(introducers_.next_timeout(Company::Few), now + 100s) << "and then as everybody";
}

TEST_F(IntroducersTest, OneIsCalledSoonOnceWeAreMembersAndThenEveryQuarterOfAnHour) {
  EXPECT_GE(introducers_.next_timeout(Company::Many), kStart + 150s * 5 / 6);
  EXPECT_LE(introducers_.next_timeout(Company::Many), kStart + 150s * 7 / 6);
  Instant last = introducers_.next_timeout(Company::Many);
  std::vector<Endpoint> called = {call(last, false).value()};
  for (int i = 0; i < 30; ++i) {
    const Instant next = introducers_.next_timeout(Company::Many);
    EXPECT_GE(next, last + 900s * 5 / 6);
    EXPECT_LE(next, last + 900s * 7 / 6);
    EXPECT_EQ(call(next - 1us, false), std::nullopt);
    called.push_back(call(next, false).value());
    last = next;
  }
  for (const uint16_t port : std::vector<uint16_t>{1, 2, 3}) {
    EXPECT_NE(std::count(called.begin(), called.end(), place(port)), 0) << "each has its turn";
  }
}

TEST_F(IntroducersTest, WhoeverLosesItsLastLinkDoesNotWait) {
  round(kStart);
  EXPECT_EQ(call(kStart + 1s, true), std::nullopt);
  introducers_.hurry(kStart + 1s);
  EXPECT_LE(introducers_.next_timeout(Company::Nobody), kStart + 1s);
  EXPECT_EQ(round(kStart + 1s).size(), 3u);
}

TEST_F(IntroducersTest, ALinkedOneIsNotCalled) {
  round(kStart);
  introducers_.handle_answered(place(2), at(7));
  introducers_.handle_answered(place(9), at(8));  // A call of somebody else's: no introducer lives there.
  EXPECT_EQ(round(introducers_.next_timeout(Company::Nobody), {at(7), at(8)}),
            (std::vector{place(1), place(3)}));
  EXPECT_EQ(round(introducers_.next_timeout(Company::Nobody)), (std::vector{place(1), place(2), place(3)}))
      << "it is again once its link has ended";
}

TEST_F(IntroducersTest, WhenAllAreLinkedThereIsNothingToDo) {
  for (const uint16_t port : std::vector<uint16_t>{1, 2, 3})
    introducers_.handle_answered(place(port), at(port));
  const Instant next = introducers_.next_timeout(Company::Many);
  EXPECT_EQ(call(next, false, {at(1), at(2), at(3)}), std::nullopt);
  EXPECT_GT(introducers_.next_timeout(Company::Many), next)
      << "until the next turn, or we would be asked for ever";
}

TEST_F(IntroducersTest, ANewProcessThereHasAnotherName) {
  introducers_.handle_answered(place(1), at(7));
  introducers_.handle_answered(place(1), at(8));
  EXPECT_EQ(round(kStart, {at(7)}).size(), 3u) << "who answered last counts";
}

TEST_F(IntroducersTest, OurOwnEndpointIsLeftAloneForFiveMinutes) {
  introducers_.handle_self(kStart, place(1));
  EXPECT_EQ(round(kStart), (std::vector{place(2), place(3)}));
  introducers_.hurry(kStart + 299s);
  EXPECT_EQ(round(kStart + 299s), (std::vector{place(2), place(3)}));
  introducers_.hurry(kStart + 300s);
  EXPECT_EQ(round(kStart + 300s).size(), 3u) << "addresses move";
}

TEST_F(IntroducersTest, KnowWhetherWeAreOneOfThem) {
  EXPECT_FALSE(introducers_.are_we());
  introducers_.handle_here(place(9));
  EXPECT_FALSE(introducers_.are_we());
  introducers_.handle_here(place(2));
  EXPECT_TRUE(introducers_.are_we());
}

TEST(Introducers, OfNobodyNeverWake) {
  SeededRandom random(1);
  Introducers none({}, kStart, random);
  EXPECT_EQ(none.next_timeout(Company::Nobody), kNever);
  EXPECT_EQ(none.next_timeout(Company::Many), kNever);
  EXPECT_EQ(none.take_call(kStart, Company::Nobody, [](const NodeId&) { return false; }), std::nullopt);
  none.hurry(kStart);
  EXPECT_EQ(none.next_timeout(Company::Nobody), kNever);
}

}  // namespace
}  // namespace ipop
