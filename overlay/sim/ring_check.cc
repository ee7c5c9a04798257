#include "overlay/sim/ring_check.h"

#include <algorithm>
#include <optional>

namespace ipop::sim {
namespace {

constexpr size_t kNowhere = ~size_t{0};

using Ring = std::vector<const RingNode*>;

Ring sorted(const std::vector<RingNode>& live) {
  Ring out;
  out.reserve(live.size());
  for (const RingNode& node : live) out.push_back(&node);
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  return out;
}

/// Whether the lists of the node at `place` begin with its true neighbours.
bool is_right(const Ring& ring, size_t place) {
  const RingNode& node = *ring[place];
  const size_t wanted = std::min(kRightPerSide, ring.size() - 1);
  if (node.successors.size() < wanted || node.predecessors.size() < wanted) return false;
  for (size_t i = 0; i < wanted; ++i) {
    if (node.successors[i] != ring[(place + i + 1) % ring.size()]->id) return false;
    if (node.predecessors[i] != ring[(place + ring.size() - i - 1) % ring.size()]->id) return false;
  }
  return true;
}

size_t find(const Ring& ring, const NodeId& id) {
  const auto at =
      std::lower_bound(ring.begin(), ring.end(), id,
                       [](const RingNode* node, const NodeId& wanted) { return node->id < wanted; });
  return at != ring.end() && (*at)->id == id ? static_cast<size_t>(at - ring.begin()) : kNowhere;
}

size_t best_successor(const Ring& ring, size_t place) {
  const auto& successors = ring[place]->successors;
  if (successors.empty()) return ring[place]->joined ? place : kNowhere;
  const size_t next = (place + 1) % ring.size();
  if (ring[next]->joined && successors.front() == ring[next]->id) return next;  // Nearly always.
  size_t first_live = kNowhere;
  for (const NodeId& id : successors) {
    const size_t found = find(ring, id);
    if (found == kNowhere || found == place) continue;
    if (ring[found]->joined) return found;
    if (first_live == kNowhere) first_live = found;
  }
  return first_live;
}

/// Follows the best successors from every joined node.  A walk ends on a cycle of its own, at a dead end, or
/// where an earlier walk has been, whose fate it shares.
void judge_cycles(const Ring& ring, const std::vector<size_t>& next, RingCheck& check) {
  enum class Fate : uint8_t { Unknown, Walking, Cycle, Appendage, Lost };
  std::vector<Fate> fates(next.size(), Fate::Unknown);
  std::vector<size_t> walk;
  for (size_t start = 0; start < next.size(); ++start) {
    if (!ring[start]->joined) continue;
    walk.clear();
    size_t at = start;
    while (at != kNowhere && fates[at] == Fate::Unknown) {
      fates[at] = Fate::Walking;
      walk.push_back(at);
      at = next[at];
    }
    const bool is_lost = at == kNowhere || fates[at] == Fate::Lost;
    if (!is_lost && fates[at] == Fate::Walking) {  // A new cycle, from `at` to the end of the walk.
      ++check.rings;
      size_t wraps = 0;
      do {
        wraps += walk.back() >= next[walk.back()];  // Places are in clockwise order.
        fates[walk.back()] = Fate::Cycle;
        walk.pop_back();
      } while (fates[at] == Fate::Walking);
      check.disordered += wraps != 1;
    }
    for (const size_t place : walk) {
      fates[place] = is_lost ? Fate::Lost : Fate::Appendage;
      check.appendages += ring[place]->joined;
      check.lost += is_lost && ring[place]->joined;
    }
  }
}

}  // namespace

RingCheck check_ring(const std::vector<RingNode>& live) {
  RingCheck check{.nodes = live.size()};
  const Ring ring = sorted(live);
  std::vector<size_t> next(ring.size());
  for (size_t place = 0; place < ring.size(); ++place) {
    next[place] = best_successor(ring, place);
    check.right += is_right(ring, place);
    check.joined += ring[place]->joined;
    check.dead_ends += ring[place]->joined && next[place] == kNowhere;
  }
  judge_cycles(ring, next, check);
  return check;
}

}  // namespace ipop::sim
