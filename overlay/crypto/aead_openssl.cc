#include <algorithm>

#include "overlay/base/assert.h"
#include "overlay/crypto/aead_backends.h"
#include "overlay/crypto/hash.h"
#include "overlay/crypto/openssl.h"

namespace ipop {
namespace {

const EVP_CIPHER* algorithm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

EVP_CIPHER_CTX* context_of_this_thread() {
  thread_local const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  IPOP_ASSERT(context);
  return context.get();
}

}  // namespace

OpensslAead::OpensslAead(std::span<const uint8_t, 32> key) {
  std::copy(key.begin(), key.end(), key_.begin());
}

OpensslAead::~OpensslAead() { wipe(key_); }

void OpensslAead::seal(NonceView nonce, ByteView aad, ByteView plaintext, uint8_t* out) const {
  EVP_CIPHER_CTX* const context = context_of_this_thread();
  int n = 0;
  const bool ok = EVP_EncryptInit_ex2(context, algorithm(), key_.data(), nonce.data(), nullptr) == 1 &&
                  (aad.empty() ||
                   EVP_EncryptUpdate(context, nullptr, &n, aad.data(), static_cast<int>(aad.size())) == 1) &&
                  (plaintext.empty() || EVP_EncryptUpdate(context, out, &n, plaintext.data(),
                                                          static_cast<int>(plaintext.size())) == 1) &&
                  EVP_EncryptFinal_ex(context, out + plaintext.size(), &n) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, out + plaintext.size()) == 1;
  IPOP_ASSERT(ok);
  EVP_CIPHER_CTX_reset(context);  // So that no copy of the key stays behind.
}

bool OpensslAead::open(NonceView nonce, ByteView aad, ByteView sealed, uint8_t* out) const {
  if (sealed.size() < kTagSize) return false;
  const ErrorQueueGuard guard;
  const ByteView ciphertext = sealed.first(sealed.size() - kTagSize);
  std::array<uint8_t, kTagSize> tag;
  std::copy(sealed.end() - kTagSize, sealed.end(), tag.begin());

  EVP_CIPHER_CTX* const context = context_of_this_thread();
  int n = 0;
  uint8_t nothing = 0;
  const bool ok = EVP_DecryptInit_ex2(context, algorithm(), key_.data(), nonce.data(), nullptr) == 1 &&
                  (aad.empty() ||
                   EVP_DecryptUpdate(context, nullptr, &n, aad.data(), static_cast<int>(aad.size())) == 1) &&
                  (ciphertext.empty() || EVP_DecryptUpdate(context, out, &n, ciphertext.data(),
                                                           static_cast<int>(ciphertext.size())) == 1) &&
                  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1;
  IPOP_ASSERT(ok);
  const bool genuine = EVP_DecryptFinal_ex(context, &nothing, &n) == 1;
  EVP_CIPHER_CTX_reset(context);
  return genuine;
}

}  // namespace ipop
