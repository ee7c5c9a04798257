// Who a node is: an Ed25519 key (RFC 8032).  Its hash is the node's place on the ring.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "overlay/base/bytes.h"
#include "overlay/base/node_id.h"
#include "overlay/base/random.h"
#include "overlay/base/result.h"

typedef struct evp_pkey_st EVP_PKEY;

namespace ipop {

using PublicKey = std::array<uint8_t, 32>;
using Signature = std::array<uint8_t, 64>;

/// A private key.  Copies share it; it is wiped when the last one dies.  Any thread may sign.
class Identity {
 public:
  static Identity generate(Random& random);
  /// PKCS#8 (RFC 8410), unencrypted: "-----BEGIN PRIVATE KEY-----".  Error::Malformed for anything else.
  static Result<Identity> from_pem(std::string_view pem);
  std::string to_pem() const;

  const PublicKey& public_key() const { return public_key_; }
  NodeId id() const;
  Signature sign(ByteView data) const;

  /// For X509_sign(), within crypto/.
  EVP_PKEY* native() const { return key_.get(); }

 private:
  explicit Identity(std::shared_ptr<EVP_PKEY> key);

  std::shared_ptr<EVP_PKEY> key_;
  PublicKey public_key_{};
};

[[nodiscard]] bool verify(const PublicKey& key, ByteView data, const Signature& signature);

/// The first 160 bits of SHA-256 of the raw public key.
NodeId node_id_of(const PublicKey& key);

}  // namespace ipop
