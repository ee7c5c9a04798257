// How often each Error was met.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "overlay/base/result.h"

namespace ipop {

/// One counter an Error.  Any thread may add and read; relaxed, since a statistic orders nothing.
class ErrorCounters {
 public:
  void add(Error error, uint64_t n = 1) { slot(error).fetch_add(n, std::memory_order_relaxed); }
  uint64_t get(Error error) const {
    return counts_[static_cast<size_t>(error)].load(std::memory_order_relaxed);
  }

 private:
  std::atomic<uint64_t>& slot(Error error) { return counts_[static_cast<size_t>(error)]; }
  std::array<std::atomic<uint64_t>, kErrorCount> counts_{};
};

}  // namespace ipop
