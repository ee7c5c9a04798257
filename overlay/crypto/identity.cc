#include "overlay/crypto/identity.h"

#include <openssl/pem.h>

#include <algorithm>

#include "overlay/base/assert.h"
#include "overlay/crypto/hash.h"
#include "overlay/crypto/openssl.h"

namespace ipop {
namespace {

constexpr size_t kMaxPemSize = 4096;  // An Ed25519 key has about 120 octets.

// OpenSSL would ask the terminal for the passphrase of an encrypted key; a switch has none to ask.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

Identity::Identity(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {
  size_t size = public_key_.size();
  IPOP_ASSERT(EVP_PKEY_get_raw_public_key(key_.get(), public_key_.data(), &size) == 1);
}

Identity Identity::generate(Random& random) {
  std::array<uint8_t, 32> seed;
  random.fill(seed);
  std::shared_ptr<EVP_PKEY> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()), EVP_PKEY_free);
  wipe(seed);
  IPOP_ASSERT(key);
  return Identity(std::move(key));
}

Result<Identity> Identity::from_pem(std::string_view pem) {
  if (pem.size() > kMaxPemSize) return Error::Malformed;
  const ErrorQueueGuard guard;
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio_from(pem).get(), nullptr, no_passphrase, nullptr),
                                EVP_PKEY_free);
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) return Error::Malformed;
  return Identity(std::move(key));
}

std::string Identity::to_pem() const {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  IPOP_ASSERT(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                                   nullptr) == 1);
  return text_of(bio);
}

NodeId Identity::id() const { return node_id_of(public_key_); }

Signature Identity::sign(ByteView data) const {
  Signature signature;
  size_t size = signature.size();
  const MdCtxPtr context(EVP_MD_CTX_new());
  IPOP_ASSERT(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
              EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) == 1);
  return signature;
}

bool verify(const PublicKey& key, ByteView data, const Signature& signature) {
  const ErrorQueueGuard guard;
  const PkeyPtr native(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const MdCtxPtr context(EVP_MD_CTX_new());
  return native && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, native.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
}

NodeId node_id_of(const PublicKey& key) {
  const Hash hash = sha256({key});
  NodeId id;
  std::copy_n(hash.begin(), NodeId::kSize, id.bytes.begin());
  return id;
}

}  // namespace ipop
