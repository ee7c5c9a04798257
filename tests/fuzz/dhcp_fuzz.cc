// DHCP messages, bare and in their IPv4 packet: what decodes survives being encoded and decoded again.  The
// octets may differ, since a message can be written in many ways.
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/wire/dhcp.h"
#include "overlay/wire/inet.h"

using namespace ipop;

namespace {

void check_message(ByteView payload) {
  const auto message = DhcpMessage::decode(payload);
  if (!message) return;
  const auto again = DhcpMessage::decode(message->encode());
  IPOP_ASSERT(again && *again == *message);
}

void check_packet(ByteView input) {
  const auto packet = Ipv4Packet::decode(input);
  if (!packet) return;
  const Bytes packet_again = packet->encode();
  const auto decoded = Ipv4Packet::decode(packet_again);
  IPOP_ASSERT(decoded && decoded->src == packet->src && decoded->payload.size() == packet->payload.size());
  (void)IcmpEcho::decode(packet->payload);
  const auto datagram = UdpDatagram::decode(*packet);
  if (!datagram) return;
  const Bytes udp = datagram->encode(packet->src, packet->dst);
  Ipv4Packet carrier = *packet;
  carrier.payload = udp;
  const auto same = UdpDatagram::decode(carrier);
  IPOP_ASSERT(same && same->dst_port == datagram->dst_port &&
              same->payload.size() == datagram->payload.size());
  check_message(datagram->payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check_message({data, size});
  check_packet({data, size});
  return 0;
}
