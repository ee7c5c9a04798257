#include "overlay/dht/lookup.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ipop {
namespace {

NodeId node(uint8_t number) {
  NodeId out;
  out.bytes[0] = number;
  return out;
}
wire::Query query(uint64_t id) {
  return {.id = id,
          .kind = wire::Query::Kind::Ip,
          .ip = Ipv4Address{0x0a800102},
          .mac = {},
          .claimant = {},
          .asker = {}};
}
wire::Answer not_i(uint64_t id) { return {.id = id, .binding = std::nullopt}; }
wire::Answer held(uint64_t id, NodeId holder) {
  return {.id = id,
          .binding = wire::BindingRecord{.ip = Ipv4Address{0x0a800102},
                                         .mac = {{2}},
                                         .node = holder,
                                         .sequence = 1,
                                         .lifetime_s = 60,
                                         .name = "vm1"}};
}

constexpr Instant kStart{100s};

/// A node that has been up for long: no special patience.
class LookupTest : public ::testing::Test {
 protected:
  std::vector<NodeId> asked() {
    std::vector<NodeId> out;
    while (const auto question = lookup_.poll_question()) {
      EXPECT_TRUE(question->to);
      out.push_back(question->to.value_or(NodeId{}));
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  Lookup lookup_{kStart - 1000s};
};

TEST_F(LookupTest, AsksEveryMember) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {node(2), node(3)}));
  EXPECT_LE(lookup_.next_timeout(), kStart);
  const auto question = lookup_.poll_question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->query, query(1));
  EXPECT_EQ(asked(), (std::vector{node(3)}));
  EXPECT_EQ(lookup_.next_timeout(), kStart + 250ms);
}

TEST_F(LookupTest, EndsWithTheFirstHolder) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {node(2), node(3), node(4)}));
  lookup_.handle_answer(node(2), not_i(1));
  EXPECT_FALSE(lookup_.poll_outcome());
  lookup_.handle_answer(node(3), held(1, node(3)));
  const auto outcome = lookup_.poll_outcome();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->query, query(1));
  ASSERT_TRUE(outcome->holder);
  EXPECT_EQ(outcome->holder->node, node(3));
  lookup_.handle_answer(node(4), held(1, node(4)));
  EXPECT_FALSE(lookup_.poll_outcome()) << "one outcome a query";
}

/// The claimant itself may have been there before.
TEST_F(LookupTest, AClaimEndsWithTheFirstOtherHolder) {
  for (const bool is_anothers : {true, false}) {
    Lookup lookup(kStart - 1000s);
    wire::Query claim = query(1);
    claim.claimant = MacAddress{{2}};
    ASSERT_TRUE(lookup.start(kStart, claim, {node(2), node(3)}));
    lookup.handle_answer(node(2), held(1, node(2)));
    EXPECT_FALSE(lookup.poll_outcome());
    wire::Answer other = held(1, node(3));
    other.binding->mac = {{4}};
    lookup.handle_answer(node(3), is_anothers ? other : not_i(1));
    const auto outcome = lookup.poll_outcome();
    ASSERT_TRUE(outcome && outcome->holder);
    EXPECT_EQ(outcome->holder->node, node(is_anothers ? 3 : 2));
  }
}

TEST_F(LookupTest, AnothersReservationCountsMoreThanTheClaimantsFormerHost) {
  wire::Query claim = query(1);
  claim.claimant = MacAddress{{2}};
  ASSERT_TRUE(lookup_.start(kStart, claim, {node(2), node(3)}));
  lookup_.handle_answer(node(2), held(1, node(2)));
  wire::Answer reserved = held(1, node(3));
  reserved.binding->mac = {{4}};
  reserved.binding->sequence = 0;
  lookup_.handle_answer(node(3), reserved);
  const auto outcome = lookup_.poll_outcome();
  ASSERT_TRUE(outcome && outcome->holder);
  EXPECT_EQ(outcome->holder->mac, reserved.binding->mac);
}

TEST_F(LookupTest, EndsWithNobodyWhenAllSaidSo) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {node(2), node(3)}));
  lookup_.handle_answer(node(2), not_i(1));
  lookup_.handle_answer(node(2), not_i(1));  // Counts once.
  EXPECT_FALSE(lookup_.poll_outcome());
  lookup_.handle_answer(node(3), not_i(1));
  const auto outcome = lookup_.poll_outcome();
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->holder);
  EXPECT_EQ((asked(), lookup_.next_timeout()), kNever);
}

TEST_F(LookupTest, HearsOnlyWhomItAsked) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {node(2)}));
  lookup_.handle_answer(node(9), held(1, node(9)));
  lookup_.handle_answer(node(2), held(77, node(2)));
  EXPECT_FALSE(lookup_.poll_outcome());
}

TEST_F(LookupTest, AsksTheSilentAgain) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {node(2), node(3)}));
  asked();
  lookup_.handle_answer(node(2), not_i(1));
  for (const Duration at : {250ms, 500ms, 750ms}) {
    EXPECT_EQ(lookup_.next_timeout(), kStart + at);
    lookup_.handle_timeout(kStart + at);
    EXPECT_EQ(asked(), (std::vector{node(3)}));
  }
  lookup_.handle_timeout(kStart + 1s);
  EXPECT_TRUE(asked().empty());
  const auto outcome = lookup_.poll_outcome();
  ASSERT_TRUE(outcome) << "silence for a second counts as a no";
  EXPECT_FALSE(outcome->holder);
}

TEST_F(LookupTest, DoesNotWaitForWhoLeft) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {node(2), node(3)}));
  lookup_.handle_answer(node(2), not_i(1));
  lookup_.handle_disconnected(node(3));
  EXPECT_TRUE(lookup_.poll_outcome());
}

TEST_F(LookupTest, AsksWhoComesLater) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {node(2)}));
  asked();
  lookup_.handle_connected(node(3));
  EXPECT_EQ(asked(), (std::vector{node(3)}));
  lookup_.handle_answer(node(2), not_i(1));
  EXPECT_FALSE(lookup_.poll_outcome());
  lookup_.handle_answer(node(3), held(1, node(3)));
  EXPECT_TRUE(lookup_.poll_outcome()->holder);
}

TEST_F(LookupTest, WithNobodyToAskEndsAtTheNextVisit) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {}));
  EXPECT_LE(lookup_.next_timeout(), kStart);
  lookup_.handle_timeout(kStart);
  const auto outcome = lookup_.poll_outcome();
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->holder);
}

TEST_F(LookupTest, KeepsQueriesApart) {
  ASSERT_TRUE(lookup_.start(kStart, query(1), {node(2)}));
  ASSERT_TRUE(lookup_.start(kStart, query(2), {node(2)}));
  lookup_.handle_answer(node(2), not_i(2));
  EXPECT_EQ(lookup_.poll_outcome()->query.id, 2u);
  EXPECT_FALSE(lookup_.poll_outcome());
  EXPECT_EQ(lookup_.start(kStart, query(1), {node(2)}).error(), Error::Conflict);
}

TEST_F(LookupTest, HasABound) {
  for (uint64_t id = 0; id < kMaxLookups; ++id) ASSERT_TRUE(lookup_.start(kStart, query(id), {node(2)}));
  EXPECT_EQ(lookup_.start(kStart, query(5000), {node(2)}).error(), Error::Full);
  lookup_.handle_timeout(kStart + 1s);
  size_t ended = 0;
  while (lookup_.poll_outcome()) ++ended;
  EXPECT_EQ(ended, kMaxLookups);
  EXPECT_TRUE(lookup_.start(kStart, query(5000), {node(2)}));
}

/// A ring that is too large to know: the question goes to everybody, and only a holder answers.
class LookupForAllTest : public LookupTest {
 protected:
  /// How many times everybody is asked now.
  size_t broadcasts() {
    size_t n = 0;
    while (const auto question = lookup_.poll_question()) {
      EXPECT_FALSE(question->to);
      EXPECT_EQ(question->query, query(1));
      ++n;
    }
    return n;
  }
};

TEST_F(LookupForAllTest, AsksEverybodyAtOnceAndAgainMoreRarely) {
  ASSERT_TRUE(lookup_.start_for_all(kStart, query(1)));
  EXPECT_EQ(broadcasts(), 1u);
  EXPECT_EQ(lookup_.next_timeout(), kStart + 250ms);
  lookup_.handle_timeout(kStart + 250ms);
  EXPECT_EQ(broadcasts(), 1u) << "one that was lost";
  EXPECT_EQ(lookup_.next_timeout(), kStart + 750ms) << "each costs the whole ring a message";
  lookup_.handle_timeout(kStart + 750ms);
  EXPECT_EQ(broadcasts(), 1u);
  EXPECT_EQ(lookup_.next_timeout(), kStart + 1s);
}

TEST_F(LookupForAllTest, EndsWithTheFirstHolder) {
  ASSERT_TRUE(lookup_.start_for_all(kStart, query(1)));
  lookup_.handle_answer(node(9), held(1, node(9)));
  const auto outcome = lookup_.poll_outcome();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->holder->node, node(9));
  EXPECT_EQ((broadcasts(), lookup_.next_timeout()), kNever);
}

TEST_F(LookupForAllTest, TakesSilenceOfASecondForANo) {
  ASSERT_TRUE(lookup_.start_for_all(kStart, query(1)));
  lookup_.handle_answer(node(2), not_i(1));
  lookup_.handle_disconnected(node(2));
  EXPECT_FALSE(lookup_.poll_outcome()) << "one says nothing for the others";
  lookup_.handle_timeout(kStart + 1s - 1us);
  EXPECT_FALSE(lookup_.poll_outcome());
  lookup_.handle_timeout(kStart + 1s);
  const auto outcome = lookup_.poll_outcome();
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->holder);
}

TEST_F(LookupForAllTest, KeepsAReservationUntilTheEnd) {
  ASSERT_TRUE(lookup_.start_for_all(kStart, query(1)));
  auto reservation = held(1, node(2));
  reservation.binding->sequence = 0;
  lookup_.handle_answer(node(2), reservation);
  EXPECT_FALSE(lookup_.poll_outcome()) << "a holder may be further away";
  lookup_.handle_timeout(kStart + 1s);
  EXPECT_EQ(lookup_.poll_outcome()->holder->node, node(2));
}

TEST_F(LookupForAllTest, DoesNotAskANewcomerTwice) {
  ASSERT_TRUE(lookup_.start_for_all(kStart, query(1)));
  EXPECT_EQ(broadcasts(), 1u);
  lookup_.handle_connected(node(3));
  EXPECT_EQ(broadcasts(), 0u) << "the next broadcast reaches it";
}

TEST_F(LookupForAllTest, HasTheSameBounds) {
  ASSERT_TRUE(lookup_.start_for_all(kStart, query(1)));
  EXPECT_EQ(lookup_.start_for_all(kStart, query(1)).error(), Error::Conflict);
  for (uint64_t id = 2; id <= kMaxLookups; ++id) ASSERT_TRUE(lookup_.start_for_all(kStart, query(id)));
  EXPECT_EQ(lookup_.start_for_all(kStart, query(5000)).error(), Error::Full);
}

TEST(LookupAtStart, AsksAllForThreeSeconds) {
  Lookup lookup(kStart);
  ASSERT_TRUE(lookup.start_for_all(kStart + 100ms, query(1)));
  lookup.handle_timeout(kStart + 3s - 1us);
  EXPECT_FALSE(lookup.poll_outcome());
  lookup.handle_timeout(kStart + 3s);
  EXPECT_TRUE(lookup.poll_outcome());
}

// A node that has just started knows nobody: an address that nobody claims may still be held.
TEST(LookupAtStart, WaitsForMembersBeforeItCallsAnAddressFree) {
  Lookup lookup(kStart);
  ASSERT_TRUE(lookup.start(kStart + 100ms, query(1), {}));
  lookup.handle_timeout(kStart + 2s);
  EXPECT_FALSE(lookup.poll_outcome());
  lookup.handle_connected(node(2));
  EXPECT_EQ(lookup.poll_question()->to, node(2));
  lookup.handle_answer(node(2), not_i(1));
  EXPECT_FALSE(lookup.poll_outcome()) << "the next member may be the holder";
  lookup.handle_timeout(kStart + 3s - 1us);
  EXPECT_FALSE(lookup.poll_outcome());
  lookup.handle_timeout(kStart + 3s);
  EXPECT_TRUE(lookup.poll_outcome());
}

TEST(LookupAtStart, EndsEarlyWithAHolder) {
  Lookup lookup(kStart);
  ASSERT_TRUE(lookup.start(kStart + 100ms, query(1), {}));
  lookup.handle_connected(node(2));
  lookup.handle_answer(node(2), held(1, node(2)));
  EXPECT_TRUE(lookup.poll_outcome()->holder);
}

TEST(LookupAtStart, LaterAHostThatIsAloneWaitsForNobody) {
  Lookup lookup(kStart);
  ASSERT_TRUE(lookup.start(kStart + 3s, query(1), {}));
  lookup.handle_timeout(kStart + 3s);
  EXPECT_TRUE(lookup.poll_outcome());
}

TEST(LookupHints, AReservationGivesWayToAHolder) {
  Lookup lookup(kStart - 1000s);
  ASSERT_TRUE(lookup.start(kStart, query(1), {node(2), node(3)}));
  auto reservation = held(1, node(2));
  reservation.binding->sequence = 0;
  lookup.handle_answer(node(2), reservation);
  EXPECT_FALSE(lookup.poll_outcome()) << "the other may know for certain";
  lookup.handle_answer(node(3), held(1, node(3)));
  EXPECT_EQ(lookup.poll_outcome()->holder->node, node(3));
}

TEST(LookupHints, AReservationAloneIsAnAnswer) {
  Lookup lookup(kStart - 1000s);
  ASSERT_TRUE(lookup.start(kStart, query(1), {node(2), node(3)}));
  auto reservation = held(1, node(2));
  reservation.binding->sequence = 0;
  lookup.handle_answer(node(2), reservation);
  lookup.handle_answer(node(3), not_i(1));
  EXPECT_EQ(lookup.poll_outcome()->holder->node, node(2));
}

}  // namespace
}  // namespace ipop
