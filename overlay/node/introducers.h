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
/// Who sees a whole ring calls those that are not in it, each once, so long apart, and so does who is an
/// introducer: at a start of all at once pieces form that know nothing of each other, each around one.
inline constexpr Duration kNextOfFew = 1s;
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

  /// How many others we know of.
  enum class Company {
    Nobody,
    Few,  ///< A ring that we see all of, or that formed around us: it may be a piece of one.
    Many,
  };
  /// Whom to call now, if anybody.  `is_linked(node)` says of one whether we have a link to it.
  template <class IsLinked>
  std::optional<Endpoint> take_call(Instant now, Company company, IsLinked is_linked) {
    std::vector<Endpoint> callable;
    if (now < next_timeout(company)) return std::nullopt;
    for (const Introducer& introducer : introducers_) {
      if (now < introducer.is_self_until || (introducer.node && is_linked(*introducer.node))) continue;
      callable.push_back(introducer.endpoint);
    }
    return choose(now, company, callable);
  }
  /// What others see us at: perhaps we are one of these.
  void handle_here(const Endpoint& endpoint);
  bool are_we() const { return are_we_; }
  /// We have lost our last link.
  void hurry(Instant now);
  Instant next_timeout(Company company) const;

 private:
  struct Introducer {
    Endpoint endpoint;
    std::optional<NodeId> node;  ///< Who answered last.
    Instant is_self_until{};     ///< We reached ourselves there.  Addresses move, so it is tried again.
  };
  std::optional<Endpoint> choose(Instant now, Company company, const std::vector<Endpoint>& callable);
  Instant after(Instant now, Duration duration);

  Random& random_;
  std::vector<Introducer> introducers_;
  bool are_we_ = false;
  std::vector<Endpoint> called_;  ///< In this round, while we know few or nobody.
  Instant next_;
  Instant next_if_alone_;
  Instant next_if_few_;
};

}  // namespace ipop
