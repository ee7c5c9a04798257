// Numbers in network order at a place in memory, for what reads and writes headers where they are.  Reader
// and Writer are for the rest.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipop {

inline uint16_t load_u16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }
inline uint32_t load_u32(const uint8_t* at) { return uint32_t{load_u16(at)} << 16 | load_u16(at + 2); }

/// The low 16 bits of `value`.
inline void store_u16(uint8_t* at, size_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

inline void store_u32(uint8_t* at, uint32_t value) {
  store_u16(at, value >> 16);
  store_u16(at + 2, value);
}

}  // namespace ipop
