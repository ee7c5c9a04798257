#include "overlay/crypto/signature_scheme.h"

namespace ipop {
namespace {

class Ed25519 : public SignatureScheme {
 public:
  Signature sign(const Identity& signer, ByteView data) const override { return signer.sign(data); }
  bool verify(const PublicKey& signer, ByteView data, const Signature& signature) const override {
    return ipop::verify(signer, data, signature);
  }
};

}  // namespace

const SignatureScheme& ed25519() {
  static const Ed25519 scheme;
  return scheme;
}

}  // namespace ipop
