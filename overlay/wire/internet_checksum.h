// The Internet checksum (RFC 1071).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "overlay/base/bytes.h"

namespace ipop {

/// A ones' complement sum under way.  RFC 1071 lets us add words in the machine's own byte order, wide.
class InternetChecksum {
 public:
  /// Pieces are joined as if they were one; all but the last have an even size.  At most 2^32 octets in all.
  void add(ByteView data) {
    const uint8_t* const in = data.data();
    const size_t n = data.size();
    size_t at = 0;
#pragma GCC unroll 4
    for (; at + 8 <= n; at += 8) {
      uint64_t word;
      std::memcpy(&word, in + at, 8);
      low_ += word & 0xffffffff;
      high_ += word >> 32;
    }
    if (at + 4 <= n) {  // Headers end here: they are multiples of four.
      uint32_t word;
      std::memcpy(&word, in + at, 4);
      low_ += word;
      at += 4;
    }
    if (at < n) {
      uint32_t word = 0;  // An odd last octet is summed as if a zero followed it.
      std::memcpy(&word, in + at, n % 4);
      high_ += word;
    }
  }
  /// A 16-bit number that stands big-endian in what is summed.
  void add_u16(uint16_t value) { low_ += std::endian::native == std::endian::little ? swap(value) : value; }

  /// The complement of the sum, as the field takes it in memory: the two octets are in wire order already.
  uint16_t finish() const {
    uint64_t sum = (low_ & 0xffffffff) + (low_ >> 32) + (high_ & 0xffffffff) + (high_ >> 32);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
  }

 private:
  static constexpr uint16_t swap(uint16_t value) { return static_cast<uint16_t>(value << 8 | value >> 8); }

  uint64_t low_ = 0;  // Two sums of 32-bit halves: no carry to look after, and the additions overlap.
  uint64_t high_ = 0;
};

/// The sum of 16-bit words, not inverted; an odd last octet counts as the high half of a word.  `start`
/// chains sums; all but the last piece have an even size.
uint16_t internet_sum(ByteView data, uint16_t start = 0);
/// What goes into a checksum field that was zero while summing: the inverted sum.
inline uint16_t internet_checksum(ByteView data, uint16_t start = 0) {
  return static_cast<uint16_t>(~internet_sum(data, start));
}

}  // namespace ipop
