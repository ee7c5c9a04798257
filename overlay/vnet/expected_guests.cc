#include "overlay/vnet/expected_guests.h"

#include <algorithm>

namespace ipop {
namespace {

template <class T>
std::optional<T> pop(std::deque<T>& queue) {
  if (queue.empty()) return std::nullopt;
  T front = queue.front();
  queue.pop_front();
  return front;
}

}  // namespace

Result<Done> ExpectedGuests::expect(Instant now, const MacAddress& mac) {
  if (mac.is_group() || mac.is_zero()) return Error::Malformed;
  if (!expected_.contains(mac) && expected_.size() >= kMaxExpected) return Error::Full;
  expected_[mac] = {.until = now + kLifetime, .look_at = now};
  handle_timeout(now);
  return Done{};
}

void ExpectedGuests::handle_binding(const Binding& binding) {
  if (!expected_.contains(binding.mac)) return;
  if (binding.node == own_) {
    expected_.erase(binding.mac);
  } else {
    hosts_.push_back(binding.node);
  }
}

std::optional<MacAddress> ExpectedGuests::poll_question() { return pop(questions_); }

std::optional<NodeId> ExpectedGuests::poll_host() { return pop(hosts_); }

Instant ExpectedGuests::next_timeout() const {
  Instant out = kNever;
  for (const auto& [mac, expected] : expected_) out = std::min(out, expected.look_at);
  return out;
}

/// What the map knows may be old, so the network is asked, too.
void ExpectedGuests::handle_timeout(Instant now) {
  std::erase_if(expected_, [now](const auto& entry) { return entry.second.until <= now; });
  for (auto& [mac, expected] : expected_) {
    if (expected.look_at > now) continue;
    expected.look_at = now + kInterval;
    questions_.push_back(mac);
    if (const auto known = map_.find_mac(mac); known && known->node != own_) hosts_.push_back(known->node);
  }
}

}  // namespace ipop
