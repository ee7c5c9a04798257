#include "overlay/session/credentials.h"

#include "overlay/wire/handshake_payload.h"

namespace ipop {

Credentials Credentials::make(const Network& network, const Identity& identity,
                              const Certificate& certificate, Random& random) {
  const DhKey noise_static = DhKey::generate(random);
  const wire::HandshakePayload payload{
      .certificate = certificate.to_der(),
      .signature = identity.sign(wire::HandshakePayload::signed_part(noise_static.public_key()))};
  Writer prologue;
  prologue.bytes(as_bytes("ipop 1 "));
  prologue.bytes(network.id());
  return {.network = network,
          .identity = identity,
          .certificate = certificate,
          .id = identity.id(),
          .noise_static = noise_static,
          .keys = NetworkKeys(network.id()),
          .prologue = prologue.take(),
          .payload = payload.encode(),
          .signatures = &ed25519()};
}

}  // namespace ipop
