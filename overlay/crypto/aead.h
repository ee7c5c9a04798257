// AES-256-GCM (NIST SP 800-38D): seals data frames and handshake payloads.
//
// aead.cc selects the implementation: intel-ipsec-mb on x86-64, where it is three times as fast on frames of
// 1400 octets, and OpenSSL elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "overlay/base/bytes.h"
#include "overlay/base/octets.h"

namespace ipop {

inline constexpr size_t kTagSize = 16;

/// Never twice the same with one key: callers count.
using Nonce = std::array<uint8_t, 12>;
using NonceView = std::span<const uint8_t, 12>;

/// The nonce of message `counter`: 32 zero bits and the counter, big-endian (Noise, section 12.4, "AESGCM").
class CounterNonce {
 public:
  explicit CounterNonce(uint64_t counter) { put_pair(counter >> 32, counter << 32, octets_.data()); }
  operator NonceView() const { return std::span(octets_).first<12>(); }

 private:
  std::array<uint8_t, 16> octets_;
};

/// Immutable after construction; its const methods may be called by any number of threads at once and take no
/// lock.  The key is wiped at destruction.
class AeadKey {
 public:
  explicit AeadKey(std::span<const uint8_t, 32> key);
  AeadKey(AeadKey&&) noexcept;
  AeadKey& operator=(AeadKey&&) noexcept;
  ~AeadKey();

  /// Writes ciphertext and tag, plaintext.size() + kTagSize octets, to `out`.  `out` may be plaintext.data(),
  /// but may not overlap the plaintext otherwise.
  void seal(NonceView nonce, ByteView aad, ByteView plaintext, uint8_t* out) const;

  /// Writes the plaintext, sealed.size() - kTagSize octets, to `out`, which may be sealed.data().  False if
  /// `sealed` is forged, corrupted or shorter than a tag; then what `out` holds must not be used.
  [[nodiscard]] bool open(NonceView nonce, ByteView aad, ByteView sealed, uint8_t* out) const;

  /// "intel-ipsec-mb (AVX512)" or "OpenSSL", for status.
  static std::string_view implementation();

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace ipop
