// A rate with a burst: whatever a remote can provoke (replies, log lines, floods) goes through one of these.
#pragma once

#include <algorithm>

#include "overlay/base/time.h"

namespace ipop {

/// Holds at most `burst` tokens and earns one each `interval`.  Starts full.
class TokenBucket {
 public:
  TokenBucket(Duration interval, int burst) : interval_(interval), burst_(burst), tokens_(burst) {}

  /// Takes a token if there is one.
  bool take(Instant now) {
    if (now - since_ >= interval_ * burst_) {  // Long enough to be full, however long it was.
      tokens_ = burst_;
      since_ = now;
    } else if (const auto earned = (now - since_) / interval_; earned > 0) {
      tokens_ = std::min<int64_t>(burst_, tokens_ + earned);
      since_ += interval_ * earned;
    }
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }

 private:
  Duration interval_;
  int64_t burst_;
  int64_t tokens_;
  Instant since_{};
};

}  // namespace ipop
