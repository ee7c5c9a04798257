#include "overlay/ring/neighbourhood.h"

#include <algorithm>

#include "overlay/ring/distance.h"

namespace ipop {

bool Neighbourhood::contains(const NodeId& node) const {
  return std::find(successors.begin(), successors.end(), node) != successors.end() ||
         std::find(predecessors.begin(), predecessors.end(), node) != predecessors.end();
}

std::vector<NodeId> Neighbourhood::all() const {
  std::vector<NodeId> out = successors;
  for (const NodeId& node : predecessors) {
    if (std::find(successors.begin(), successors.end(), node) == successors.end()) out.push_back(node);
  }
  return out;
}

Neighbourhood neighbourhood_of(const NodeId& self, const std::vector<NodeId>& sorted) {
  Neighbourhood out;
  const auto after =
      static_cast<size_t>(std::upper_bound(sorted.begin(), sorted.end(), self) - sorted.begin());
  const auto before =
      static_cast<size_t>(std::lower_bound(sorted.begin(), sorted.end(), self) - sorted.begin());
  const size_t others = sorted.size() - (after - before);
  const size_t n = sorted.size();
  for (size_t i = 0; i < std::min(kNearPerSide, others); ++i) {
    out.successors.push_back(sorted[(after + i) % n]);
    out.predecessors.push_back(sorted[(before + n - 1 - i) % n]);
  }
  return out;
}

std::vector<NodeId> arrivals(const NodeId& self, const Neighbourhood& before, const Neighbourhood& near) {
  std::vector<NodeId> out;
  const auto note_side = [&](const std::vector<NodeId>& old_side, const std::vector<NodeId>& side,
                             auto distance) {
    for (const NodeId& node : side) {
      const bool moved_up = old_side.size() == kNearPerSide && distance(old_side.back()) < distance(node);
      const bool is_noted = std::find(out.begin(), out.end(), node) != out.end();
      if (!before.contains(node) && !moved_up && !is_noted) out.push_back(node);
    }
  };
  note_side(before.successors, near.successors,
            [&](const NodeId& node) { return clockwise_distance(self, node); });
  note_side(before.predecessors, near.predecessors,
            [&](const NodeId& node) { return clockwise_distance(node, self); });
  return out;
}

double estimate_size(const NodeId& self, const Neighbourhood& near) {
  const auto all = near.all();
  if (all.size() < 2 * kNearPerSide) return static_cast<double>(all.size() + 1);  // We see the whole ring.
  const double span = clockwise_distance(near.predecessors.back(), self).fraction() +
                      clockwise_distance(self, near.successors.back()).fraction();
  return span > 0 ? std::max(static_cast<double>(all.size()) / span, static_cast<double>(all.size() + 1))
                  : 1e18;
}

}  // namespace ipop
