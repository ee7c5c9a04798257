// What the encrypted payloads of the Response and the Confirmation carry: who is speaking.
//
// | certificate size (2) | certificate, X.509 DER | signature (64) |
//
// The signature, by the certificate's key, binds the Noise static key to the identity, as libp2p's Noise spec
// does (libp2p/specs, noise/README.md, "Libp2p-specific handshake payload"); the text before the key
// separates domains.
#pragma once

#include <array>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"

namespace ipop::wire {

struct HandshakePayload {
  static constexpr size_t kMaxCertificateSize = 800;  ///< So that Response stays below kMaxHandshakeSize.

  Bytes certificate;
  std::array<uint8_t, 64> signature{};

  static Result<HandshakePayload> decode(ByteView plaintext);
  /// REQUIRES: certificate.size() <= kMaxCertificateSize.
  Bytes encode() const;

  /// The octets that the signature is over.
  static Bytes signed_part(const std::array<uint8_t, 32>& noise_static_key);
};

}  // namespace ipop::wire
