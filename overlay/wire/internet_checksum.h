// The Internet checksum (RFC 1071).
#pragma once

#include <bit>
#include <cstdint>

#include "overlay/base/bytes.h"

namespace ipop {

/// A ones' complement sum under way.  RFC 1071 lets us add words in the machine's own byte order, wide.
class InternetChecksum {
 public:
  /// Pieces are joined as if they were one; all but the last have an even size.  At most 2^32 octets in all.
  void add(ByteView data);
  /// A 16-bit number that stands big-endian in what is summed.
  void add_u16(uint16_t value) { low_ += std::endian::native == std::endian::little ? swap(value) : value; }

  /// The complement of the sum, as the field takes it in memory: the two octets are in wire order already.
  uint16_t finish() const;

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
