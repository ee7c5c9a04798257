// Who we are to every peer, made once when a node starts.
#pragma once

#include "overlay/base/random.h"
#include "overlay/crypto/certificate.h"
#include "overlay/crypto/identity.h"
#include "overlay/crypto/network.h"
#include "overlay/crypto/signature_scheme.h"
#include "overlay/crypto/x25519.h"
#include "overlay/session/cookie.h"

namespace ipop {

struct Credentials {
  Network network;
  Identity identity;
  Certificate certificate;  ///< Ours, of this network.
  NodeId id;
  DhKey noise_static;  ///< Fresh at each start: what it protects does not outlive the process.
  NetworkKeys keys;
  Bytes prologue;  ///< Protocol version and network: two networks never complete a handshake.
  Bytes payload;   ///< Our encoded wire::HandshakePayload.
  const SignatureScheme* signatures = &ed25519();  ///< Of what we say of our guests, and others of theirs.

  /// REQUIRES: `certificate` is for `identity`, and has at most HandshakePayload::kMaxCertificateSize octets.
  static Credentials make(const Network& network, const Identity& identity, const Certificate& certificate,
                          Random& random);
};

}  // namespace ipop
