// The nodes that a ring machine knows of, linked or not, and when to call which.  A table with rules for what
// is kept; who is wanted is for ring/ring.h to say.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "overlay/base/random.h"
#include "overlay/base/time.h"
#include "overlay/ring/contact.h"
#include "overlay/ring/neighbourhood.h"

namespace ipop {

/// Known nodes besides those that are linked, and those that were lost: the near ones of the near ones, and
/// whom peers have named.
inline constexpr size_t kMaxContacts = 96;
/// So many may be known between two times that the table is tidied: whoever tells of more is not believed.
inline constexpr size_t kMaxUntidied = 1024;
/// A node of which nobody speaks is forgotten after this.
inline constexpr Duration kHearsayLifetime = 120s;
/// One that was named, or linked, for the sake of knowing many.
inline constexpr Duration kAcquaintanceLifetime = 1h;
/// A peer that was lost without a word may be behind a partition: it is called now and then for so long.
inline constexpr Duration kLostLifetime = 24h;
/// Of these, so many are kept.
inline constexpr size_t kMaxLost = 12;
/// Pauses between calls that are not answered: the first, and the longest.
inline constexpr Duration kFirstRedial = 2s;
inline constexpr Duration kSlowestRedial = 120s;
/// Of a peer that was lost, the first.
inline constexpr Duration kLostRedial = 10s;

struct KnownNode {
  enum class State : uint8_t {
    Idle,             ///< Not linked, nothing is tried.
    Calling,          ///< At its endpoint.
    CallingOverRing,  ///< It did not answer there, or we know no endpoint.
    Linked,
  };
  Endpoint endpoint;
  State state = State::Idle;
  Instant call_at{};  ///< State::Idle: not before.
  Duration pause = kFirstRedial;
  Instant heard_at{};  ///< Somebody spoke of it, or it was linked.
  Instant called_at{};
  Instant over_ring_at{};    ///< `is_lost`: not called over the ring before.
  Instant linked_at{};       ///< State::Linked.
  Instant lost_at{};         ///< When `is_lost` became true.
  Instant traffic_until{};   ///< Guests talk with it.
  Instant direct_at{};       ///< Linked over the ring: when a direct path is looked for next.
  bool is_lost = false;      ///< Was linked and stopped answering.
  bool is_rumoured = false;  ///< `is_lost`, and somebody speaks of it, who may not have noticed: called once.
  bool is_invited = false;   ///< It asked for a link, or agreed to one: call it whatever it is to us.
  bool is_shortcut = false;  ///< Drawn by us.
  bool is_acquaintance = false;  ///< Known beyond what neighbours tell: kept longer, and dropped first.

  bool has_endpoint() const { return endpoint.port != 0; }
  bool is_linked() const { return state == State::Linked; }
  bool is_calling() const { return state == State::Calling || state == State::CallingOverRing; }
};

class Contacts {
 public:
  KnownNode* find(const NodeId& node);
  const KnownNode* find(const NodeId& node) const;
  /// The entry for `node`, made if there is none.
  KnownNode& know(Instant now, const NodeId& node);
  void forget(const NodeId& node) { nodes_.erase(node); }

  /// Ordered by identifier.
  const std::map<NodeId, KnownNode>& all() const { return nodes_; }
  std::map<NodeId, KnownNode>& all() { return nodes_; }

  /// The neighbourhood of `self` if those for whom `accepts(node, entry)` were the whole ring.  Walks from
  /// `self` outwards and no further than needed.
  template <class Accepts>
  Neighbourhood neighbourhood(const NodeId& self, Accepts accepts) const;

  /// It does not answer: the next call is later, by a pause that doubles, give or take a third.
  void put_off(Instant now, KnownNode& entry, Random& random);
  /// Drops what is too old, and of what is too much the oldest.
  void tidy(Instant now);

 private:
  std::map<NodeId, KnownNode> nodes_;
};

template <class Accepts>
Neighbourhood Contacts::neighbourhood(const NodeId& self, Accepts accepts) const {
  Neighbourhood out;
  auto next = nodes_.upper_bound(self);
  for (size_t i = 0; i < nodes_.size() && out.successors.size() < kNearPerSide; ++i) {
    if (next == nodes_.end()) next = nodes_.begin();
    if (next->first != self && accepts(next->first, next->second)) out.successors.push_back(next->first);
    ++next;
  }
  auto previous = nodes_.lower_bound(self);
  for (size_t i = 0; i < nodes_.size() && out.predecessors.size() < kNearPerSide; ++i) {
    if (previous == nodes_.begin()) previous = nodes_.end();
    --previous;
    if (previous->first != self && accepts(previous->first, previous->second)) {
      out.predecessors.push_back(previous->first);
    }
  }
  return out;
}

}  // namespace ipop
