// Who is near on the ring, of a set of nodes; and what that says of the ring's size.
#pragma once

#include <vector>

#include "overlay/base/node_id.h"

namespace ipop {

/// Neighbours that a node keeps on each side.  One more than the failures at once (r = 2) that never part the
/// ring: Zave, "How to make Chord correct", arXiv 1502.06461, asks for r + 1.
inline constexpr size_t kNearPerSide = 3;

struct Neighbourhood {
  std::vector<NodeId> successors;    ///< Clockwise, the nearest first; at most kNearPerSide.
  std::vector<NodeId> predecessors;  ///< The other way.

  bool contains(const NodeId& node) const;
  /// Both sides, each node once: in a ring of up to 2 x kNearPerSide others a node may stand on both.
  std::vector<NodeId> all() const;
  bool operator==(const Neighbourhood&) const = default;
};

/// `sorted`: distinct nodes in ascending order; `self` among them does not count.
Neighbourhood neighbourhood_of(const NodeId& self, const std::vector<NodeId>& sorted);

/// Who is near now and was not before, each node once, without those who only moved up since others went:
/// they stand beyond all who were near on their side.
std::vector<NodeId> arrivals(const NodeId& self, const Neighbourhood& before, const Neighbourhood& near);

/// How many nodes the ring has, ourselves included, if identifiers lie as densely everywhere as here.  Good
/// to a factor of about two, which is enough for a logarithm.
double estimate_size(const NodeId& self, const Neighbourhood& near);

}  // namespace ipop
