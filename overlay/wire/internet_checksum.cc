#include "overlay/wire/internet_checksum.h"

#include <cstring>

#include "overlay/base/octets.h"

namespace ipop {

void InternetChecksum::add(ByteView data) {
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
    std::memcpy(&word, in + at, n - at);
    high_ += word;
  }
}

uint16_t InternetChecksum::finish() const {
  uint64_t sum = (low_ & 0xffffffff) + (low_ >> 32) + (high_ & 0xffffffff) + (high_ >> 32);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

uint16_t internet_sum(ByteView data, uint16_t start) {
  InternetChecksum sum;
  sum.add_u16(start);
  sum.add(data);
  const uint16_t inverted = sum.finish();
  return static_cast<uint16_t>(~number_of<uint16_t>(reinterpret_cast<const uint8_t*>(&inverted)));
}

}  // namespace ipop
