// Where the fields of a TCP header are (RFC 9293, section 3.1), and numbers in network order.  For the two
// that take TCP apart and put it together: segment.cc and coalescer.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipop::tcp {

inline constexpr size_t kMinHeaderSize = 20;
inline constexpr size_t kSequenceAt = 4, kAcknowledgmentAt = 8, kDataOffsetAt = 12, kFlagsAt = 13,
                        kWindowAt = 14, kChecksumAt = 16, kUrgentAt = 18;
inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20,
                         kCwr = 0x80;

inline uint16_t load_u16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }

inline void store_u16(uint8_t* at, size_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

inline uint32_t load_u32(const uint8_t* at) { return uint32_t{load_u16(at)} << 16 | load_u16(at + 2); }

inline void store_u32(uint8_t* at, uint32_t value) {
  store_u16(at, value >> 16);
  store_u16(at + 2, value);
}

}  // namespace ipop::tcp
