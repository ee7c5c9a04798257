#include "overlay/sim/ring_check.h"

#include <algorithm>
#include <optional>

namespace ipop::sim {
namespace {

constexpr size_t kNowhere = ~size_t{0};

using Ring = std::vector<const RingNode*>;

Ring sorted(const std::vector<RingNode>& live, bool only_joined) {
  Ring out;
  out.reserve(live.size());
  for (const RingNode& node : live) {
    if (node.joined || !only_joined) out.push_back(&node);
  }
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
  if (successors.empty()) return place;
  const size_t next = (place + 1) % ring.size();
  if (successors.front() == ring[next]->id) return next;  // Nearly always: saves the search.
  for (const NodeId& id : successors) {
    const size_t found = find(ring, id);
    if (found != kNowhere && found != place) return found;
  }
  return kNowhere;
}

/// Follows the best successors from every node.  A walk ends on a cycle of its own, at a dead end, or where
/// an earlier walk has been, whose fate it shares.
void judge_cycles(const std::vector<size_t>& next, RingCheck& check) {
  enum class Fate : uint8_t { Unknown, Walking, Cycle, Appendage, Lost };
  std::vector<Fate> fates(next.size(), Fate::Unknown);
  std::vector<size_t> walk;
  for (size_t start = 0; start < next.size(); ++start) {
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
    for (const size_t place : walk) fates[place] = is_lost ? Fate::Lost : Fate::Appendage;
    check.appendages += walk.size();
    check.lost += is_lost ? walk.size() : 0;
  }
}

}  // namespace

RingCheck check_ring(const std::vector<RingNode>& live) {
  RingCheck check{.nodes = live.size()};
  const Ring all = sorted(live, false);
  for (size_t place = 0; place < all.size(); ++place) check.right += is_right(all, place);

  const Ring joined = sorted(live, true);
  check.joined = joined.size();
  std::vector<size_t> next(joined.size());
  for (size_t place = 0; place < joined.size(); ++place) {
    next[place] = best_successor(joined, place);
    check.dead_ends += next[place] == kNowhere;
  }
  judge_cycles(next, check);
  return check;
}

}  // namespace ipop::sim
