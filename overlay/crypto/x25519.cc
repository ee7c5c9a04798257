#include "overlay/crypto/x25519.h"

#include <utility>

#include "overlay/base/assert.h"
#include "overlay/crypto/hash.h"
#include "overlay/crypto/openssl.h"

namespace ipop {
namespace {

PkeyPtr private_key(const std::array<uint8_t, 32>& secret) {
  PkeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()));
  IPOP_ASSERT(key);
  return key;
}

}  // namespace

DhKey DhKey::generate(Random& random) {
  DhKey seed;
  random.fill(seed.secret);
  return from_secret(seed.secret);
}

DhKey DhKey::from_secret(const std::array<uint8_t, 32>& secret) {
  DhKey key;
  key.secret = secret;
  size_t size = key.public_key.size();
  const PkeyPtr native = private_key(secret);
  IPOP_ASSERT(EVP_PKEY_get_raw_public_key(native.get(), key.public_key.data(), &size) == 1);
  return key;
}

DhKey::~DhKey() { wipe(secret); }

Result<std::array<uint8_t, 32>> dh(const DhKey& key, const std::array<uint8_t, 32>& remote_public) {
  const ErrorQueueGuard guard;
  const PkeyPtr ours = private_key(key.secret);
  const PkeyPtr theirs(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, remote_public.data(), remote_public.size()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new(ours.get(), nullptr));
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
