#include "overlay/crypto/x25519.h"

#include <utility>

#include "overlay/base/assert.h"
#include "overlay/crypto/hash.h"
#include "overlay/crypto/openssl.h"

namespace ipop {
DhKey::DhKey(std::shared_ptr<EVP_PKEY> native) : native_(std::move(native)) {
  size_t size = public_key_.size();
  IPOP_ASSERT(EVP_PKEY_get_raw_public_key(native_.get(), public_key_.data(), &size) == 1);
}

DhKey DhKey::generate(Random& random) {
  std::array<uint8_t, 32> secret;
  random.fill(secret);
  DhKey key = from_secret(secret);
  wipe(secret);
  return key;
}

DhKey DhKey::from_secret(const std::array<uint8_t, 32>& secret) {
  std::shared_ptr<EVP_PKEY> native(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()), EVP_PKEY_free);
  IPOP_ASSERT(native);
  return DhKey(std::move(native));
}

Result<std::array<uint8_t, 32>> dh(const DhKey& key, const std::array<uint8_t, 32>& remote_public) {
  const ErrorQueueGuard guard;
  const PkeyPtr theirs(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, remote_public.data(), remote_public.size()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new(key.native(), nullptr));
  IPOP_ASSERT(theirs && context && EVP_PKEY_derive_init(context.get()) == 1);

  // OpenSSL refuses the all-zero secret itself.
  std::array<uint8_t, 32> shared{};
  size_t size = shared.size();
  if (EVP_PKEY_derive_set_peer(context.get(), theirs.get()) != 1 ||
      EVP_PKEY_derive(context.get(), shared.data(), &size) != 1) {
    return Error::Malformed;
  }
  return shared;
}

}  // namespace ipop
