// Ethernet frames: what decodes, encodes to the same octets.
#include <algorithm>
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/wire/ethernet.h"

using namespace ipop;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  const auto frame = EthernetFrame::decode(input);
  if (!frame) return 0;
  const Bytes again = frame->encode();
  IPOP_ASSERT(std::equal(input.begin(), input.end(), again.begin(), again.end()));
  return 0;
}
