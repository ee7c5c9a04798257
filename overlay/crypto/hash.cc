#include "overlay/crypto/hash.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "overlay/base/assert.h"
#include "overlay/crypto/openssl.h"

namespace ipop {
namespace {

// Fetched once, for the life of the process: fetching takes longer than hashing a datagram.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

// With a known algorithm these calls fail only when memory is out.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    IPOP_ASSERT(context_ && EVP_DigestInit_ex2(context_.get(), sha256_algorithm(), nullptr) == 1);
  }

  Sha256& update(ByteView data) {
    IPOP_ASSERT(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
    return *this;
  }
  Sha256& update(std::initializer_list<ByteView> data) {
    for (const ByteView part : data) update(part);
    return *this;
  }
  Hash finish() {
    Hash out;
    IPOP_ASSERT(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1);
    return out;
  }

 private:
  MdCtxPtr context_;
};

}  // namespace

Hash sha256(std::initializer_list<ByteView> data) { return Sha256().update(data).finish(); }

Hash hmac_sha256(ByteView key, std::initializer_list<ByteView> data) {
  constexpr size_t kBlockSize = 64;
  std::array<uint8_t, kBlockSize> padded{};
  if (key.size() > kBlockSize) {
    const Hash short_key = sha256({key});
    std::copy(short_key.begin(), short_key.end(), padded.begin());
  } else {
    std::copy(key.begin(), key.end(), padded.begin());
  }
  for (uint8_t& byte : padded) byte ^= 0x36;  // ipad
  Hash inner = Sha256().update(padded).update(data).finish();
  for (uint8_t& byte : padded) byte ^= 0x36 ^ 0x5c;  // opad
  const Hash out = Sha256().update(padded).update(inner).finish();
  wipe(padded);
  wipe(inner);
  return out;
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(ByteSpan secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace ipop
