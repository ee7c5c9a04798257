// The two implementations of AES-256-GCM behind crypto/aead.h, with the contract stated there.  Both are
// compiled where both can be, so that each can be tested against the other.
#pragma once

#if defined(__x86_64__)
#define NO_COMPAT_IMB_API_053  // Its old names collide with OpenSSL's.
#include <intel-ipsec-mb.h>
#endif

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "overlay/base/bytes.h"
#include "overlay/crypto/aead.h"

namespace ipop {

/// Keeps the bare key: EVP contexts change with use, so each thread has one and sets the key for every call.
class OpensslAead {
 public:
  explicit OpensslAead(std::span<const uint8_t, 32> key);
  OpensslAead(const OpensslAead&) = delete;
  OpensslAead& operator=(const OpensslAead&) = delete;
  ~OpensslAead();

  void seal(NonceView nonce, ByteView aad, ByteView plaintext, uint8_t* out) const;
  bool open(NonceView nonce, ByteView aad, ByteView sealed, uint8_t* out) const;
  static std::string_view name() { return "OpenSSL"; }

 private:
  std::array<uint8_t, 32> key_;
};

#if defined(__x86_64__)
/// Keeps the expanded key and the powers of the hash key; calls only read them.
class IpsecMbAead {
 public:
  explicit IpsecMbAead(std::span<const uint8_t, 32> key);
  IpsecMbAead(const IpsecMbAead&) = delete;
  IpsecMbAead& operator=(const IpsecMbAead&) = delete;
  ~IpsecMbAead();

  void seal(NonceView nonce, ByteView aad, ByteView plaintext, uint8_t* out) const;
  bool open(NonceView nonce, ByteView aad, ByteView sealed, uint8_t* out) const;
  static std::string_view name();

 private:
  gcm_key_data key_;
};
#endif

}  // namespace ipop
