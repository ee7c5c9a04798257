#include "overlay/sim/cheap_signatures.h"

#include <algorithm>

#include "overlay/base/random.h"

namespace ipop::sim {

CheapSignatures::CheapSignatures(uint64_t seed) { SeededRandom(seed).fill(secret_); }

Signature CheapSignatures::sign(const Identity& signer, ByteView data) const {
  return make(signer.public_key(), data);
}

bool CheapSignatures::verify(const PublicKey& signer, ByteView data, const Signature& signature) const {
  return signature == make(signer, data);
}

/// The second half of a signature stays zero.
Signature CheapSignatures::make(const PublicKey& signer, ByteView data) const {
  const Hash mac = hmac_sha256(secret_, {signer, data});
  Signature out{};
  std::copy(mac.begin(), mac.end(), out.begin());
  return out;
}

}  // namespace ipop::sim
