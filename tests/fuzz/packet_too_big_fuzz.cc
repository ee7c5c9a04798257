// What a sender is told of a frame that is too large: a frame of IP that quotes it, and bounded.
#include <algorithm>
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/icmpv6.h"
#include "overlay/wire/inet.h"
#include "overlay/wire/packet_too_big.h"

using namespace ipop;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  constexpr MacAddress kRouter{{0x02, 0, 0, 0, 0, 0x99}};
  const auto answer = packet_too_big(input, 1320, kRouter);
  if (!answer) return 0;
  IPOP_ASSERT(answer->size() <= 18 + 40 + 8 + kTooBigHead);
  const auto frame = EthernetFrame::decode(*answer);
  IPOP_ASSERT(frame && frame->header.src == kRouter);
  IPOP_ASSERT(std::equal(frame->header.dst.bytes.begin(), frame->header.dst.bytes.end(), input.begin() + 6));
  if (frame->header.ethertype == kEtherTypeIpv4) {
    const auto packet = Ipv4Packet::decode(frame->payload);
    IPOP_ASSERT(packet && packet->protocol == kIpProtocolIcmp && internet_sum(packet->payload) == 0xffff);
  } else {
    const auto packet = Ipv6Packet::decode(frame->payload);
    IPOP_ASSERT(packet && Icmpv6Message::decode(*packet));
  }
  // Nobody is told about what he was told.
  IPOP_ASSERT(!packet_too_big(*answer, 1320, kRouter));
  return 0;
}
