// Signatures that only this process can make or check: an HMAC with a secret of the world, which no node of
// it knows.  They are worth the same as real ones against everything that a simulated member can do, and cost
// a hundredth; runs with either are the same, which a test checks.
#pragma once

#include "overlay/crypto/hash.h"
#include "overlay/crypto/signature_scheme.h"

namespace ipop::sim {

class CheapSignatures : public SignatureScheme {
 public:
  explicit CheapSignatures(uint64_t seed);

  Signature sign(const Identity& signer, ByteView data) const override;
  bool verify(const PublicKey& signer, ByteView data, const Signature& signature) const override;

 private:
  Signature make(const PublicKey& signer, ByteView data) const;

  Hash secret_;
};

}  // namespace ipop::sim
