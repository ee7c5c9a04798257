#include "overlay/node/introducers.h"

#include <algorithm>
#include <iterator>

#include "overlay/base/jitter.h"

namespace ipop {

Introducers::Introducers(const std::vector<Endpoint>& endpoints, Instant now, Random& random)
    : random_(random),
      next_(after(now, kFirstReassurance)),
      next_if_alone_(now),
      next_if_few_(now + kNextOfFew) {
  for (const Endpoint& endpoint : endpoints) introducers_.push_back({.endpoint = endpoint, .node = {}});
}

void Introducers::handle_answered(const Endpoint& endpoint, const NodeId& node) {
  for (Introducer& introducer : introducers_) {
    if (introducer.endpoint == endpoint) introducer.node = node;
  }
}

void Introducers::handle_self(Instant now, const Endpoint& endpoint) {
  for (Introducer& introducer : introducers_) {
    if (introducer.endpoint == endpoint) introducer.is_self_until = now + kSelfPatience;
  }
}

Instant Introducers::next_timeout(Company company) const {
  if (introducers_.empty()) return kNever;
  switch (company) {
    case Company::Nobody:
      return std::min(next_, next_if_alone_);
    case Company::Few:
      return std::min(next_, next_if_few_);
    case Company::Many:
      break;
  }
  return next_;
}

void Introducers::handle_here(const Endpoint& endpoint) {
  are_we_ = std::any_of(introducers_.begin(), introducers_.end(),
                        [&](const Introducer& introducer) { return introducer.endpoint == endpoint; });
}

void Introducers::hurry(Instant now) {
  next_if_alone_ = now;
  next_if_few_ = now + kNextOfFew;
  called_.clear();
}

/// Any of them; while we are alone, each once in a round, and among few each once.
std::optional<Endpoint> Introducers::choose(Instant now, Company company,
                                            const std::vector<Endpoint>& callable) {
  const bool is_alone = company == Company::Nobody;
  const bool is_regular = company == Company::Many || (company == Company::Few && now >= next_);
  std::vector<Endpoint> left;
  std::copy_if(callable.begin(), callable.end(), std::back_inserter(left), [&](const Endpoint& endpoint) {
    return is_regular || std::find(called_.begin(), called_.end(), endpoint) == called_.end();
  });
  if (company == Company::Few && !is_regular) {
    next_if_few_ = left.empty() ? kNever : now + kNextOfFew;
    if (left.empty()) return std::nullopt;
    called_.push_back(left[random_.below(left.size())]);
    return called_.back();
  }
  next_ = after(now, kReassuranceInterval);
  const bool ends_round = !is_alone || left.size() <= 1;
  next_if_alone_ = ends_round ? after(now, kIntroductionInterval) : now + kNextIntroducer;
  std::optional<Endpoint> chosen;
  if (!left.empty()) chosen = left[random_.below(left.size())];
  if (ends_round) {
    called_.clear();
  } else {
    called_.push_back(*chosen);
  }
  return chosen;
}

/// Give or take a sixth: nodes that started together drift apart.
Instant Introducers::after(Instant now, Duration duration) { return now + jittered(duration, random_); }

}  // namespace ipop
