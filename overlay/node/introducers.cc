#include "overlay/node/introducers.h"

#include <algorithm>
#include <iterator>

namespace ipop {

Introducers::Introducers(const std::vector<Endpoint>& endpoints, Instant now, Random& random)
    : random_(random), next_(after(now, kFirstReassurance)), next_if_alone_(now) {
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

Instant Introducers::next_timeout(bool is_alone) const {
  if (introducers_.empty()) return kNever;
  return is_alone ? std::min(next_, next_if_alone_) : next_;
}

void Introducers::hurry(Instant now) {
  next_if_alone_ = now;
  called_.clear();
}

/// Any of them; while we are alone, each once in a round.
std::optional<Endpoint> Introducers::choose(Instant now, bool is_alone,
                                            const std::vector<Endpoint>& callable) {
  std::vector<Endpoint> left;
  std::copy_if(callable.begin(), callable.end(), std::back_inserter(left), [&](const Endpoint& endpoint) {
    return !is_alone || std::find(called_.begin(), called_.end(), endpoint) == called_.end();
  });
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
Instant Introducers::after(Instant now, Duration duration) {
  return now + duration * 5 / 6 + Duration(random_.below((duration / 3).count()));
}

}  // namespace ipop
