// What a stranger who knows the network may send as its proof of membership.
#include "overlay/wire/handshake_payload.h"

#include <algorithm>

#include "overlay/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipop;
  using wire::HandshakePayload;
  const auto payload = HandshakePayload::decode({data, size});
  if (!payload) return 0;
  IPOP_ASSERT(payload->certificate.size() <= HandshakePayload::kMaxCertificateSize);
  const Bytes encoded = payload->encode();
  IPOP_ASSERT(encoded.size() <= size && std::equal(encoded.begin(), encoded.end(), data));
  const auto again = HandshakePayload::decode(encoded);
  IPOP_ASSERT(again && again->certificate == payload->certificate && again->signature == payload->signature);
  return 0;
}
