// Frames that wait for something about their destination: its place, for a MAC, or a link, for a node.  They
// wait, bounded and not for long, and leave in the order they came: the first packet of a conversation is not
// lost.  A calculation: no I/O.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/base/time.h"

namespace ipop {

template <class Key, size_t kPerKey = 16, size_t kInAll = 256>
class FrameHold {
 public:
  static constexpr size_t kMaxFramesPerKey = kPerKey;
  static constexpr size_t kMaxFrames = kInAll;
  static constexpr size_t kMaxBytes = 1 << 20;
  static constexpr Duration kMaxAge =
      3s;  ///< As long as Resolver asks, and longer than a handshake over the ring takes.

  /// Full if there is no room.
  Result<Done> hold(Instant now, const Key& dst, ByteView frame);
  /// All frames for `dst`, the oldest first.
  std::vector<Bytes> release(const Key& dst);

  Instant next_timeout() const;
  /// Drops what is too old and returns how many.
  size_t handle_timeout(Instant now);
  size_t size() const { return frames_; }

 private:
  struct Held {
    Instant since;
    Bytes frame;
  };
  void forget(const Held& held);  ///< Takes it off the sums.

  std::map<Key, std::deque<Held>> queues_;
  size_t frames_ = 0;
  size_t bytes_ = 0;
};

template <class Key, size_t kPerKey, size_t kInAll>
Result<Done> FrameHold<Key, kPerKey, kInAll>::hold(Instant now, const Key& dst, ByteView frame) {
  const auto queue = queues_.find(dst);
  if (frames_ >= kMaxFrames || bytes_ + frame.size() > kMaxBytes ||
      (queue != queues_.end() && queue->second.size() >= kMaxFramesPerKey)) {
    return Error::Full;
  }
  queues_[dst].push_back({.since = now, .frame = Bytes(frame.begin(), frame.end())});
  ++frames_;
  bytes_ += frame.size();
  return Done{};
}

template <class Key, size_t kPerKey, size_t kInAll>
std::vector<Bytes> FrameHold<Key, kPerKey, kInAll>::release(const Key& dst) {
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

template <class Key, size_t kPerKey, size_t kInAll>
void FrameHold<Key, kPerKey, kInAll>::forget(const Held& held) {
  --frames_;
  bytes_ -= held.frame.size();
}

template <class Key, size_t kPerKey, size_t kInAll>
Instant FrameHold<Key, kPerKey, kInAll>::next_timeout() const {
  Instant out = kNever;
  for (const auto& [dst, queue] : queues_) out = std::min(out, queue.front().since + kMaxAge);
  return out;
}

template <class Key, size_t kPerKey, size_t kInAll>
size_t FrameHold<Key, kPerKey, kInAll>::handle_timeout(Instant now) {
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
