// Randomness is passed in, so that the same seed gives the same run.
#pragma once

#include <cstdint>

#include "overlay/base/bytes.h"

namespace ipop {

/// Not thread-safe; each owner has its own.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(ByteSpan out) = 0;

  uint64_t u64();
  uint32_t u32() { return static_cast<uint32_t>(u64()); }
  /// Uniform in [0, bound).  REQUIRES: bound > 0.
  uint64_t below(uint64_t bound);
};

/// Deterministic, for simulations and tests; never for keys of a real node.  SplitMix64 (Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  void fill(ByteSpan out) override;

 private:
  uint64_t step();
  uint64_t state_;
};

}  // namespace ipop
