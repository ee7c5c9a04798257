// A number that stands for all datagrams of a run: two runs of one seed must have the same.
#pragma once

#include <cstdint>
#include <cstring>

#include "overlay/base/bytes.h"

namespace ipop::sim {

/// Eight octets at a time by the mixer of SplitMix64.  Not cryptographic: nobody attacks it.
class Digest {
 public:
  void add(uint64_t word) {
    state_ = (state_ ^ word) * 0xbf58476d1ce4e5b9;
    state_ ^= state_ >> 29;
  }
  void add(ByteView bytes) {
    add(bytes.size());
    while (!bytes.empty()) {
      uint64_t word = 0;
      const size_t n = bytes.size() < sizeof word ? bytes.size() : sizeof word;
      std::memcpy(&word, bytes.data(), n);
      add(word);
      bytes = bytes.subspan(n);
    }
  }

  /// 53 bits, so that it survives as a number of JSON.
  uint64_t value() const { return state_ >> 11; }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
};

}  // namespace ipop::sim
