#include "overlay/sim/ring_check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "overlay/base/random.h"

namespace ipop::sim {
namespace {

NodeId id_of(size_t n) { return {.bytes = {static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)}}; }

/// Nodes 0 to n - 1 in clockwise order, who all know their true neighbours.
std::vector<RingNode> perfect(size_t n, size_t per_side = kRightPerSide) {
  std::vector<RingNode> out;
  for (size_t i = 0; i < n; ++i) {
    RingNode node{.id = id_of(i), .joined = true, .successors = {}, .predecessors = {}};
    for (size_t k = 1; k <= std::min(per_side, n - 1); ++k) {
      node.successors.push_back(id_of((i + k) % n));
      node.predecessors.push_back(id_of((i + n - k) % n));
    }
    out.push_back(std::move(node));
  }
  return out;
}

TEST(RingCheck, APerfectRingOfAnySizeIsRightAndValid) {
  for (size_t n = 1; n <= 9; ++n) {
    const RingCheck check = check_ring(perfect(n));
    EXPECT_TRUE(check.all_right()) << n;
    EXPECT_TRUE(check.is_valid()) << n;
    EXPECT_EQ(check.rings, 1u) << n;
    EXPECT_EQ(check.joined, n);
    EXPECT_EQ(check.appendages, 0u) << n;
    EXPECT_EQ(check.dead_ends, 0u) << n;
  }
}

TEST(RingCheck, NobodyIsNoViolation) {
  const RingCheck check = check_ring({});
  EXPECT_TRUE(check.all_right());
  EXPECT_TRUE(check.is_valid());
}

TEST(RingCheck, TheOrderInWhichNodesAreNamedDoesNotMatter) {
  auto ring = perfect(8);
  std::reverse(ring.begin(), ring.end());
  std::swap(ring[2], ring[5]);
  EXPECT_TRUE(check_ring(ring).all_right());
  EXPECT_TRUE(check_ring(ring).is_valid());
}

TEST(RingCheck, MoreNeighboursThanNeededDoNoHarm) { EXPECT_TRUE(check_ring(perfect(9, 5)).all_right()); }

TEST(RingCheck, OneWrongNeighbourOnEitherSideIsSeen) {
  for (const bool successor : {false, true}) {
    for (size_t k = 0; k < kRightPerSide; ++k) {
      auto ring = perfect(8);
      auto& list = successor ? ring[3].successors : ring[3].predecessors;
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(k));
      EXPECT_EQ(check_ring(ring).right, 7u);
      EXPECT_TRUE(check_ring(ring).is_valid()) << "the ring itself lives on";
    }
  }
}

TEST(RingCheck, ADeadNeighbourIsWrongAndTheNextLiveOneTakesItsPlace) {
  auto ring = perfect(8);
  ring.erase(ring.begin() + 4);
  const RingCheck check = check_ring(ring);
  EXPECT_EQ(check.right, 1u) << "6 nodes still believe in it; the one opposite never knew it";
  EXPECT_TRUE(check.is_valid());
}

TEST(RingCheck, ANodeThatStillJoinsIsNoPartOfTheRingButIsANeighbour) {
  auto ring = perfect(8);
  ring[4].joined = false;
  ring[4].successors.clear();
  const RingCheck check = check_ring(ring);
  EXPECT_EQ(check.joined, 7u);
  EXPECT_EQ(check.right, 7u);
  EXPECT_TRUE(check.is_valid());
}

TEST(RingCheck, WhereManyJoinAtOnceTheWayLeadsThroughThem) {
  auto ring = perfect(8);
  for (const size_t place : {4, 5, 6}) ring[place].joined = false;
  const RingCheck check = check_ring(ring);  // All that 3 knows are 4, 5 and 6; 4 knows 7.
  EXPECT_TRUE(check.is_valid());
  EXPECT_EQ(check.joined, 5u);
  EXPECT_EQ(check.appendages, 0u);

  ring[4].successors.clear();
  EXPECT_FALSE(check_ring(ring).is_valid()) << "and there it ends";
  EXPECT_EQ(check_ring(ring).lost, 5u);
  EXPECT_EQ(check_ring(ring).dead_ends, 0u);
}

TEST(RingCheck, TwoRingsBesideEachOther) {  // Each half has closed without the other.
  auto ring = perfect(8);
  for (size_t i = 0; i < 8; ++i) ring[i].successors = {id_of(i < 4 ? (i + 1) % 4 : 4 + (i + 1) % 4)};
  const RingCheck check = check_ring(ring);
  EXPECT_EQ(check.rings, 2u);
  EXPECT_EQ(check.disordered, 0u);
  EXPECT_FALSE(check.is_valid());
}

TEST(RingCheck, TwoRingsThroughEachOther) {
  auto ring = perfect(8);
  for (size_t i = 0; i < 8; ++i) ring[i].successors = {id_of((i + 2) % 8)};
  EXPECT_EQ(check_ring(ring).rings, 2u);
  EXPECT_FALSE(check_ring(ring).is_valid());
}

TEST(RingCheck,
     ARingThatWindsTwice) {  // Zave's loopy ring: everybody is on it, and nobody's neighbour is right.
  auto ring = perfect(9);
  for (size_t i = 0; i < 9; ++i) ring[i].successors = {id_of((i + 2) % 9)};
  const RingCheck check = check_ring(ring);
  EXPECT_EQ(check.rings, 1u);
  EXPECT_EQ(check.disordered, 1u);
  EXPECT_EQ(check.right, 0u);
  EXPECT_FALSE(check.is_valid());
}

TEST(RingCheck, AnAppendageLeadsToTheRing) {  // 5 has joined and its predecessor does not know it yet.
  auto ring = perfect(8);
  ring[4].successors = {id_of(6)};
  const RingCheck check = check_ring(ring);
  EXPECT_EQ(check.appendages, 1u);
  EXPECT_EQ(check.lost, 0u);
  EXPECT_TRUE(check.is_valid());
}

TEST(RingCheck, AnAppendageThatLeadsNowhere) {
  auto ring = perfect(8);
  ring[3].successors = {id_of(6)};
  ring[4].successors = {id_of(5)};
  ring[5].successors = {id_of(1000), id_of(1001)};
  const RingCheck check = check_ring(ring);
  EXPECT_EQ(check.rings, 1u);
  EXPECT_EQ(check.dead_ends, 1u);
  EXPECT_EQ(check.lost, 2u);
  EXPECT_FALSE(check.is_valid());
}

TEST(RingCheck, NoRingAtAll) {
  auto ring = perfect(8);
  ring[7].successors = {id_of(1000)};
  const RingCheck check = check_ring(ring);
  EXPECT_EQ(check.rings, 0u);
  EXPECT_EQ(check.lost, 8u);
  EXPECT_FALSE(check.is_valid());
}

TEST(RingCheck, TwoWhoBothThinkThatTheyAreAloneAreTwoRings) {
  auto ring = perfect(2);
  for (RingNode& node : ring) node.successors.clear();
  EXPECT_EQ(check_ring(ring).rings, 2u);
  EXPECT_FALSE(check_ring(ring).is_valid());
}

TEST(RingCheck, ANodeIsNotItsOwnSuccessorWhileItKnowsOthers) {
  auto ring = perfect(4);
  ring[2].successors.insert(ring[2].successors.begin(), id_of(2));
  EXPECT_TRUE(check_ring(ring).is_valid());
  EXPECT_EQ(check_ring(ring).right, 3u);
}

TEST(RingCheck, CountsAddUpWhateverNodesBelieve) {
  SeededRandom random(1);
  for (int round = 0; round < 300; ++round) {
    auto ring = perfect(1 + random.below(40));
    for (RingNode& node : ring) {
      node.joined = random.below(10) > 0;
      for (NodeId& id : node.successors) {
        if (random.below(3) == 0) id = id_of(random.below(50));
      }
    }
    const RingCheck check = check_ring(ring);
    EXPECT_LE(check.lost, check.appendages);
    EXPECT_LE(check.dead_ends, check.lost);
    EXPECT_LE(check.appendages, check.joined);
    EXPECT_GE(check.rings + check.lost, check.joined > 0 ? 1u : 0u);
    EXPECT_LE(check.disordered, check.rings);
  }
}

TEST(RingCheck, TenThousandNodes) {
  auto ring = perfect(10'000);
  EXPECT_TRUE(check_ring(ring).all_right());
  for (size_t i = 0; i < ring.size(); i += 2) std::swap(ring[i].successors[0], ring[i].successors[1]);
  EXPECT_EQ(check_ring(ring).right, 5'000u);
}

}  // namespace
}  // namespace ipop::sim
