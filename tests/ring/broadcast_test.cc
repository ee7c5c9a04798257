#include "overlay/ring/broadcast.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "overlay/ring/neighbourhood.h"
#include "overlay/ring/shortcut_draw.h"
#include "tests/ring/testing.h"

namespace ipop {
namespace {

using ring_testing::at;
using ring_testing::nodes_at;
using ring_testing::random_ring;

std::vector<BroadcastShare> shares(std::vector<std::pair<uint16_t, uint16_t>> pairs) {
  std::vector<BroadcastShare> out;
  for (const auto& [peer, bound] : pairs) out.push_back({.peer = at(peer), .bound = at(bound)});
  return out;
}

TEST(ShareBroadcast, OfTheWholeRingGivesEachPeerTheWayToTheNext) {
  EXPECT_EQ(share_broadcast(at(0x4000), at(0x4000), nodes_at({0x1000, 0x5000, 0x9000, 0xf000})),
            shares({{0x5000, 0x9000}, {0x9000, 0xf000}, {0xf000, 0x1000}, {0x1000, 0x4000}}));
}

TEST(ShareBroadcast, OfAPartGoesToThePeersInIt) {
  const auto peers = nodes_at({0x1000, 0x5000, 0x9000, 0xf000});
  EXPECT_EQ(share_broadcast(at(0x4000), at(0x9000), peers), shares({{0x5000, 0x9000}}))
      << "the bound is excluded";
  EXPECT_EQ(share_broadcast(at(0x4000), at(0x9001), peers), shares({{0x5000, 0x9000}, {0x9000, 0x9001}}));
  EXPECT_EQ(share_broadcast(at(0xe000), at(0x2000), peers), shares({{0xf000, 0x1000}, {0x1000, 0x2000}}))
      << "over the top of the circle";
  EXPECT_TRUE(share_broadcast(at(0x4000), at(0x5000), peers).empty());
}

TEST(ShareBroadcast, WithoutPeersGoesNowhere) { EXPECT_TRUE(share_broadcast(at(1), at(1), {}).empty()); }

TEST(ShareBroadcast, DoesNotReturnToItsSender) {
  EXPECT_EQ(share_broadcast(at(0x4000), at(0x4000), nodes_at({0x4000, 0x5000})), shares({{0x5000, 0x4000}}));
}

/// A ring whose nodes have their neighbours, and shortcuts drawn as they should be, both ends of each.
std::map<NodeId, std::set<NodeId>> links_of(const std::vector<NodeId>& ring, Random& random) {
  std::map<NodeId, std::set<NodeId>> out;
  for (const NodeId& node : ring) {
    for (const NodeId& peer : neighbourhood_of(node, ring).all()) out[node].insert(peer);
    for (size_t i = wanted_shortcuts(static_cast<double>(ring.size())); i > 0; --i) {
      const NodeId point = draw_shortcut(node, static_cast<double>(ring.size()), random);
      const NodeId owner = *std::min_element(ring.begin(), ring.end(), [&](const auto& a, const auto& b) {
        return ring_distance(a, point) < ring_distance(b, point);
      });
      if (owner == node) continue;
      out[node].insert(owner);
      out[owner].insert(node);
    }
  }
  return out;
}

TEST(Broadcast, ReachesEachNodeOnce) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    const size_t size = seed <= 10 ? seed : 11 + random.below(300);
    const auto ring = random_ring(size, random);
    auto links = links_of(ring, random);
    const NodeId source = ring[random.below(ring.size())];
    std::map<NodeId, int> got;
    size_t depth = 0;
    const std::function<void(const NodeId&, const NodeId&, size_t)> pass =
        [&](const NodeId& self, const NodeId& bound, size_t hops) {
          depth = std::max(depth, hops);
          ASSERT_LE(hops, ring.size());
          const std::vector<NodeId> peers(links[self].begin(), links[self].end());
          for (const auto& share : share_broadcast(self, bound, peers)) {
            ++got[share.peer];
            pass(share.peer, share.bound, hops + 1);
          }
        };
    pass(source, source, 0);
    EXPECT_FALSE(got.contains(source)) << "seed " << seed;
    EXPECT_EQ(got.size(), ring.size() - 1) << "seed " << seed;
    for (const auto& [node, times] : got) EXPECT_EQ(times, 1) << "seed " << seed;
    EXPECT_LE(depth, 40u) << "or Broadcast::hops ends it, seed " << seed;
  }
}

// A neighbour is missing, as after a crash: nobody gets it twice, and whoever the holes do not hide gets it.
TEST(Broadcast, ReachesNobodyTwiceWhateverTheLinks) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SeededRandom random(seed);
    const auto ring = random_ring(100, random);
    std::map<NodeId, std::set<NodeId>> links;
    for (const NodeId& node : ring) {
      for (int i = 0; i < 4; ++i) links[node].insert(ring[random.below(ring.size())]);
    }
    std::map<NodeId, int> got;
    const std::function<void(const NodeId&, const NodeId&)> pass = [&](const NodeId& self,
                                                                       const NodeId& bound) {
      const std::vector<NodeId> peers(links[self].begin(), links[self].end());
      for (const auto& share : share_broadcast(self, bound, peers)) {
        if (++got[share.peer] > 1) continue;
        pass(share.peer, share.bound);
      }
    };
    pass(ring[0], ring[0]);
    for (const auto& [node, times] : got) EXPECT_EQ(times, 1) << "seed " << seed;
    EXPECT_FALSE(got.contains(ring[0])) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ipop
