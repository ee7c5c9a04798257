// Diffie-Hellman on Curve25519, RFC 7748.
#pragma once

#include <array>
#include <cstdint>

#include "overlay/base/random.h"
#include "overlay/base/result.h"

namespace ipop {

/// A key pair.  The secret is wiped when the value dies.
struct DhKey {
  std::array<uint8_t, 32> secret{};
  std::array<uint8_t, 32> public_key{};

  static DhKey generate(Random& random);
  static DhKey from_secret(const std::array<uint8_t, 32>& secret);

  DhKey(const DhKey&) = default;
  DhKey& operator=(const DhKey&) = default;
  ~DhKey();

 private:
  DhKey() = default;
};

/// The shared secret.  Error::Malformed if it is all zero: the remote key is a point of small order, and the
/// secret would be known to everybody (RFC 7748, section 6.1).
Result<std::array<uint8_t, 32>> dh(const DhKey& key, const std::array<uint8_t, 32>& remote_public);

}  // namespace ipop
