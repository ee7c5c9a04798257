#include "overlay/ring/broadcast.h"

#include <algorithm>

#include "overlay/ring/distance.h"

namespace ipop {

std::vector<BroadcastShare> share_broadcast(const NodeId& self, const NodeId& bound,
                                            const std::vector<NodeId>& peers) {
  std::vector<std::pair<Distance, NodeId>> inside;
  const Distance end = clockwise_distance(self, bound);
  for (const NodeId& peer : peers) {
    const Distance distance = clockwise_distance(self, peer);
    if (peer != self && (bound == self || distance < end)) inside.emplace_back(distance, peer);
  }
  std::sort(inside.begin(), inside.end());
  std::vector<BroadcastShare> out;
  for (size_t i = 0; i < inside.size(); ++i) {
    out.push_back({.peer = inside[i].second, .bound = i + 1 < inside.size() ? inside[i + 1].second : bound});
  }
  return out;
}

}  // namespace ipop
