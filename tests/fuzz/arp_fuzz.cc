// ARP packets: what decodes, encodes to the same octets without the padding.
#include <algorithm>
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/wire/arp.h"

using namespace ipop;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  const auto packet = ArpPacket::decode(input);
  if (!packet) return 0;
  const Bytes again = packet->encode();
  IPOP_ASSERT(again.size() == ArpPacket::kSize && std::equal(again.begin(), again.end(), input.begin()));
  IPOP_ASSERT(!(packet->is_probe() && packet->is_announcement()));
  return 0;
}
