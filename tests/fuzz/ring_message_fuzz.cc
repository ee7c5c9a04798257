// What a node may be told over the ring: whatever decodes survives encoding, and its encoding is a prefix of
// what came, all of it for a Carried.  A body that passes us gains a hop or stays as it is.
#include "overlay/wire/ring_message.h"

#include <algorithm>

#include "overlay/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipop;
  using namespace ipop::wire;
  const Bytes body(data, data + size);
  const auto message = decode_ring_message(body);
  const TraceRequest::Hop hop{.node = {{1}}, .round_trip_us = 2};
  Bytes passed = body;
  append_trace_hop(passed, hop);
  if (passed != body) {
    // It was a request, whole and without octets of a later version, that had room for one more.
    IPOP_ASSERT(message);
    TraceRequest request = std::get<TraceRequest>(*message);
    request.hops.push_back(hop);
    IPOP_ASSERT(request.hops.size() <= TraceRequest::kMaxHops && encode_ring_message(request) == passed);
  }
  if (!message) return 0;
  IPOP_ASSERT(is_carried(body) == std::holds_alternative<Carried>(*message));
  const Bytes encoded = encode_ring_message(*message);
  IPOP_ASSERT(encoded.size() <= size && std::equal(encoded.begin(), encoded.end(), data));
  IPOP_ASSERT(!is_carried(body) || encoded == body);
  const auto again = decode_ring_message(encoded);
  IPOP_ASSERT(again && *again == *message);
  return 0;
}
