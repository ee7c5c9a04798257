// Where the fields of a TCP header are (RFC 9293, section 3.1), for the two that take TCP apart and put it
// together: segment.cc and coalescer.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipop::tcp {

inline constexpr size_t kMinHeaderSize = 20;
inline constexpr size_t kSequenceAt = 4, kAcknowledgmentAt = 8, kDataOffsetAt = 12, kFlagsAt = 13,
                        kWindowAt = 14, kChecksumAt = 16, kUrgentAt = 18;
inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20,
                         kCwr = 0x80;

}  // namespace ipop::tcp
