// The members that an invite names: called one after the other until one answers, and again while we know
// nobody.
#pragma once

#include <optional>
#include <vector>

#include "overlay/base/node_id.h"
#include "overlay/base/random.h"
#include "overlay/base/time.h"
#include "overlay/wire/address.h"

namespace ipop {

/// How long an introducer's endpoint that turned out to be our own is left alone.
inline constexpr Duration kSelfPatience = 300s;
/// Who knows nobody gives each so long to answer before it calls the next one, too: every introducer that
/// answers looks for the newcomer's place, which is work for all.
inline constexpr Duration kNextIntroducer = 80ms;
/// While we know nobody all are called, and again after this; each call repeats itself meanwhile.
inline constexpr Duration kIntroductionInterval = 10s;
/// A member of a ring calls one of them now and then: that is what joins two rings that began apart.  The
/// first time comes sooner.
inline constexpr Duration kFirstReassurance = 150s;
inline constexpr Duration kReassuranceInterval = 900s;

class Introducers {
 public:
  Introducers(const std::vector<Endpoint>& endpoints, Instant now, Random& random);

  /// Somebody answered there, or it was ourselves.
  void handle_answered(const Endpoint& endpoint, const NodeId& node);
  void handle_self(Instant now, const Endpoint& endpoint);

  /// Whom to call now, if anybody.  `is_alone`: we have no link; `is_linked(node)` says of one whether we have
  /// a link to it.
  template <class IsLinked>
  std::optional<Endpoint> take_call(Instant now, bool is_alone, IsLinked is_linked) {
    std::vector<Endpoint> callable;
    const bool is_due = now >= next_ || (is_alone && now >= next_if_alone_);
    if (!is_due) return std::nullopt;
    for (const Introducer& introducer : introducers_) {
      if (now < introducer.is_self_until || (introducer.node && is_linked(*introducer.node))) continue;
      callable.push_back(introducer.endpoint);
    }
    return choose(now, is_alone, callable);
  }
  /// We have lost our last link.
  void hurry(Instant now);
  Instant next_timeout(bool is_alone) const;

 private:
  struct Introducer {
    Endpoint endpoint;
    std::optional<NodeId> node;  ///< Who answered last.
    Instant is_self_until{};     ///< We reached ourselves there.  Addresses move, so it is tried again.
  };
  std::optional<Endpoint> choose(Instant now, bool is_alone, const std::vector<Endpoint>& callable);
  Instant after(Instant now, Duration duration);

  Random& random_;
  std::vector<Introducer> introducers_;
  std::vector<Endpoint> called_;  ///< In this round, while we are alone.
  Instant next_;
  Instant next_if_alone_;
};

}  // namespace ipop
