// Places on the circle for tests: named by their first octets, so that a test can be drawn on a clock face.
#pragma once

#include <algorithm>
#include <vector>

#include "overlay/base/random.h"
#include "overlay/ring/distance.h"

namespace ipop::ring_testing {

/// The node at `turn`/65536 of the circle.
inline NodeId at(uint16_t turn) {
  NodeId out;
  out.bytes[0] = static_cast<uint8_t>(turn >> 8);
  out.bytes[1] = static_cast<uint8_t>(turn);
  return out;
}

inline std::vector<NodeId> nodes_at(const std::vector<uint16_t>& turns) {
  std::vector<NodeId> out;
  for (const uint16_t turn : turns) out.push_back(at(turn));
  return out;
}

inline NodeId random_node(Random& random) {
  NodeId out;
  random.fill(out.bytes);
  return out;
}

/// `n` nodes in ascending order.
inline std::vector<NodeId> random_ring(size_t n, Random& random) {
  std::vector<NodeId> out;
  for (size_t i = 0; i < n; ++i) out.push_back(random_node(random));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace ipop::ring_testing
