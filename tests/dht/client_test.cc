// What a claimant and an asker are told, in small and larger rings, with dead, silent and lying replicas.
#include "overlay/dht/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dht/testing.h"

namespace ipop {
namespace {

using namespace test;
using Kind = Client::Outcome::Kind;
using State = wire::DhtRecord::State;

const wire::DhtAddress kAddress{.kind = wire::DhtAddress::Kind::Ip, .ip = kIp, .mac = {}};

struct InARingOf : ::testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, InARingOf, ::testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 20));

TEST_P(InARingOf, WhatIsClaimedIsFoundByEverybody) {
  DhtRing ring(GetParam());
  const auto claimed = ring.claim(ring.node(0), kIp, kMacA);
  ASSERT_EQ(claimed.kind, Kind::Accepted);
  EXPECT_EQ(ring.holders(kAddress).size(), std::min<size_t>(GetParam(), 5));
  for (size_t i = 0; i < ring.size(); ++i) {
    const auto found = ring.get(ring.node(i), kAddress);
    ASSERT_EQ(found.kind, Kind::Found) << "node " << i;
    EXPECT_EQ(found.record->mac, kMacA);
  }
}

TEST_P(InARingOf, ASecondGuestDoesNotGetTheAddress) {
  DhtRing ring(GetParam());
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  const auto second = ring.claim(ring.node(GetParam() - 1), kIp, kMacB, 9);
  EXPECT_EQ(second.kind, Kind::Held);
  EXPECT_EQ(second.record->mac, kMacA);
}

TEST_P(InARingOf, TheSameGuestGetsItOnAnotherHost) {
  DhtRing ring(GetParam());
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA, 5).kind, Kind::Accepted);
  const auto moved = ring.claim(ring.node(GetParam() - 1), kIp, kMacA);
  ASSERT_EQ(moved.kind, Kind::Accepted);
  EXPECT_GT(moved.record->sequence, 5u) << "it outbids what there is";
}

TEST_P(InARingOf, NothingIsKnownOfWhatNobodyClaimed) {
  DhtRing ring(GetParam());
  EXPECT_EQ(ring.get(ring.node(0), kAddress).kind, Kind::Nothing);
}

TEST_P(InARingOf, WhatIsWithdrawnIsFreeForOthers) {
  DhtRing ring(GetParam());
  const auto held = ring.claim(ring.node(0), kIp, kMacA, 3);
  ASSERT_EQ(ring.put(ring.node(0), kIp, kMacA, held.record->sequence + 1, State::Withdrawn).kind,
            Kind::Accepted);
  EXPECT_EQ(ring.get(ring.node(0), kAddress).kind, Kind::Nothing);
  const auto next = ring.claim(ring.node(GetParam() - 1), kIp, kMacB);
  ASSERT_EQ(next.kind, Kind::Accepted);
  EXPECT_GT(next.record->sequence, held.record->sequence + 1) << "an older copy of A's record cannot beat it";
}

TEST_P(InARingOf, WhatIsNotRefreshedIsFreeAfterItsLease) {
  DhtRing ring(GetParam());
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  ring.advance(1h + 4min);
  EXPECT_EQ(ring.claim(ring.node(0), kIp, kMacB).kind, Kind::Held);
  ring.advance(2min);
  EXPECT_TRUE(ring.holders(kAddress).empty());
  EXPECT_EQ(ring.claim(ring.node(0), kIp, kMacB).kind, Kind::Accepted);
}

TEST_P(InARingOf, ASurveyHasTheWordOfEachReplica) {
  DhtRing ring(GetParam());
  const size_t replicas = std::min<size_t>(GetParam(), 5);
  const auto survey = [&] {
    DhtNode& asker = ring.node(GetParam() - 1);
    return ring.run([&](uint64_t id) { return asker.client.survey(ring.now, id, kAddress); }, asker);
  };
  auto outcome = survey();
  EXPECT_EQ(outcome.kind, Kind::Surveyed);
  EXPECT_EQ(outcome.votes.size(), replicas);
  for (const auto& [node, vote] : outcome.votes) EXPECT_EQ(vote.verdict, wire::DhtReply::Verdict::Nothing);
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  outcome = survey();
  EXPECT_EQ(outcome.votes.size(), replicas);
  for (const auto& [node, vote] : outcome.votes) {
    EXPECT_EQ(vote.verdict, wire::DhtReply::Verdict::Held);
    EXPECT_EQ(vote.record->mac, kMacA);
  }
}

TEST(Survey, IsWithoutThoseThatStaySilent) {
  DhtRing ring(8);
  DhtNode& silent = *ring.by_distance(kAddress)[2];
  DhtNode& asker = *ring.by_distance(kAddress)[7];
  ring.passes = [&](DhtNode& from, DhtNode&, wire::RingMessage&) { return &from != &silent; };
  const auto outcome =
      ring.run([&](uint64_t id) { return asker.client.survey(ring.now, id, kAddress); }, asker);
  EXPECT_EQ(outcome.kind, Kind::Surveyed);
  EXPECT_EQ(outcome.votes.size(), 4u);
  EXPECT_FALSE(outcome.votes.contains(silent.id()));
}

// It may be out of date, or lie.  To claim an address it is reason enough not to.
TEST(Put, OneRefusalAmongSilentReplicasIsNoReasonToGiveUp) {
  DhtRing ring(8);
  DhtNode& asker = *ring.by_distance(kAddress)[7];
  DhtNode& other = *ring.by_distance(kAddress)[6];
  const auto claimed = ring.claim(asker, kIp, kMacA);
  ASSERT_EQ(claimed.kind, Kind::Accepted);
  auto replicas = ring.holders(kAddress);
  ASSERT_EQ(replicas.size(), 5u);
  ring.passes = [&](DhtNode& from, DhtNode& to, wire::RingMessage&) {
    return &from != replicas[0] && &to != replicas[0];
  };
  auto better = ip_record(kIp, kMacB, ring.wall(), State::Bound, 9);
  other.notary.sign(ring.wall(), better);
  ASSERT_TRUE(replicas[1]->replica.handle_notice(ring.now, ring.wall(), other.id(), true, better));
  EXPECT_EQ(ring.put(asker, kIp, kMacA, claimed.record->sequence).kind, Kind::Failed);
  EXPECT_EQ(ring.claim(asker, kIp, kMacA, claimed.record->sequence + 1).kind, Kind::Held);
  ASSERT_TRUE(replicas[2]->replica.handle_notice(ring.now, ring.wall(), other.id(), true, better));
  EXPECT_EQ(ring.put(asker, kIp, kMacA, claimed.record->sequence).kind, Kind::Held) << "two are a reason";
}

TEST(Claim, OfTwoAtOnceNotBothSucceed) {
  for (int lost = 0; lost < 32; ++lost) {  // Each subset of first messages of the two arrives in time.
    DhtRing ring(8);
    DhtNode& a = ring.node(0);
    DhtNode& b = ring.node(1);
    const auto replicas = ring.by_distance(kAddress);
    ring.passes = [&](DhtNode&, DhtNode& to, wire::RingMessage& message) {
      const auto* request = std::get_if<wire::DhtRequest>(&message);
      if (!request || !request->is_relayed) return true;
      const auto place = std::find(replicas.begin(), replicas.end(), &to) - replicas.begin();
      const bool is_for_a = (lost >> place & 1) != 0;
      return (request->asker == a.id()) == is_for_a;
    };
    const auto reserve = [&](DhtNode& node, const MacAddress& mac, uint64_t id) {
      ASSERT_TRUE(node.client.create(ring.now, ring.wall(), id,
                                     ip_record(kIp, mac, ring.wall(), State::Reserved, 1, 60s)));
    };
    reserve(a, kMacA, 1001);
    reserve(b, kMacB, 1002);
    ring.advance(5s);
    const auto accepted = [](const DhtNode& node) {
      return !node.outcomes.empty() && node.outcomes.back().kind == Kind::Accepted;
    };
    EXPECT_FALSE(accepted(a) && accepted(b)) << lost;
    EXPECT_EQ(a.client.pending() + b.client.pending(), 0u);
  }
}

TEST(Claim, SucceedsWithOneDeadReplicaAndNotWithTwo) {
  DhtRing ring(8);
  const auto replicas = ring.by_distance(kAddress);
  DhtNode& asker = *replicas[7];
  std::vector<DhtNode*> silent{replicas[0]};
  ring.passes = [&](DhtNode& from, DhtNode& to, wire::RingMessage&) {
    const auto is_silent = [&](DhtNode& node) {
      return std::find(silent.begin(), silent.end(), &node) != silent.end();
    };
    return !is_silent(from) && !is_silent(to);
  };
  EXPECT_EQ(ring.claim(asker, kIp, kMacA).kind, Kind::Accepted) << "the owner itself is passed by";
  silent.push_back(replicas[1]);
  EXPECT_EQ(ring.claim(asker, {kIp.value + 0}, kMacA).kind, Kind::Failed);
}

TEST(Claim, ALyingReplicaCannotGrantWhatIsHeld) {
  DhtRing ring(8);
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  const auto replicas = ring.by_distance(kAddress);
  DhtNode& liar = *replicas[0];
  ring.passes = [&](DhtNode& from, DhtNode&, wire::RingMessage& message) {
    auto* reply = std::get_if<wire::DhtReply>(&message);
    if (&from != &liar || !reply) return true;
    reply->verdict = wire::DhtReply::Verdict::Accepted;
    reply->record.reset();
    liar.notary.sign(ring.request(reply->id), *reply);
    return true;
  };
  EXPECT_EQ(ring.claim(*replicas[6], kIp, kMacB).kind, Kind::Held);
}

TEST(Claim, ALyingReplicaCannotRefuseWhatIsFreeNorVoteTwice) {
  DhtRing ring(8);
  // What it shows was true once: A had the address, and gave it back.
  const auto held = ring.claim(ring.node(0), kIp, kMacA, 7);
  const auto replicas = ring.by_distance(kAddress);
  DhtNode& liar = *replicas[0];
  const wire::DhtRecord old = liar.replica.store().find(key_of(kAddress))->record;
  ASSERT_EQ(ring.put(ring.node(0), kIp, kMacA, held.record->sequence + 1, State::Withdrawn).kind,
            Kind::Accepted);
  ring.passes = [&](DhtNode& from, DhtNode& to, wire::RingMessage& message) {
    auto* reply = std::get_if<wire::DhtReply>(&message);
    if (&from != &liar || !reply) return true;
    reply->verdict = wire::DhtReply::Verdict::Held;
    reply->record = old;
    liar.notary.sign(ring.request(reply->id), *reply);
    wire::DhtReply copy = *reply;
    (void)to.client.handle_reply(ring.now, ring.wall(), copy);
    return true;
  };
  EXPECT_EQ(ring.claim(*replicas[6], kIp, kMacB, 20).kind, Kind::Accepted);
}

/// Who passes a request on could give the others another one: an old record that its writer would not mind.
TEST(Claim, AYesToAnotherRecordIsNone) {
  DhtRing ring(5);
  const auto replicas = ring.by_distance(kAddress);
  DhtNode& asker = *replicas[3];
  DhtNode& liar = *replicas[0];
  auto other = ip_record({kIp.value + 1}, kMacA, ring.wall(), State::Reserved, 1, 60s);
  asker.notary.sign(ring.wall(), other);
  int changed = 0;
  ring.passes = [&](DhtNode& from, DhtNode& to, wire::RingMessage& message) {
    auto* request = std::get_if<wire::DhtRequest>(&message);
    if (!request || &to == &liar) return true;
    if (&from != &liar) return false;
    ++changed;
    request->record = other;
    request->address = other.address();
    return true;
  };
  EXPECT_EQ(ring.claim(asker, kIp, kMacA).kind, Kind::Failed);
  EXPECT_GE(changed, 4);
}

TEST(Claim, AForgedVoteIsNone) {
  DhtRing ring(5);
  const auto replicas = ring.by_distance(kAddress);
  DhtNode& liar = *replicas[1];
  int forged = 0;
  ring.passes = [&](DhtNode& from, DhtNode& to, wire::RingMessage& message) {
    auto* reply = std::get_if<wire::DhtReply>(&message);
    if (!reply) return true;
    if (&from != &liar) return false;       // The others are not heard.
    for (const DhtNode* node : replicas) {  // It votes in their names instead.
      wire::DhtReply copy = *reply;
      copy.verdict = wire::DhtReply::Verdict::Accepted;
      copy.record.reset();
      liar.notary.sign(ring.request(reply->id), copy);
      copy.certificate = node->credentials.certificate.to_der();
      if (node != &liar) {
        ++forged;
        EXPECT_FALSE(to.client.handle_reply(ring.now, ring.wall(), copy));
      }
    }
    return true;
  };
  EXPECT_EQ(ring.claim(*replicas[3], kIp, kMacA).kind, Kind::Failed);
  EXPECT_GT(forged, 0);
}

TEST(Get, ABetterRecordThatComesLaterIsReportedToo) {
  DhtRing ring(8);
  const auto held = ring.claim(ring.node(0), kIp, kMacA);
  const auto replicas = ring.by_distance(kAddress);
  DhtNode& liar = *replicas[0];
  const wire::DhtRecord old = liar.replica.store().find(key_of(kAddress))->record;
  const auto moved = ring.claim(ring.node(1), kIp, kMacA, held.record->sequence + 1);
  ASSERT_EQ(moved.kind, Kind::Accepted);
  ring.passes = [&](DhtNode& from, DhtNode&, wire::RingMessage& message) {
    auto* reply = std::get_if<wire::DhtReply>(&message);
    if (&from == &liar && reply && reply->record) {
      reply->record = old;
      liar.notary.sign(ring.request(reply->id), *reply);
    }
    return true;
  };
  const auto found = ring.get(*replicas[7], kAddress);
  EXPECT_EQ(found.record->node, ring.node(1).id());
}

TEST(Get, WhoHasNoRoundTripYetAsksTwiceBeforeItGivesUp) {
  DhtRing ring(8);
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  const Instant asked = ring.now;
  ring.passes = [&](DhtNode&, DhtNode&, wire::RingMessage& message) {
    return !std::holds_alternative<wire::DhtReply>(message) || ring.now >= asked + 900ms;
  };
  EXPECT_EQ(ring.get(*ring.by_distance(kAddress)[7], kAddress).kind, Kind::Found);
}

TEST(Get, SilenceIsNotNothing) {
  DhtRing ring(5);
  ring.passes = [](DhtNode&, DhtNode&, wire::RingMessage& message) {
    return !std::holds_alternative<wire::DhtReply>(message);
  };
  EXPECT_EQ(ring.get(ring.node(0), kAddress).kind, Kind::Failed);
}

/// A liar shows a reservation of another guest, and one more replica cannot answer well.
TEST(Put, DoesNotGiveWayToWhatIsNotInItsWay) {
  DhtRing ring(8);
  const auto held = ring.claim(ring.node(0), kIp, kMacA);
  ASSERT_EQ(held.kind, Kind::Accepted);
  auto reserved = ip_record(kIp, kMacB, ring.wall(), State::Reserved, 50, 60s);
  ring.node(1).notary.sign(ring.wall(), reserved);
  const auto replicas = ring.by_distance(kAddress);
  ring.passes = [&](DhtNode& from, DhtNode&, wire::RingMessage& message) {
    auto* reply = std::get_if<wire::DhtReply>(&message);
    if (!reply || (&from != replicas[0] && &from != replicas[1])) return true;
    reply->verdict = wire::DhtReply::Verdict::Held;
    reply->record = reserved;
    from.notary.sign(ring.request(reply->id), *reply);
    return true;
  };
  EXPECT_EQ(ring.put(ring.node(0), kIp, kMacA, held.record->sequence).kind, Kind::Failed)
      << "and is tried again";
}

TEST(Put, GivesWayToAnotherHostsHigherSequenceAndOutbidsItsOwn) {
  DhtRing ring(8);
  const auto first = ring.claim(ring.node(0), kIp, kMacA, 4);
  const auto moved = ring.claim(ring.node(1), kIp, kMacA, 5);
  ASSERT_EQ(moved.kind, Kind::Accepted);
  const auto late = ring.put(ring.node(0), kIp, kMacA, first.record->sequence);
  EXPECT_EQ(late.kind, Kind::Held);
  EXPECT_EQ(late.record->node, ring.node(1).id());
  // A host that restarted and forgot how far it had counted.
  const auto again = ring.put(ring.node(1), kIp, kMacA, 1);
  ASSERT_EQ(again.kind, Kind::Accepted);
  EXPECT_GT(again.record->sequence, moved.record->sequence);
}

TEST(Put, TwoHundredMovesBackAndForthFreezeNobody) {
  DhtRing ring(6);
  for (size_t i = 0; i < 200; ++i) {
    const auto moved = ring.claim(ring.node(i % 2), kIp, kMacA);
    ASSERT_EQ(moved.kind, Kind::Accepted) << "move " << i;
    const auto found = ring.get(ring.node(4), kAddress);
    ASSERT_EQ(found.record->node, ring.node(i % 2).id()) << "move " << i;
  }
}

TEST(Client, TellsWhoCreatesOfAnOlderWordOnTheGuestBeforeItIsReplaced) {
  DhtRing ring(6);
  wire::DhtRecord record = ip_record({}, kMacA, ring.wall(), State::Bound, 7);
  record.kind = wire::DhtAddress::Kind::Mac;
  const auto create = [&](DhtNode& node) {
    return ring.run([&](uint64_t id) { return node.client.create(ring.now, ring.wall(), id, record); }, node);
  };
  ASSERT_EQ(create(ring.node(0)).kind, Kind::Accepted);
  EXPECT_EQ(ring.node(0).outcomes.size(), 1u) << "there was none";
  record.sequence = 2;
  ASSERT_EQ(create(ring.node(1)).kind, Kind::Accepted);
  const auto& outcomes = ring.node(1).outcomes;
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].kind, Kind::Outbid);
  EXPECT_EQ(outcomes[0].record->node, ring.node(0).id());
  EXPECT_EQ(outcomes[0].record->sequence, 7u);
  EXPECT_EQ(outcomes[1].record->sequence, 8u);
}

TEST(Client, IsBoundedAndDoesNotStartTwice) {
  DhtRing ring(1);
  Client& client = ring.node(0).client;
  for (uint64_t i = 0; i < Client::kMaxOperations; ++i) {
    ASSERT_TRUE(client.get(ring.now, 5000 + i, kAddress));
  }
  EXPECT_TRUE(client.get(ring.now, 5000, kAddress)) << "it is under way";
  const auto more = client.get(ring.now, 1, kAddress);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error(), Error::Full);
}

TEST(Client, SomeAreUnderWayAndTheOthersFollow) {
  DhtRing ring(8);
  DhtNode& node = ring.node(0);
  const size_t many = 3 * Client::kMaxUnderWay;
  for (uint64_t id = 1; id <= many; ++id) {
    const wire::DhtAddress address{.kind = wire::DhtAddress::Kind::Ip,
                                   .ip = Ipv4Address{kIp.value + static_cast<uint32_t>(id)},
                                   .mac = {}};
    ASSERT_TRUE(node.client.get(ring.now, id, address));
  }
  size_t asked = 0;
  while (node.client.poll_question()) ++asked;  // Which are lost.
  EXPECT_EQ(asked, Client::kMaxUnderWay);
  EXPECT_EQ(node.client.pending(), many);
  ring.advance(4s);
  EXPECT_EQ(node.client.pending(), 0u);
  EXPECT_EQ(node.outcomes.size(), many);
  const auto failed = std::count_if(node.outcomes.begin(), node.outcomes.end(),
                                    [](const auto& outcome) { return outcome.kind == Kind::Failed; });
  EXPECT_EQ(failed, 0) << "what was lost was asked again, and made room";
}

TEST(Client, AnAnswerToNoQuestionIsRefused) {
  DhtRing ring(2);
  wire::DhtReply reply;
  reply.id = 99;
  ring.node(1).notary.sign(wire::DhtRequest(), reply);
  const auto taken = ring.node(0).client.handle_reply(ring.now, ring.wall(), reply);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error(), Error::UnexpectedMessage);
}

TEST(Client, AsksAgainAfterTheMeasuredTimeAndThenAlsoTheNodesNextToTheKey) {
  DhtRing ring(1);
  DhtNode& node = ring.node(0);
  const Instant asked = ring.now;
  ASSERT_TRUE(node.client.get(asked, 77, kAddress));
  const auto first = node.client.poll_question();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->mode, wire::Routed::Mode::Owner);
  EXPECT_FALSE(node.client.poll_question());
  const Instant retry = node.client.next_timeout();
  EXPECT_LE(retry, asked + Client::kGetPatience);
  node.client.handle_timeout(asked + 999ms, ring.wall());
  if (node.client.poll_question()) {
    EXPECT_EQ(node.client.poll_question()->mode, wire::Routed::Mode::After);
    EXPECT_EQ(node.client.poll_question()->mode, wire::Routed::Mode::Before);
  }
}

}  // namespace
}  // namespace ipop
