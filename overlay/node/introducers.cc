#include "overlay/node/introducers.h"

#include <algorithm>

namespace ipop {

Introducers::Introducers(const std::vector<Endpoint>& endpoints, Instant now, Random& random)
    : random_(random), next_(now), next_if_alone_(now) {
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

void Introducers::schedule(Instant now) {
  // Give or take a sixth: nodes that started together drift apart.
  const auto jittered = [&](Duration duration) {
    return now + duration * 5 / 6 + Duration(random_.below((duration / 3).count()));
  };
  next_ = jittered(kReassuranceInterval);
  next_if_alone_ = jittered(kIntroductionInterval);
}

}  // namespace ipop
