// How what a node says of its guests is signed.  It is Ed25519 wherever a key means something; the simulator,
// where all nodes are one process, brings a cheaper one (sim/cheap_signatures.h), since half of its time went
// into curves.
#pragma once

#include "overlay/crypto/identity.h"

namespace ipop {

/// Any thread may use it.
class SignatureScheme {
 public:
  virtual ~SignatureScheme() = default;
  virtual Signature sign(const Identity& signer, ByteView data) const = 0;
  [[nodiscard]] virtual bool verify(const PublicKey& signer, ByteView data,
                                    const Signature& signature) const = 0;
};

/// RFC 8032.  Lives as long as the process.
const SignatureScheme& ed25519();

}  // namespace ipop
