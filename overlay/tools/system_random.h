// The kernel's random numbers, for keys.
#pragma once

#include <sys/random.h>

#include <algorithm>

#include "overlay/base/assert.h"
#include "overlay/base/random.h"

namespace ipop {

class SystemRandom : public Random {
 public:
  void fill(ByteSpan out) override {
    constexpr size_t kUninterrupted = 256;  // getrandom(2): up to so many octets are never cut short.
    while (!out.empty()) {
      const ByteSpan piece = out.first(std::min(out.size(), kUninterrupted));
      IPOP_ASSERT(getrandom(piece.data(), piece.size(), 0) == static_cast<ssize_t>(piece.size()));
      out = out.subspan(piece.size());
    }
  }
};

}  // namespace ipop
