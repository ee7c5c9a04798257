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

/// put_number() of two numbers with a single store.  Where a cipher loads all sixteen octets next, the
/// processor can hand them over from the store; from two it cannot, and waits until both are in its cache.
inline void put_pair(uint64_t first, uint64_t second, uint8_t* out) {
  using Pair [[gnu::vector_size(16)]] = uint64_t;
  const auto swap = [](uint64_t number) {
    return number_of<uint64_t>(reinterpret_cast<const uint8_t*>(&number));
  };
  const Pair pair{swap(first), swap(second)};
  std::memcpy(out, &pair, sizeof pair);
}

/// Whether `n` octets are equal, for headers: a call of memcmp() costs more than comparing the few words.
inline bool equal_octets(const uint8_t* a, const uint8_t* b, size_t n) {
  const auto differ = [&]<typename Word>(size_t at, Word) {
    Word x, y;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    return x ^ y;
  };
  if (n >= 8) {
    uint64_t out = differ(n - 8, uint64_t{});  // Overlaps the others where there is no whole word left.
    for (size_t at = 0; at + 8 < n; at += 8) out |= differ(at, uint64_t{});
    return out == 0;
  }
  uint32_t out = 0;  // Here they do not: what has just been stored in such pieces can be loaded in them.
  size_t at = 0;
  if ((n & 4) != 0) {
    out |= differ(at, uint32_t{});
    at += 4;
  }
  if ((n & 2) != 0) {
    out |= static_cast<uint32_t>(differ(at, uint16_t{}));
    at += 2;
  }
  if ((n & 1) != 0) out |= static_cast<uint32_t>(differ(at, uint8_t{}));
  return out == 0;
}

template <size_t N>
bool equal_octets(const std::array<uint8_t, N>& a, const std::array<uint8_t, N>& b) {
  return equal_octets(a.data(), b.data(), N);
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
