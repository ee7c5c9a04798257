// Handover, repair and the telling of losers: what keeps the replicas of an address the same.
#include "overlay/dht/replica.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/dht/testing.h"

namespace ipop {
namespace {

using namespace test;
using ::testing::SizeIs;
using Kind = Client::Outcome::Kind;
using State = wire::DhtRecord::State;

const wire::DhtAddress kAddress{.kind = wire::DhtAddress::Kind::Ip, .ip = kIp, .mac = {}};

wire::DhtAddress address(uint32_t i) {
  return {.kind = wire::DhtAddress::Kind::Ip, .ip = Ipv4Address{0x0a800200 + i}, .mac = {}};
}

TEST(Handover, ANewcomerHasWhatItIsResponsibleFor) {
  DhtRing ring(8);
  for (uint32_t i = 0; i < 100; ++i) {
    ASSERT_EQ(ring.claim(ring.node(i % 8), address(i).ip.ipv4(), kMacA).kind, Kind::Accepted);
  }
  for (int n = 0; n < 4; ++n) {
    DhtNode& newcomer = ring.add();
    ring.advance(2s);
    for (uint32_t i = 0; i < 100; ++i) {
      const auto replicas = ring.by_distance(address(i));
      if (replicas[0] != &newcomer) continue;
      EXPECT_NE(newcomer.replica.store().find(key_of(address(i))), nullptr) << i;
    }
  }
}

TEST(Handover, NothingIsLostWhenAnyFourReplicasDieAtOnce) {
  for (size_t survivor = 0; survivor < 5; ++survivor) {
    DhtRing ring(12);
    ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
    auto holders = ring.holders(kAddress);
    ASSERT_THAT(holders, SizeIs(5));
    for (size_t i = 0; i < 5; ++i) {
      if (i != survivor) holders[i]->is_alive = false;
    }
    ring.tell_neighbours();
    ring.advance(5s);
    EXPECT_THAT(ring.holders(kAddress), SizeIs(5));
    const auto asker = ring.by_distance(kAddress).back();
    EXPECT_EQ(ring.get(*asker, kAddress).kind, Kind::Found);
    EXPECT_EQ(ring.claim(*asker, kIp, kMacB).kind, Kind::Held);
  }
}

TEST(Handover, AfterAMassFailureVotesAreUnsureUntilHoldersHaveRefreshed) {
  DhtRing ring(12);
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  for (DhtNode* node : ring.holders(kAddress)) node->is_alive = false;
  ring.tell_neighbours();
  ring.advance(5s);
  const auto replicas = ring.by_distance(kAddress);
  const auto claimed = ring.claim(*replicas.back(), kIp, kMacB);
  ASSERT_EQ(claimed.kind, Kind::Accepted) << "no replica is left";
  bool unsure = false;
  for (const auto& outcome : replicas.back()->outcomes) unsure |= outcome.is_unsure;
  EXPECT_TRUE(unsure) << "everybody has to be asked";
  ring.advance(8min);
  replicas.back()->outcomes.clear();
  (void)ring.claim(*replicas.back(), address(1).ip.ipv4(), kMacB);
  for (const auto& outcome : replicas.back()->outcomes) EXPECT_FALSE(outcome.is_unsure);
}

TEST(Handover, OneDeathLeavesTheOthersSure) {
  DhtRing ring(12);
  const auto replicas = ring.by_distance(kAddress);
  ring.kill(*replicas[0]);
  ring.advance(5s);
  ASSERT_EQ(ring.claim(*replicas.back(), kIp, kMacB).kind, Kind::Accepted);
  for (const auto& outcome : replicas.back()->outcomes) EXPECT_FALSE(outcome.is_unsure);
}

TEST(Handover, WhoHasNotHeardFromTheOthersDoesNotVote) {
  DhtRing ring(6);
  DhtNode& newcomer = ring.add();
  // Nothing is delivered: it knows its neighbours, and nothing of what they have.
  auto record = ip_record(kIp, kMacA, ring.wall(), State::Reserved, 1, 60s);
  ring.node(0).notary.sign(ring.wall(), record);
  wire::DhtRequest request;
  request.operation = wire::DhtRequest::Operation::Create;
  request.asker = ring.node(0).id();
  request.is_relayed = true;
  request.record = record;
  for (uint32_t i = 0; i < 20; ++i) {
    auto other = ip_record(address(i).ip.ipv4(), kMacA, ring.wall(), State::Reserved, 1, 60s);
    ring.node(0).notary.sign(ring.wall(), other);
    request.address = address(i);
    request.record = other;
    newcomer.replica.handle_request(ring.now, ring.wall(), request);
  }
  EXPECT_GT(newcomer.replica.counts().not_ready, 0u);
  EXPECT_EQ(newcomer.replica.counts().accepted, 0u);
  ring.advance(5s);
  newcomer.replica.handle_request(ring.now, ring.wall(), request);
  EXPECT_EQ(newcomer.replica.counts().not_ready + newcomer.replica.counts().accepted +
                newcomer.replica.counts().held,
            newcomer.replica.counts().creates);
}

// It may be another's since: what a replica has may be older than what others have.
TEST(Handover, WhatWasGivenBackIsNotGrantedWhileTheRingSettles) {
  DhtRing ring(8);
  const auto held = ring.claim(ring.node(0), kIp, kMacA);
  ASSERT_EQ(ring.put(ring.node(0), kIp, kMacA, held.record->sequence, State::Withdrawn).kind, Kind::Accepted);
  const auto holders = ring.holders(kAddress);
  ASSERT_THAT(holders, SizeIs(5));
  for (int n = 0; n < 4; ++n) ring.add();
  wire::DhtRequest request;
  request.operation = wire::DhtRequest::Operation::Create;
  request.asker = ring.node(0).id();
  request.is_relayed = true;
  request.address = kAddress;
  request.record = ip_record(kIp, kMacB, ring.wall(), State::Reserved, 9, 60s);
  ring.node(0).notary.sign(ring.wall(), *request.record);
  size_t not_ready = 0;
  for (DhtNode* holder : holders) {
    const auto before = holder->replica.counts();
    holder->replica.handle_request(ring.now, ring.wall(), request);
    EXPECT_EQ(holder->replica.counts().accepted, before.accepted);
    not_ready += holder->replica.counts().not_ready - before.not_ready;
  }
  EXPECT_GT(not_ready, 0u);
  ring.advance(10s);
  EXPECT_EQ(ring.claim(ring.node(0), kIp, kMacB, 9).kind, Kind::Accepted);
}

/// Nodes 3, 17 and 31 can reach each other and nobody else.
void part_with_three(DhtRing& ring) {
  const auto is_apart = [&ring](const DhtNode& node) {
    return &node == &ring.node(3) || &node == &ring.node(17) || &node == &ring.node(31);
  };
  ring.reaches = [is_apart](const DhtNode& a, const DhtNode& b) { return is_apart(a) == is_apart(b); };
  ring.tell_neighbours();
  ring.advance(8min);
}

// Three nodes that were apart have granted addresses whose replicas are others now, and those have the same
// neighbours as before.
TEST(Handover, NobodyVotesWhileTheRingIsSearchedForOthers) {
  DhtRing ring(5);
  const auto search = [&](bool is_searching) {
    for (size_t i = 0; i < ring.size(); ++i) {
      Replica& replica = ring.node(i).replica;
      replica.handle_neighbours(ring.now, true, is_searching, Neighbourhood(replica.near()));
    }
  };
  search(true);
  EXPECT_NE(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  search(false);
  EXPECT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
}

TEST(Handover, WhatASmallPartGrantedReachesItsReplicasInALargeRing) {
  constexpr uint32_t kAddresses = 40;
  DhtRing ring(48);
  part_with_three(ring);
  for (uint32_t i = 0; i < kAddresses; ++i) {
    ASSERT_EQ(ring.claim(ring.node(3), address(i).ip.ipv4(), kMacA).kind, Kind::Accepted) << i;
  }
  ring.reaches = nullptr;
  ring.tell_neighbours();
  ring.advance(10s);
  for (uint32_t i = 0; i < kAddresses; ++i) {
    const auto replicas = ring.by_distance(address(i));
    EXPECT_NE(replicas[0]->replica.store().find(key_of(address(i))), nullptr) << i;
    EXPECT_EQ(ring.claim(ring.node(0), address(i).ip.ipv4(), kMacB, 9).kind, Kind::Held) << i;
  }
}

// Its host hears at once that another has the address, and not at its next refresh.
TEST(Handover, WhoLosesToAReplicaFarAwayIsTold) {
  DhtRing ring(48);
  part_with_three(ring);
  for (uint32_t i = 0; i < 20; ++i) {
    ASSERT_EQ(ring.claim(ring.node(3), address(i).ip.ipv4(), kMacA, 1).kind, Kind::Accepted) << i;
    ASSERT_EQ(ring.claim(ring.node(0), address(i).ip.ipv4(), kMacB, 9).kind, Kind::Accepted) << i;
  }
  ring.node(3).notices.clear();
  ring.reaches = nullptr;
  ring.tell_neighbours();
  ring.advance(10s);
  std::set<IpAddress> told;
  for (const auto& notice : ring.node(3).notices) {
    if (notice.mac == kMacB) told.insert(notice.ip);
  }
  EXPECT_EQ(told.size(), 20u);
}

/// Counts the pulls of each node from each other.
struct Pulls {
  std::map<std::pair<NodeId, NodeId>, size_t> counts;
  size_t of(const DhtNode& asker, const NodeId& asked) const {
    const auto found = counts.find({asker.id(), asked});
    return found == counts.end() ? 0 : found->second;
  }
  void watch(DhtRing& ring) {
    ring.passes = [this](DhtNode& from, DhtNode& to, wire::RingMessage& message) {
      if (std::holds_alternative<wire::DhtPull>(message)) ++counts[{from.id(), to.id()}];
      return true;
    };
  }
};

TEST(Handover, ANewcomerAsksAllAndNobodyElseIsAsked) {
  DhtRing ring(12);
  Pulls pulls;
  pulls.watch(ring);
  DhtNode& newcomer = ring.add();
  ring.advance(5s);
  for (const NodeId& near : newcomer.replica.near().all()) EXPECT_EQ(pulls.of(newcomer, near), 1u);
  EXPECT_EQ(pulls.counts.size(), 6u) << "it has said that it has nothing";
  for (size_t i = 0; i < ring.size(); ++i) EXPECT_TRUE(ring.node(i).replica.is_synchronised());
}

/// As if it came from another ring.
TEST(Handover, ANewcomerWithRecordsIsAskedItself) {
  DhtRing ring(12);
  Pulls pulls;
  pulls.watch(ring);
  DhtNode& newcomer = ring.add();
  auto record = ip_record(kIp, kMacA, ring.wall(), State::Bound, 1, 60s);
  newcomer.notary.sign(ring.wall(), record);
  const wire::DhtRequest put{.id = 1,
                             .operation = wire::DhtRequest::Operation::Put,
                             .asker = newcomer.id(),
                             .is_relayed = true,
                             .address = record.address(),
                             .record = record};
  newcomer.replica.handle_neighbours(ring.now, true, false,
                                     Neighbourhood());  // Alone, it is responsible for all.
  newcomer.replica.handle_request(ring.now, ring.wall(), put);
  ring.tell_neighbours();
  ring.advance(5s);
  for (const NodeId& near : newcomer.replica.near().all()) EXPECT_EQ(pulls.of(newcomer, near), 1u);
  for (const auto& [pair, count] : pulls.counts) {
    EXPECT_TRUE(pair.first == newcomer.id() || pair.second == newcomer.id());
  }
  EXPECT_EQ(pulls.counts.size(), 12u) << "its neighbours have asked, too";
}

TEST(Handover, AfterADeathThatSideIsAsked) {
  DhtRing ring(12);
  DhtNode& witness = ring.node(0);
  const Neighbourhood before = witness.replica.near();
  Pulls pulls;
  pulls.watch(ring);
  for (size_t i = 0; i < ring.size(); ++i) {
    if (ring.node(i).id() == before.successors[1]) {
      ring.kill(ring.node(i));
      break;
    }
  }
  ring.advance(5s);
  for (const NodeId& node : witness.replica.near().successors) EXPECT_EQ(pulls.of(witness, node), 1u);
  for (const NodeId& node : before.predecessors) EXPECT_EQ(pulls.of(witness, node), 0u);
}

/// Who notices first that those between them have died is to have their records now, by the word of who is
/// left.
TEST(Handover, WhatMayBeWantedIsListedBeforeTheDeathsAreNoticed) {
  DhtRing ring(9);
  for (uint32_t i = 0; i < 20; ++i) {
    ASSERT_EQ(ring.claim(ring.node(i % 9), address(i).ip.ipv4(), kMacA).kind, Kind::Accepted);
  }
  DhtNode& left = ring.node(0);
  const NodeId asker = left.replica.near().successors.back();
  left.replica.handle_pull(ring.now, asker, true, {.id = 1, .from = {}, .has_nothing = true});
  const auto answer = left.replica.poll_message();
  ASSERT_TRUE(answer);
  const auto& page = std::get<wire::DhtPage>(answer->body);
  std::set<NodeId> listed;
  for (const auto& entry : page.entries) listed.insert(entry.key);
  size_t own = 0;
  for (const auto& [key, entry] : left.replica.store().all()) {
    if (!is_replica(left.id(), key, left.id(), left.replica.near())) continue;
    ++own;
    EXPECT_TRUE(listed.contains(key));
  }
  EXPECT_GT(own, 3u);
}

TEST(Repair, AReplicaThatMissedARecordGetsItWithinARound) {
  DhtRing ring(8);
  const auto replicas = ring.by_distance(kAddress);
  ring.passes = [&](DhtNode&, DhtNode& to, wire::RingMessage& message) {
    return &to != replicas[1] || !std::holds_alternative<wire::DhtRequest>(message);
  };
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  EXPECT_EQ(replicas[1]->replica.store().find(key_of(kAddress)), nullptr);
  ring.passes = nullptr;
  ring.advance(25min);
  EXPECT_NE(replicas[1]->replica.store().find(key_of(kAddress)), nullptr);
}

TEST(Repair, LostMessagesOfAHandoverAreRepeated) {
  DhtRing ring(8);
  for (uint32_t i = 0; i < 60; ++i) {
    ASSERT_EQ(ring.claim(ring.node(i % 8), address(i).ip.ipv4(), kMacA).kind, Kind::Accepted);
  }
  SeededRandom random(3);
  ring.passes = [&](DhtNode&, DhtNode&, wire::RingMessage&) { return random.below(10) >= 2; };
  DhtNode& newcomer = ring.add();
  ring.advance(10s);
  ring.passes = nullptr;
  ring.advance(6min);
  for (uint32_t i = 0; i < 60; ++i) {
    if (ring.by_distance(address(i))[0] == &newcomer) {
      EXPECT_NE(newcomer.replica.store().find(key_of(address(i))), nullptr) << i;
    }
  }
}

TEST(Partition, AfterItHealsExactlyOneKeepsTheAddressAndTheOtherIsTold) {
  DhtRing ring(10);
  ring.reaches = [&](const DhtNode& a, const DhtNode& b) {
    return (a.id().bytes[5] & 1) == (b.id().bytes[5] & 1);
  };
  DhtNode* left = nullptr;
  DhtNode* right = nullptr;
  for (size_t i = 0; i < ring.size(); ++i) {
    (ring.node(i).id().bytes[5] & 1 ? left : right) = &ring.node(i);
  }
  ASSERT_TRUE(left && right);
  ring.tell_neighbours();
  ring.advance(10s);
  ASSERT_EQ(ring.claim(*left, kIp, kMacA).kind, Kind::Accepted);
  ASSERT_EQ(ring.claim(*right, kIp, kMacB).kind, Kind::Accepted);
  ring.reaches = nullptr;
  ring.tell_neighbours();
  ring.advance(3s);
  DhtNode& winner = left->id() < right->id() ? *left : *right;  // Equal sequences.
  DhtNode& loser = &winner == left ? *right : *left;
  size_t replicas = 0;
  for (DhtNode* holder : ring.holders(kAddress)) {  // Others have left-overs, which nobody asks for.
    if (!is_replica(holder->id(), key_of(kAddress), holder->id(), holder->replica.near())) continue;
    ++replicas;
    EXPECT_EQ(holder->replica.store().find(key_of(kAddress))->record.node, winner.id());
  }
  EXPECT_EQ(replicas, 5u);
  const auto is_of_winner = [&](const wire::DhtRecord& record) {
    return record.address() == kAddress && record.node == winner.id();
  };
  EXPECT_TRUE(std::any_of(loser.notices.begin(), loser.notices.end(), is_of_winner));
}

/// Be it of the same guest or of another one: it writes what it holds again, before somebody else claims it.
TEST(Partition, WhoHoldsWhatTheOtherSideGaveBackIsTold) {
  for (const MacAddress& mac : {kMacA, kMacB}) {
    DhtRing ring(8);
    DhtNode* left = nullptr;
    DhtNode* right = nullptr;
    for (size_t i = 0; i < ring.size(); ++i) {
      DhtNode& node = ring.node(i);
      if (is_replica(node.id(), key_of(kAddress), node.id(), node.replica.near())) continue;
      (node.id().bytes[5] & 1 ? left : right) = &node;
    }
    ASSERT_TRUE(left && right);
    ring.reaches = [&](const DhtNode& a, const DhtNode& b) {
      return (a.id().bytes[5] & 1) == (b.id().bytes[5] & 1);
    };
    ring.tell_neighbours();
    ring.advance(10s);
    const auto given = ring.claim(*left, kIp, kMacA, 9);
    ASSERT_EQ(given.kind, Kind::Accepted);
    ASSERT_EQ(ring.put(*left, kIp, kMacA, given.record->sequence, State::Withdrawn).kind, Kind::Accepted);
    ASSERT_EQ(ring.claim(*right, kIp, mac, 1).kind, Kind::Accepted);
    right->notices.clear();
    ring.reaches = nullptr;
    ring.tell_neighbours();
    ring.advance(10s);
    EXPECT_TRUE(std::any_of(right->notices.begin(), right->notices.end(), [&](const auto& record) {
      return record.address() == kAddress && record.state == State::Withdrawn && record.node == left->id();
    })) << mac.to_string();
  }
}

/// The replicas of the whole ring are those of one side, and the other one granted the address.
TEST(Partition, NobodyGrantsBeforeNewNeighboursHaveToldWhatTheirSideGranted) {
  DhtRing ring(12);
  const auto is_right = [](const DhtNode& node) { return node.id().bytes[0] >= 0x80; };
  uint32_t i = 0;
  const auto are_right = [&] {
    const DhtNode& owner = *ring.by_distance(address(i))[0];
    const auto replicas = replicas_of(key_of(address(i)), owner.id(), owner.replica.near());
    return std::all_of(replicas.begin(), replicas.end(),
                       [](const NodeId& node) { return node.bytes[0] >= 0x80; });
  };
  while (i < 1000 && !are_right()) ++i;
  ASSERT_TRUE(are_right());
  const Ipv4Address ip = address(i).ip.ipv4();
  DhtNode& right = *ring.by_distance(address(i))[0];
  DhtNode* left = nullptr;
  for (size_t n = 0; n < ring.size(); ++n) {
    if (!is_right(ring.node(n))) left = &ring.node(n);
  }
  ASSERT_NE(left, nullptr);
  ring.reaches = [&](const DhtNode& a, const DhtNode& b) { return is_right(a) == is_right(b); };
  ring.tell_neighbours();
  ring.advance(10s);
  ASSERT_EQ(ring.claim(*left, ip, kMacA).kind, Kind::Accepted);
  ring.reaches = nullptr;
  ring.tell_neighbours();
  ring.passes = [&](DhtNode& from, DhtNode& to, wire::RingMessage& message) {
    const bool tells =
        std::holds_alternative<wire::DhtPage>(message) || std::holds_alternative<wire::DhtRequest>(message);
    return is_right(from) == is_right(to) || !tells;
  };
  ring.advance(Replica::kSettleTime + 100ms);
  constexpr uint64_t kClaim = 1'000'000;
  ASSERT_TRUE(
      right.client.create(ring.now, ring.wall(), kClaim,
                          ip_record(ip, kMacB, ring.wall(), wire::DhtRecord::State::Reserved, 1, 60s)));
  ring.advance(1s);
  for (const auto& outcome : right.outcomes) {
    EXPECT_FALSE(outcome.id == kClaim && outcome.kind == Kind::Accepted);
  }
  ring.passes = nullptr;
  ring.advance(10s);
  EXPECT_EQ(ring.claim(right, ip, kMacB).kind, Kind::Held);
}

TEST(Move, TheOldHostIsTold) {
  DhtRing ring(8);
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  ASSERT_EQ(ring.claim(ring.node(1), kIp, kMacA).kind, Kind::Accepted);
  ASSERT_FALSE(ring.node(0).notices.empty());
  EXPECT_EQ(ring.node(0).notices.back().node, ring.node(1).id());
}

TEST(Replica, AnIpIsReservedBeforeItIsBound) {
  DhtRing ring(1);
  DhtNode& node = ring.node(0);
  const auto outcome = ring.run(
      [&](uint64_t id) {
        return node.client.create(ring.now, ring.wall(), id, ip_record(kIp, kMacA, ring.wall()));
      },
      node);
  EXPECT_EQ(outcome.kind, Kind::Failed);
}

TEST(Replica, ABadRecordIsRefusedByName) {
  DhtRing ring(1);
  auto record = ip_record(kIp, kMacA, ring.wall());
  ring.node(0).notary.sign(ring.wall(), record);
  record.signature[0] ^= 1;
  EXPECT_FALSE(ring.node(0).replica.handle_notice(ring.now, ring.wall(), ring.node(0).id(), true, record));
  EXPECT_EQ(ring.node(0).refused.get(Error::BadAuthTag), 1u);
  EXPECT_EQ(ring.node(0).replica.store().size(), 0u);
}

TEST(Replica, AStrangePageEndsThePull) {
  DhtRing ring(3);
  DhtNode& node = ring.node(0);
  ring.passes = [&](DhtNode&, DhtNode& to, wire::RingMessage& message) {
    if (auto* page = std::get_if<wire::DhtPage>(&message); page && &to == &node) page->next = NodeId{{1}};
    return true;  // For ever the same place.
  };
  const uint64_t before = node.replica.counts().syncs;
  ring.advance(30min);  // DhtRing::settle() says if it never ends.
  EXPECT_GT(node.replica.counts().syncs, before);
  EXPECT_GT(node.refused.get(Error::Malformed), 0u);
}

TEST(Replica, ACopyOfAPageIsNoPage) {
  DhtRing ring(3);
  for (uint32_t i = 0; i < 60; ++i) {
    ASSERT_EQ(ring.claim(ring.node(i % 3), address(i).ip.ipv4(), kMacA).kind, Kind::Accepted);
  }
  DhtNode& newcomer = ring.add();
  std::map<NodeId, wire::DhtPage> first;
  ring.passes = [&](DhtNode& from, DhtNode& to, wire::RingMessage& message) {
    const auto* page = std::get_if<wire::DhtPage>(&message);
    if (!page || &to != &newcomer) return true;
    const auto [copy, is_first] = first.try_emplace(from.id(), *page);
    if (!is_first) newcomer.replica.handle_page(ring.now, from.id(), copy->second);
    return true;
  };
  ring.advance(5s);
  EXPECT_EQ(newcomer.refused.get(Error::Malformed), 0u);
  EXPECT_EQ(newcomer.replica.store().size(), 60u);
}

/// Who is not linked to us may say that he is our neighbour, and show what was true once.
TEST(Replica, AnOldRecordInTheNameOfANeighbourEndsNoWait) {
  DhtRing ring(3);
  ASSERT_EQ(ring.claim(ring.node(0), kIp, kMacA).kind, Kind::Accepted);
  const wire::DhtRecord old = ring.node(1).replica.store().find(key_of(kAddress))->record;
  ASSERT_EQ(ring.put(ring.node(0), kIp, kMacA, 2).kind, Kind::Accepted);
  for (const bool is_peer : {false, true}) {
    DhtNode& newcomer = ring.add();
    ring.passes = [&](DhtNode&, DhtNode& to, wire::RingMessage& message) {
      return &to != &newcomer || !std::holds_alternative<wire::DhtNotice>(message);
    };
    ring.advance(Replica::kSyncDelay + Replica::kSyncRetry / 2);
    EXPECT_FALSE(newcomer.replica.is_synchronised());
    for (uint32_t i = 0; i < 4; ++i) {
      (void)newcomer.replica.handle_notice(ring.now, ring.wall(), ring.node(i).id(), is_peer, old);
    }
    EXPECT_EQ(newcomer.replica.is_synchronised(), is_peer) << "a peer may have lost the newer one since";
    ring.passes = nullptr;
    ring.advance(10s);
  }
}

TEST(Replica, ANeighbourThatNeverComesToAnEndIsLeftAlone) {
  DhtRing ring(3);
  DhtNode& liar = ring.node(1);
  DhtNode& newcomer = ring.add();
  Instant answered_at;
  NodeId next;
  ring.passes = [&](DhtNode& from, DhtNode& to, wire::RingMessage& message) {
    auto* page = std::get_if<wire::DhtPage>(&message);
    if (!page || &from != &liar || &to != &newcomer) return true;
    if (ring.now < answered_at + 1ms) return false;  // It is asked again in a second.
    answered_at = ring.now;
    if (++next.bytes[19] == 0) ++next.bytes[18];
    page->next = next;
    return true;
  };
  ring.advance(Replica::kSyncPatience / 2);
  EXPECT_FALSE(newcomer.replica.is_synchronised());
  ring.advance(Replica::kSyncPatience);
  EXPECT_TRUE(newcomer.replica.is_synchronised());
  EXPECT_GT(next.bytes[19], 50) << "it was never silent for long";
}

}  // namespace
}  // namespace ipop
