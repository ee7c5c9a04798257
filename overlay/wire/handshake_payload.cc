#include "overlay/wire/handshake_payload.h"

#include "overlay/base/assert.h"

namespace ipop::wire {

Result<HandshakePayload> HandshakePayload::decode(ByteView plaintext) {
  Reader in(plaintext);
  const size_t size = in.u16();
  if (size > kMaxCertificateSize) in.fail();
  const ByteView certificate = in.bytes(in.ok() ? size : 0);
  HandshakePayload out{.certificate = {certificate.begin(), certificate.end()}, .signature = in.array<64>()};
  if (!in.ok()) return Error::Malformed;  // What follows the signature belongs to a later version.
  return out;
}

Bytes HandshakePayload::encode() const {
  IPOP_ASSERT(certificate.size() <= kMaxCertificateSize);
  Writer out;
  out.u16(static_cast<uint16_t>(certificate.size()));
  out.bytes(certificate);
  out.bytes(signature);
  return out.take();
}

Bytes HandshakePayload::signed_part(const std::array<uint8_t, 32>& noise_static_key) {
  Writer out;
  out.bytes(as_bytes("ipop noise static key 1:"));
  out.bytes(noise_static_key);
  return out.take();
}

}  // namespace ipop::wire
