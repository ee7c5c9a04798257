// Neighbour discovery in its IPv6 packet: what decodes, and has nothing but what we know of, encodes to the
// same octets.
#include <algorithm>
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/wire/inet.h"
#include "overlay/wire/nd.h"

using namespace ipop;

namespace {

template <class Message>
void check_both_ways(const Ipv6Packet& packet) {
  const auto message = Message::decode(packet);
  if (!message) return;
  Ipv6Packet again = packet;
  const Bytes octets = message->encode(packet.src, packet.dst);
  again.payload = octets;
  const auto decoded = Message::decode(again);
  IPOP_ASSERT(decoded && *decoded == *message && octets.size() <= packet.payload.size());
}

/// Random octets seldom have a right checksum: here they get one.
void check_message(ByteView input) {
  if (input.size() < 34) return;
  Reader in(input);
  const auto type = in.u8();
  const auto kind = in.u8();
  const Ipv6Address src = (kind & 1) != 0 ? Ipv6Address{} : read_ipv6(in);
  const Ipv6Address target = read_ipv6(in);
  const Ipv6Address dst = (kind & 2) != 0 ? target.solicited_node() : target;
  const Bytes payload = Icmpv6Message{.type = type, .code = 0, .body = in.rest()}.encode(src, dst);
  const Ipv6Packet packet{
      .src = src, .dst = dst, .protocol = kIpProtocolIcmpv6, .hop_limit = 255, .payload = payload};
  IPOP_ASSERT(Icmpv6Message::decode(packet));
  check_both_ways<NeighbourSolicitation>(packet);
  check_both_ways<NeighbourAdvertisement>(packet);
  (void)RouterSolicitation::decode(packet);
}

void check_packet(ByteView input) {
  const auto packet = Ipv6Packet::decode(input);
  if (!packet) return;
  IPOP_ASSERT(packet->payload.size() + Ipv6Packet::kHeaderSize <= input.size());
  check_both_ways<NeighbourSolicitation>(*packet);
  check_both_ways<NeighbourAdvertisement>(*packet);
  (void)RouterSolicitation::decode(*packet);
  (void)UdpDatagram::decode(*packet);
  Ipv6Packet plain = *packet;
  plain.fragment = Ipv6Packet::Fragment::No;
  const Bytes octets = plain.encode();
  const auto again = Ipv6Packet::decode(octets);
  // A later fragment's content may look like an extension header, once it is not one any more.
  IPOP_ASSERT(packet->fragment == Ipv6Packet::Fragment::Later ||
              (again && again->payload.size() == plain.payload.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check_packet({data, size});
  check_message({data, size});
  return 0;
}
