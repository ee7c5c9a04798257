// One message to every node, each node once: each hands parts of its range of the circle to those of its peers
// that lie in them (as the bounded broadcast of Brunet and the bounded flood of EdgeVPN).  Depth O(log n).
#pragma once

#include <vector>

#include "overlay/base/node_id.h"

namespace ipop {

struct BroadcastShare {
  NodeId peer;
  NodeId bound;  ///< The peer's range ends before this node.
  bool operator==(const BroadcastShare&) const = default;
};

/// Divides the nodes between `self` and `bound`, clockwise, both excluded, among the `peers` there; `bound` ==
/// `self` means the whole ring.  `peers`: in ascending order.
std::vector<BroadcastShare> share_broadcast(const NodeId& self, const NodeId& bound,
                                            const std::vector<NodeId>& peers);

}  // namespace ipop
