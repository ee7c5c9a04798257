// Numbers in octets, and the order of arrays of octets.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace ipop {

/// The number that octets are in network order.
template <typename Number>
Number number_of(const uint8_t* octets) {
  Number out;
  std::memcpy(&out, octets, sizeof out);
  if constexpr (std::endian::native == std::endian::little) {
    if constexpr (sizeof out == 8) return __builtin_bswap64(out);
    if constexpr (sizeof out == 4) return __builtin_bswap32(out);
    if constexpr (sizeof out == 2) return __builtin_bswap16(out);
  }
  return out;
}

/// Writes `number` in network order.
template <typename Number>
void put_number(Number number, uint8_t* out) {
  const Number swapped = number_of<Number>(reinterpret_cast<const uint8_t*>(&number));
  std::memcpy(out, &swapped, sizeof swapped);
}

/// As memcmp() has it, but in a few registers: maps of nodes and of MACs do little else, and GCC calls the
/// library for the comparison of two arrays.
template <size_t N>
requires(N == 6 || N >= 8) std::strong_ordering
    compare_octets(const std::array<uint8_t, N>& a, const std::array<uint8_t, N>& b) {
  if constexpr (N == 6) {
    const auto value = [](const auto& octets) {
      return uint64_t{number_of<uint32_t>(octets.data())} << 16 | number_of<uint16_t>(octets.data() + 4);
    };
    return value(a) <=> value(b);
  } else {
    for (size_t i = 0; i + 8 < N; i += 8) {
      const auto order = number_of<uint64_t>(a.data() + i) <=> number_of<uint64_t>(b.data() + i);
      if (order != 0) return order;
    }
    // The last eight: what they share with those before is equal.
    return number_of<uint64_t>(a.data() + N - 8) <=> number_of<uint64_t>(b.data() + N - 8);
  }
}

}  // namespace ipop
