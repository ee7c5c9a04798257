// Frames for a MAC whose place is being asked for.  They wait, bounded and not for long, and leave in the
// order they came: the first packet of a conversation is not lost.  A calculation: no I/O.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/wire/address.h"

namespace ipop {

class FrameHold {
 public:
  static constexpr size_t kMaxFramesPerMac = 16;
  static constexpr size_t kMaxFrames = 256;
  static constexpr size_t kMaxBytes = 1 << 20;
  static constexpr Duration kMaxAge = 3s;  ///< As long as Resolver asks.

  /// Full if there is no room.
  Result<Done> hold(Instant now, const MacAddress& dst, ByteView frame);
  /// All frames for `dst`, the oldest first.
  std::vector<Bytes> release(const MacAddress& dst);

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

  std::map<MacAddress, std::deque<Held>> queues_;
  size_t frames_ = 0;
  size_t bytes_ = 0;
};

}  // namespace ipop
