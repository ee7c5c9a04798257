// Time as a value.  The core never reads a clock: `now` arrives as a parameter, so a simulation may run ten
// virtual minutes in a second and a test may stand exactly on a deadline.
#pragma once

#include <chrono>
#include <cstdint>

namespace ipop {

/// Monotonic microseconds since an epoch that the shell chooses.  No now(): code that reads it does not
/// compile.
struct Clock {
  using rep = int64_t;
  using period = std::micro;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};

using Duration = Clock::duration;
using Instant = Clock::time_point;
using namespace std::chrono_literals;

/// The deadline of a machine that waits for nothing.
inline constexpr Instant kNever = Instant::max();

/// Wall-clock seconds since 1970-01-01 UTC; only certificates know this kind of time.
using UnixSeconds = int64_t;

}  // namespace ipop
