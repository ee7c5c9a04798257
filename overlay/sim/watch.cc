#include "overlay/sim/watch.h"

namespace ipop::sim {
namespace {

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void Watch::note_change() {
  changed_at_ = world_.now();
  seek_at_ = world_.now();
  is_seeking_ = true;
  right_at_.reset();
  history_.clear();
}

/// A look at ten thousand nodes takes milliseconds: it has to be rarer than at a few hundred.
Duration Watch::seek_interval() const { return population_.running().size() <= 300 ? 10ms : 100ms; }

void Watch::look() {
  const Instant now = world_.now();
  const bool is_invariant_due = now >= invariant_at_;
  if (!is_invariant_due && (!is_seeking_ || now < seek_at_)) return;
  seek_at_ = now + seek_interval();
  size_t nodes = 0;
  size_t right = 0;
  for (uint32_t group = 0; group < groups_; ++group) {
    const RingCheck check = check_ring(population_.beliefs(group));
    nodes += check.nodes;
    right += check.right;
    if (is_invariant_due && !is_merging_) check_invariant(check);
  }
  if (is_invariant_due) invariant_at_ = now + kInvariantInterval;
  if (nodes == 0) return;
  history_.emplace_back(in_seconds(now - changed_at_),
                        static_cast<double>(right) / static_cast<double>(nodes));
  if (is_seeking_ && right == nodes) {
    right_at_ = now;
    is_seeking_ = false;
    is_merging_ = false;
  }
}

void Watch::check_invariant(const RingCheck& check) {
  ++counts_.checks;
  counts_.violations += !check.is_valid();
  counts_.without_ring += check.joined > 0 && check.rings == 0;
  counts_.several_rings += check.rings > 1;
  counts_.disordered += check.disordered > 0;
  counts_.lost_appendages += check.lost > 0;
  counts_.dead_ends += check.dead_ends;
}

std::optional<Duration> Watch::right_after() const {
  if (!right_at_) return std::nullopt;
  return *right_at_ - changed_at_;
}

void Watch::report(Figures& figures) const {
  figures.set("invariant_checks", static_cast<double>(counts_.checks));
  figures.set("invariant_violations", static_cast<double>(counts_.violations));
  figures.set("violations_no_ring", static_cast<double>(counts_.without_ring));
  figures.set("violations_several_rings", static_cast<double>(counts_.several_rings));
  figures.set("violations_disordered", static_cast<double>(counts_.disordered));
  figures.set("violations_lost_appendages", static_cast<double>(counts_.lost_appendages));
  figures.set("dead_ends", static_cast<double>(counts_.dead_ends));
}

}  // namespace ipop::sim
