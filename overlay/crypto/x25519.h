// Diffie-Hellman on Curve25519, RFC 7748.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "overlay/base/random.h"
#include "overlay/base/result.h"

typedef struct evp_pkey_st EVP_PKEY;

namespace ipop {

/// A key pair.  A value, cheap to copy; the secret is wiped with the last copy.
class DhKey {
 public:
  static DhKey generate(Random& random);
  static DhKey from_secret(const std::array<uint8_t, 32>& secret);

  const std::array<uint8_t, 32>& public_key() const { return public_key_; }

  /// For dh(), within crypto/.
  EVP_PKEY* native() const { return native_.get(); }

 private:
  explicit DhKey(std::shared_ptr<EVP_PKEY> native);

  std::shared_ptr<EVP_PKEY> native_;  ///< To make it costs a multiplication on the curve: made once.
  std::array<uint8_t, 32> public_key_;
};

/// The shared secret.  Error::Malformed if it is all zero: the remote key is a point of small order, and the
/// secret would be known to everybody (RFC 7748, section 6.1).
Result<std::array<uint8_t, 32>> dh(const DhKey& key, const std::array<uint8_t, 32>& remote_public);

}  // namespace ipop
