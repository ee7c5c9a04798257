// SHA-256 (FIPS 180-4), HMAC (RFC 2104), the key derivation of the Noise Protocol Framework, and two small
// things that every user of secrets needs.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "overlay/base/bytes.h"

namespace ipop {

using Hash = std::array<uint8_t, 32>;

/// SHA-256 of the concatenation of `data`.
Hash sha256(std::initializer_list<ByteView> data);
Hash hmac_sha256(ByteView key, std::initializer_list<ByteView> data);

/// Overwrites a secret in a way that the compiler does not optimise away.
void wipe(ByteSpan secret);

/// HKDF as Noise defines it (revision 34, section 4.3): N outputs of 32 octets, N = 2 or 3.
template <size_t N>
requires(N == 2 || N == 3) std::array<Hash, N> noise_hkdf(const Hash& chaining_key,
                                                          ByteView input_key_material) {
  Hash temp_key = hmac_sha256(chaining_key, {input_key_material});
  std::array<Hash, N> out;
  ByteView previous;
  for (size_t i = 0; i < N; ++i) {
    const uint8_t counter = static_cast<uint8_t>(i + 1);
    out[i] = hmac_sha256(temp_key, {previous, ByteView(&counter, 1)});
    previous = out[i];
  }
  wipe(temp_key);
  return out;
}

/// Takes the same time wherever the two differ, so that a guesser of MACs learns nothing from our haste.
/// Views of different sizes are not equal.
bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace ipop
