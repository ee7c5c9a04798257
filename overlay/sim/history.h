// Who held which address when, and whether that was as docs/addresses.md guarantees: a checker of whole runs
// that knows nothing of how it is done.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "overlay/base/time.h"
#include "overlay/wire/address.h"

namespace ipop::sim {

class History {
 public:
  /// How long after a heal two sides may need to find each other and to decide.
  static constexpr Duration kResolve = 90s;
  /// What one alone has so long after a heal is decided, should they fall apart again.
  static constexpr Duration kDecided = 30s;

  struct Holding {
    uint32_t guest;
    Ipv4Address ip;
    uint32_t group;  ///< The partition that its host is in.
    auto operator<=>(const Holding&) const = default;
  };

  /// All that live guests hold at that time.  To be told every now and then, in order.
  void observe(Instant at, const std::vector<Holding>& holdings);
  /// Partitions can exchange messages again, and are to become one.  What they disagree about is in dispute;
  /// so is whatever two guests get until note_heal(), wherever they are: which replicas a node asks changes.
  void note_contact();
  /// They are one from now on.  What they disagree about, and what was in dispute, is to be decided within
  /// kResolve.
  void note_heal(Instant at);
  /// Partitions again, perhaps before they have decided: that is for after the next heal then.
  void note_split(Instant at);
  /// A guest ends, moves, or gives its address back: nobody need be there when a conflict of its is decided.
  void note_end(uint32_t guest);
  /// A guest is paused, at some time since the last decision.  Its host need not have it any more at the
  /// next.
  void note_silence(uint32_t guest) { silent_.insert(guest); }

  /// One sentence for each violation.
  const std::vector<std::string>& violations() const { return violations_; }
  size_t observations() const { return observations_; }
  /// Addresses that two sides of a partition had given to different guests, when it healed or since.
  size_t conflicts() const { return conflicts_; }

 private:
  void dispute();
  std::set<uint32_t> holders(Ipv4Address ip, const std::set<uint32_t>& among) const;
  void decide(Instant at);
  void violate(Instant at, Ipv4Address ip, const std::string& what);

  std::vector<Holding> last_;
  std::map<Ipv4Address, std::set<uint32_t>> disputed_;  ///< Since the parts met, and by whom.
  std::set<Ipv4Address> excused_;                       ///< Of these: one that may have won is gone.
  std::set<uint32_t> silent_;
  std::set<std::pair<Ipv4Address, uint32_t>> reported_;
  bool is_meeting_ = false;
  Instant decide_at_ = kNever;
  size_t observations_ = 0;
  size_t conflicts_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace ipop::sim
