// Looks at the ring while an experiment runs: when all neighbours are right after a change, and that Zave's
// invariant (ring_check.h) holds meanwhile.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "overlay/sim/figures.h"
#include "overlay/sim/population.h"

namespace ipop::sim {

/// Between two checks of the invariant.
inline constexpr Duration kInvariantInterval = 1s;

class Watch {
 public:
  /// The references must outlive it.
  Watch(const World& world, const Population& population) : world_(world), population_(population) {}

  /// Membership or the Internet changes now: it will take a while until all neighbours are right again.
  void note_change();
  /// The Internet has so many groups, each with a ring of its own.
  void set_groups(uint32_t groups) { groups_ = groups; }
  /// Rings find each other: until all neighbours are right again there may be several.
  void set_merging() { is_merging_ = true; }
  /// Nobody waits for all neighbours to be right, since it will not happen.
  void stop_seeking() { is_seeking_ = false; }

  /// To be called often.
  void look();

  Instant changed_at() const { return changed_at_; }
  /// How long after the last change all neighbours were right for the first time.
  std::optional<Duration> right_after() const;
  /// Since the last change: seconds after it, and the share of nodes whose neighbours are right.
  const std::vector<std::pair<double, double>>& history() const { return history_; }

  /// Adds what it counted: checks of the invariant, violations, and of which kind.
  void report(Figures& figures) const;

 private:
  Duration seek_interval() const;
  void check_invariant(const RingCheck& check);

  const World& world_;
  const Population& population_;
  uint32_t groups_ = 1;
  bool is_merging_ = false;
  bool is_seeking_ = false;
  Instant changed_at_{};
  Instant seek_at_{};
  Instant invariant_at_{};
  std::optional<Instant> right_at_;
  std::vector<std::pair<double, double>> history_;

  struct Counts {
    uint64_t checks = 0;
    uint64_t violations = 0;
    uint64_t without_ring = 0;
    uint64_t several_rings = 0;
    uint64_t disordered = 0;
    uint64_t lost_appendages = 0;
    uint64_t dead_ends = 0;  ///< Nodes, summed over checks; no violation as long as nothing is lost.
  } counts_;
};

}  // namespace ipop::sim
