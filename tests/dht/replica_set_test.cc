#include "overlay/dht/replica_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "overlay/base/random.h"
#include "overlay/ring/distance.h"

namespace ipop {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using testing::UnorderedElementsAre;

NodeId at(uint8_t place) { return {{place}}; }

std::vector<NodeId> ring_of(const std::vector<int>& places) {
  std::vector<NodeId> out;
  for (const int place : places) out.push_back(at(static_cast<uint8_t>(place)));
  return out;
}

TEST(ReplicaSet, IsTheOwnerAndTwoOnEitherSide) {
  const auto ring = ring_of({10, 30, 50, 70, 90, 110, 130, 150, 170});
  const auto near = neighbourhood_of(at(70), ring);
  EXPECT_THAT(replicas_of(at(72), at(70), near), ElementsAre(at(70), at(90), at(50), at(110), at(30)));
}

TEST(ReplicaSet, IsTheSameForTheOwnerAndWhoIsNextToIt) {
  SeededRandom random(1);
  for (size_t n = 1; n <= 40; ++n) {
    std::vector<NodeId> ring(n);
    for (NodeId& node : ring) random.fill(node.bytes);
    std::sort(ring.begin(), ring.end());
    for (int i = 0; i < 50; ++i) {
      NodeId key;
      random.fill(key.bytes);
      const auto owner =
          static_cast<size_t>(std::min_element(ring.begin(), ring.end(),
                                               [&](const NodeId& a, const NodeId& b) {
                                                 return ring_distance(a, key) < ring_distance(b, key);
                                               }) -
                              ring.begin());
      std::vector<NodeId> expected;
      for (size_t step = n * 2 - 2; step <= n * 2 + 2; ++step) {
        const NodeId node = ring[(owner + step) % n];
        if (std::find(expected.begin(), expected.end(), node) == expected.end()) expected.push_back(node);
      }
      for (const size_t step : {n - 1, n, n + 1}) {
        const NodeId self = ring[(owner + step) % n];
        const auto seen = replicas_of(key, self, neighbourhood_of(self, ring));
        EXPECT_EQ(seen.front(), ring[owner]);
        EXPECT_THAT(seen, testing::UnorderedElementsAreArray(expected)) << n << " nodes";
      }
      for (const NodeId& self : ring) {  // Everybody knows whether it is one.
        EXPECT_EQ(is_replica(self, key, self, neighbourhood_of(self, ring)),
                  std::find(expected.begin(), expected.end(), self) != expected.end())
            << n << " nodes";
      }
    }
  }
}

TEST(ReplicaSet, NoNodeOfAThousandHasFourTimesTheMean) {
  SeededRandom random(2);
  std::vector<NodeId> ring(1000);
  for (NodeId& node : ring) random.fill(node.bytes);
  std::sort(ring.begin(), ring.end());
  std::vector<size_t> load(ring.size());
  constexpr size_t kKeys = 50'000;
  for (uint32_t i = 0; i < kKeys; ++i) {
    const NodeId key =
        key_of({.kind = wire::DhtAddress::Kind::Ip, .ip = Ipv4Address{0x0a000000 + i}, .mac = {}});
    const size_t after =
        static_cast<size_t>(std::lower_bound(ring.begin(), ring.end(), key) - ring.begin()) % ring.size();
    const size_t before = (after + ring.size() - 1) % ring.size();
    const bool is_after = ring_distance(ring[after], key) < ring_distance(ring[before], key);
    const size_t owner = is_after ? after : before;
    for (size_t step = 0; step < kReplicas; ++step) {
      ++load[(owner + ring.size() + step - kReplicasPerSide) % ring.size()];
    }
  }
  EXPECT_LT(*std::max_element(load.begin(), load.end()), 4 * kReplicas * kKeys / ring.size());
}

TEST(ReplicaSet, ARingOfOneHasItself) {
  EXPECT_THAT(replicas_of(at(7), at(9), {}), ElementsAre(at(9)));
  EXPECT_EQ(replica_count({}), 1u);
}

TEST(ReplicaSet, ANodeThatIsNotANeighbourYetIsCountedIn) {
  const auto ring = ring_of({10, 30, 50, 70, 90, 110, 130});
  const auto near = with_node(at(70), neighbourhood_of(at(70), ring), at(80));
  EXPECT_THAT(near.successors, ElementsAre(at(80), at(90), at(110)));
  EXPECT_THAT(near.predecessors, SizeIs(3));
}

TEST(Quorum, TwoHaveTwoInCommonWhereThereAreFourOrMore) {
  EXPECT_EQ(write_quorum(1), 1u);
  EXPECT_EQ(write_quorum(2), 2u);
  EXPECT_EQ(write_quorum(3), 3u);
  EXPECT_EQ(write_quorum(4), 3u);
  EXPECT_EQ(write_quorum(5), 4u);
  for (size_t n = 3; n <= 5; ++n) EXPECT_GE(2 * write_quorum(n), n + 2);
}

// Of those who say "nothing" one may lie, and the others may have missed the write, as far as a quorum
// allows.
TEST(Quorum, OfThoseAskedOneHonestHasWhatWasWritten) {
  for (size_t n = 3; n <= 5; ++n) EXPECT_GE(read_quorum(n) + write_quorum(n), n + 2);
}

TEST(Key, IsOnePointOfTheRingForEachAddress) {
  const wire::DhtAddress ip{.kind = wire::DhtAddress::Kind::Ip, .ip = Ipv4Address{0x0a800105}, .mac = {}};
  const wire::DhtAddress mac{
      .kind = wire::DhtAddress::Kind::Mac, .ip = {}, .mac = {{0x52, 0x54, 0, 0, 0, 1}}};
  EXPECT_EQ(key_of(ip), key_of(ip));
  EXPECT_NE(key_of(ip), key_of(mac));
}

}  // namespace
}  // namespace ipop
