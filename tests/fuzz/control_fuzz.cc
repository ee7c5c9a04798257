// What a member may say inside a session: whatever decodes survives encoding, and its encoding is a prefix of
// what came, since only octets of a later version are ignored.
#include "overlay/wire/control.h"

#include <algorithm>

#include "overlay/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipop;
  using namespace ipop::wire;
  const auto message = decode_control({data, size});
  if (!message) return 0;
  const Bytes encoded = encode_control(*message);
  IPOP_ASSERT(encoded.size() <= size && std::equal(encoded.begin(), encoded.end(), data));
  const auto again = decode_control(encoded);
  IPOP_ASSERT(again && *again == *message);
  return 0;
}
