// The round trip of a link, and how long to wait for an answer: RFC 6298, with the floor of a network whose
// nodes answer at once.
#pragma once

#include <algorithm>
#include <optional>

#include "overlay/base/time.h"

namespace ipop {

inline constexpr Duration kShortestRetryTimeout = 150ms;
inline constexpr Duration kLongestRetryTimeout = 1s;  ///< Also before the first sample, RFC 6298 (2.1).

class RoundTrip {
 public:
  void add(Duration sample) {
    if (!smoothed_) {
      smoothed_ = sample;
      variation_ = sample / 2;
      return;
    }
    const Duration deviation = *smoothed_ > sample ? *smoothed_ - sample : sample - *smoothed_;
    variation_ += (deviation - variation_) / 4;
    *smoothed_ += (sample - *smoothed_) / 8;
  }

  std::optional<Duration> smoothed() const { return smoothed_; }
  Duration retry_timeout() const {
    if (!smoothed_) return kLongestRetryTimeout;
    return std::clamp(*smoothed_ + 4 * variation_, kShortestRetryTimeout, kLongestRetryTimeout);
  }

 private:
  std::optional<Duration> smoothed_;
  Duration variation_{};
};

}  // namespace ipop
