#include "overlay/base/random.h"

#include <algorithm>
#include <cstring>

namespace ipop {

uint64_t Random::u64() {
  std::array<uint8_t, 8> raw;
  fill(raw);
  uint64_t value;
  std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

uint64_t Random::below(uint64_t bound) {
  const uint64_t unfair = -bound % bound;  // 2^64 mod bound: values below it would be drawn once too often.
  for (;;) {
    const uint64_t value = u64();
    if (value >= unfair) return value % bound;
  }
}

void SeededRandom::fill(ByteSpan out) {
  while (!out.empty()) {
    const uint64_t value = step();
    const size_t n = std::min(out.size(), sizeof value);
    std::memcpy(out.data(), &value, n);
    out = out.subspan(n);
  }
}

uint64_t SeededRandom::step() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

}  // namespace ipop
