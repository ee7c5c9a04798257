// Judges the ring from above: what every live node believes, against what is true.
//
// Two questions.  Are all neighbours right?  That is the goal, and after every change it takes a while.  Is
// the ring valid?  That must hold at every instant: it is the invariant of Zave, "How to make Chord correct"
// (arXiv:1502.06461), over the best successors of the joined nodes: at least one ring, at most one ring, an
// ordered ring, connected appendages.
#pragma once

#include <cstddef>
#include <vector>

#include "overlay/base/node_id.h"

namespace ipop::sim {

/// How many neighbours on each side have to be right; all of them in a ring that has not so many.
inline constexpr size_t kRightPerSide = 3;

/// What one live node believes; both lists nearest first.
struct RingNode {
  NodeId id;
  bool joined = false;
  std::vector<NodeId> successors;
  std::vector<NodeId> predecessors;
};

struct RingCheck {
  size_t nodes = 0;
  size_t right = 0;  ///< Nodes whose nearest kRightPerSide neighbours on both sides are the true ones.

  // The rest is about joined nodes, and counts no others.  The best successor of a node is the first in its
  // list that is live and joined, or else the first that is live: where many join at once the way leads
  // through some that have not joined yet.  A joined one that knows nobody is its own, as a ring of one is.
  size_t joined = 0;
  size_t rings = 0;       ///< Cycles of best successors that joined nodes lead to.
  size_t disordered = 0;  ///< Cycles that pass their own beginning before they close.
  size_t appendages = 0;  ///< Nodes on no cycle.
  size_t lost = 0;        ///< Appendages whose best successors lead to no cycle, but to a dead end.
  size_t dead_ends = 0;   ///< Nodes that know others, none of them live.

  bool all_right() const { return right == nodes; }
  /// Zave's invariant; also true before the first node has joined.
  bool is_valid() const { return joined == 0 || (rings == 1 && disordered == 0 && lost == 0); }
};

/// `live` in any order, each node once.  Takes the time to sort them.
RingCheck check_ring(const std::vector<RingNode>& live);

}  // namespace ipop::sim
