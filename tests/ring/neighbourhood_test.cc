#include "overlay/ring/neighbourhood.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ring/testing.h"

namespace ipop {
namespace {

using ring_testing::at;
using ring_testing::nodes_at;
using ring_testing::random_ring;

/// The neighbours of the node at 0x1000 among others, of which the drawing is a clock face with 16 hours.
struct Case {
  std::vector<uint16_t> others, successors, predecessors;
};

const std::vector<Case> kRings = {
    {{}, {}, {}},
    {{0x5000}, {0x5000}, {0x5000}},  // The only other one is on both sides.
    {{0x5000, 0xa000}, {0x5000, 0xa000}, {0xa000, 0x5000}},
    {{0x0000, 0x5000, 0xa000}, {0x5000, 0xa000, 0x0000}, {0x0000, 0xa000, 0x5000}},
    {{0x0000, 0x5000, 0xa000, 0xf000}, {0x5000, 0xa000, 0xf000}, {0x0000, 0xf000, 0xa000}},
    {{0x0000, 0x2000, 0x5000, 0xa000, 0xf000}, {0x2000, 0x5000, 0xa000}, {0x0000, 0xf000, 0xa000}},
    {{0x0000, 0x2000, 0x5000, 0x8000, 0xa000, 0xf000}, {0x2000, 0x5000, 0x8000}, {0x0000, 0xf000, 0xa000}},
    {{0x0000, 0x2000, 0x5000, 0x8000, 0xa000, 0xd000, 0xf000},
     {0x2000, 0x5000, 0x8000},
     {0x0000, 0xf000, 0xd000}},
};

TEST(Neighbourhood, OfRingsOfOneToEightNodes) {
  const NodeId self = at(0x1000);
  for (const auto& ring : kRings) {
    const size_t size = ring.others.size() + 1;
    std::vector<NodeId> sorted = nodes_at(ring.others);
    const Neighbourhood expected{.successors = nodes_at(ring.successors),
                                 .predecessors = nodes_at(ring.predecessors)};
    EXPECT_EQ(neighbourhood_of(self, sorted), expected) << "a ring of " << size;
    sorted.push_back(self);
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(neighbourhood_of(self, sorted), expected)
        << "a ring of " << size << ", with ourselves among it";
  }
}

TEST(Neighbourhood, SeenFromTheEndsOfTheList) {
  const std::vector<NodeId> sorted =
      nodes_at({0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000, 0x8000});
  EXPECT_EQ(neighbourhood_of(at(0x1000), sorted),
            (Neighbourhood{.successors = nodes_at({0x2000, 0x3000, 0x4000}),
                           .predecessors = nodes_at({0x8000, 0x7000, 0x6000})}));
  EXPECT_EQ(neighbourhood_of(at(0x8000), sorted),
            (Neighbourhood{.successors = nodes_at({0x1000, 0x2000, 0x3000}),
                           .predecessors = nodes_at({0x7000, 0x6000, 0x5000})}));
  EXPECT_EQ(neighbourhood_of(at(0xffff), sorted).successors, nodes_at({0x1000, 0x2000, 0x3000}));
  EXPECT_EQ(neighbourhood_of(at(0x0000), sorted).predecessors, nodes_at({0x8000, 0x7000, 0x6000}));
}

TEST(Neighbourhood, ArrivalsComeBetweenAndDoNotMoveUp) {
  const NodeId self = at(0x1000);
  const auto near = [&](const std::vector<uint16_t>& others) {
    return neighbourhood_of(self, nodes_at(others));
  };
  const Neighbourhood before = near({0x0100, 0x2000, 0x3000, 0x4000, 0xd000, 0xe000, 0xf000});
  EXPECT_THAT(arrivals(self, before, before), ::testing::IsEmpty());
  EXPECT_THAT(arrivals(self, before, near({0x0100, 0x2000, 0x4000, 0x5000, 0xd000, 0xe000})),
              ::testing::IsEmpty())
      << "0x3000 and 0xf000 have died";
  EXPECT_EQ(arrivals(self, before, near({0x0100, 0x2000, 0x2800, 0x3000, 0xe000, 0xf000})),
            nodes_at({0x2800}));
  EXPECT_EQ(arrivals(self, before, near({0x0200, 0x0300, 0x0400, 0x1800, 0x1900, 0x1a00})),
            nodes_at({0x1800, 0x1900, 0x1a00, 0x0400, 0x0300, 0x0200}))
      << "another ring lies between all of ours";
  EXPECT_EQ(arrivals(self, {}, near({0x2000, 0x3000})), nodes_at({0x2000, 0x3000})) << "each once";
}

TEST(Neighbourhood, ListsEachNodeOnce) {
  const auto all = [](const std::vector<uint16_t>& others) {
    return neighbourhood_of(at(0x1000), nodes_at(others)).all();
  };
  EXPECT_TRUE(all({}).empty());
  EXPECT_EQ(all({0x5000}), nodes_at({0x5000}));
  EXPECT_EQ(all({0x0000, 0x5000, 0xa000, 0xf000}), nodes_at({0x5000, 0xa000, 0xf000, 0x0000}));
  EXPECT_EQ(all({0x0000, 0x2000, 0x5000, 0x8000, 0xa000, 0xd000, 0xf000}),
            nodes_at({0x2000, 0x5000, 0x8000, 0x0000, 0xf000, 0xd000}));
}

TEST(Neighbourhood, ContainsBothSidesOnly) {
  const auto near =
      neighbourhood_of(at(0x1000), nodes_at({0x0000, 0x2000, 0x5000, 0x8000, 0xa000, 0xd000, 0xf000}));
  for (const uint16_t inside : std::vector<uint16_t>{0x2000, 0x5000, 0x8000, 0x0000, 0xf000, 0xd000})
    EXPECT_TRUE(near.contains(at(inside)));
  for (const uint16_t outside : std::vector<uint16_t>{0x1000, 0xa000, 0x1234})
    EXPECT_FALSE(near.contains(at(outside)));
}

// What makes tell_of() right: if B is my neighbour among all nodes, I am B's.
TEST(Neighbourhood, IsMutual) {
  SeededRandom random(1);
  for (size_t size = 2; size <= 30; ++size) {
    const auto ring = random_ring(size, random);
    for (const NodeId& a : ring) {
      for (const NodeId& b : ring) {
        EXPECT_EQ(neighbourhood_of(a, ring).contains(b), neighbourhood_of(b, ring).contains(a));
      }
    }
  }
}

TEST(EstimateSize, CountsARingThatItSeesWhole) {
  for (const auto& ring : kRings) {
    const size_t size = ring.others.size() + 1;
    if (size > 2 * kNearPerSide) continue;
    EXPECT_EQ(estimate_size(at(0x1000), neighbourhood_of(at(0x1000), nodes_at(ring.others))),
              static_cast<double>(size));
  }
}

TEST(EstimateSize, OfEvenlySpacedNodesIsExact) {
  // 16 nodes: six of them lie on 6/16 of the ring.
  std::vector<uint16_t> even;
  for (int i = 0; i < 16; ++i) even.push_back(static_cast<uint16_t>(i << 12));
  for (const uint16_t self : std::vector<uint16_t>{0x0000, 0x7000, 0xf000}) {
    EXPECT_DOUBLE_EQ(estimate_size(at(self), neighbourhood_of(at(self), nodes_at(even))), 16.0);
  }
  // 4096 nodes.
  std::vector<NodeId> many;
  for (int i = 0; i < 4096; ++i) many.push_back(at(static_cast<uint16_t>(i << 4)));
  EXPECT_DOUBLE_EQ(estimate_size(at(0x0010), neighbourhood_of(at(0x0010), many)), 4096.0);
}

TEST(EstimateSize, IsNeverLessThanWhatItSees) {
  // All neighbours are far away on both sides; they and we are seven.
  const auto ring = nodes_at({0x1000, 0x4000, 0x6000, 0x8000, 0x9000, 0xb000, 0xd000});
  EXPECT_GE(estimate_size(at(0x1000), neighbourhood_of(at(0x1000), ring)), 7.0);
}

TEST(EstimateSize, OfNeighboursTooNearToMeasureIsVeryLarge) {
  NodeId self = at(0x1000);
  std::vector<NodeId> ring = {self};
  for (uint8_t i = 1; i <= 6; ++i) {
    ring.push_back(self);
    ring.back().bytes[19] = i;  // 2^-160 of the ring apart.
  }
  self = ring[3];
  EXPECT_GE(estimate_size(self, neighbourhood_of(self, ring)), 1e15);
}

// "Good to a factor of about two": of a thousand nodes, each asked.
TEST(EstimateSize, OfRandomRingsIsGoodToAFactorOfTwo) {
  SeededRandom random(7);
  const auto ring = random_ring(1000, random);
  size_t good = 0;
  for (const NodeId& self : ring) {
    const double size = estimate_size(self, neighbourhood_of(self, ring));
    if (size > 500 && size < 2000) ++good;
  }
  // The span of six gaps is a sum of six exponentials, Gamma(6): it lies within [3, 12] with 89.6 %.
  EXPECT_GT(good, 850u);
  EXPECT_LT(good, 940u);
}

}  // namespace
}  // namespace ipop
