#include "overlay/vnet/frame_hold.h"

#include <algorithm>

namespace ipop {

Result<Done> FrameHold::hold(Instant now, const MacAddress& dst, ByteView frame) {
  const auto queue = queues_.find(dst);
  if (frames_ >= kMaxFrames || bytes_ + frame.size() > kMaxBytes ||
      (queue != queues_.end() && queue->second.size() >= kMaxFramesPerMac)) {
    return Error::Full;
  }
  queues_[dst].push_back({.since = now, .frame = Bytes(frame.begin(), frame.end())});
  ++frames_;
  bytes_ += frame.size();
  return Done{};
}

std::vector<Bytes> FrameHold::release(const MacAddress& dst) {
  std::vector<Bytes> out;
  const auto queue = queues_.find(dst);
  if (queue == queues_.end()) return out;
  for (Held& held : queue->second) {
    forget(held);
    out.push_back(std::move(held.frame));
  }
  queues_.erase(queue);
  return out;
}

void FrameHold::forget(const Held& held) {
  --frames_;
  bytes_ -= held.frame.size();
}

Instant FrameHold::next_timeout() const {
  Instant out = kNever;
  for (const auto& [dst, queue] : queues_) out = std::min(out, queue.front().since + kMaxAge);
  return out;
}

size_t FrameHold::handle_timeout(Instant now) {
  size_t dropped = 0;
  for (auto queue = queues_.begin(); queue != queues_.end();) {
    auto& held = queue->second;
    while (!held.empty() && held.front().since + kMaxAge <= now) {
      forget(held.front());
      held.pop_front();
      ++dropped;
    }
    queue = held.empty() ? queues_.erase(queue) : std::next(queue);
  }
  return dropped;
}

}  // namespace ipop
