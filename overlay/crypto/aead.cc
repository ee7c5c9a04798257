#include "overlay/crypto/aead.h"

#include "overlay/crypto/aead_backends.h"

namespace ipop {

#if defined(__x86_64__)
using Backend = IpsecMbAead;
#else
using Backend = OpensslAead;
#endif

struct AeadKey::Impl {
  explicit Impl(std::span<const uint8_t, 32> key) : backend(key) {}
  Backend backend;
};

AeadKey::AeadKey(std::span<const uint8_t, 32> key) : impl_(std::make_unique<const Impl>(key)) {}
AeadKey::AeadKey(AeadKey&&) noexcept = default;
AeadKey& AeadKey::operator=(AeadKey&&) noexcept = default;
AeadKey::~AeadKey() = default;

void AeadKey::seal(NonceView nonce, ByteView aad, ByteView plaintext, uint8_t* out) const {
  impl_->backend.seal(nonce, aad, plaintext, out);
}

bool AeadKey::open(NonceView nonce, ByteView aad, ByteView sealed, uint8_t* out) const {
  return impl_->backend.open(nonce, aad, sealed, out);
}

std::string_view AeadKey::implementation() { return Backend::name(); }

}  // namespace ipop
