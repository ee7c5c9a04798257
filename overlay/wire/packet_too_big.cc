#include "overlay/wire/packet_too_big.h"

#include <algorithm>

#include "overlay/wire/ethernet.h"
#include "overlay/wire/icmpv6.h"
#include "overlay/wire/inet.h"
#include "overlay/wire/ipv6.h"

namespace ipop {
namespace {

constexpr size_t kSmallestIpv6Mtu = 1280;

/// An error must not make another.
bool is_icmp_error(uint8_t type) { return type != 8 && type != 0; }
bool is_icmpv6_error(uint8_t type) { return type < 128; }

bool is_unicast(Ipv4Address address) { return address.value != 0 && address.value >> 28 < 14; }
bool is_unicast(const Ipv6Address& address) { return address.bytes[0] != 0xff && address != Ipv6Address{}; }

/// | type 3 (1) | code 4 (1) | checksum (2) | zero (2) | next-hop MTU (2) | the packet's head |
std::optional<Bytes> fragmentation_needed(ByteView packet, size_t mtu) {
  const auto header = Ipv4Header::decode(packet);
  if (!header || packet.size() < header->size + 8 || header->may_be_cut() || header->is_later_fragment() ||
      !is_unicast(header->src) || !is_unicast(header->dst) ||
      (header->protocol == kIpProtocolIcmp && is_icmp_error(packet[header->size]))) {
    return std::nullopt;
  }
  Writer out;
  out.u8(3);
  out.u8(4);
  out.u16(0);
  out.u16(0);
  out.u16(static_cast<uint16_t>(mtu));
  out.bytes(packet);
  out.patch_u16(2, internet_checksum(out.view()));
  return Ipv4Packet{
      .src = header->dst, .dst = header->src, .protocol = kIpProtocolIcmp, .payload = out.view()}
      .encode();
}

/// | MTU (4) | the packet's head |
std::optional<Bytes> too_big(ByteView packet, size_t mtu) {
  Reader in(packet);
  const uint8_t version = in.u8();
  in.bytes(5);
  const uint8_t next_header = in.u8();
  in.u8();
  const Ipv6Address src = read_ipv6(in);
  const Ipv6Address dst = read_ipv6(in);
  const uint8_t first = in.u8();  // Of what follows; the type, if that is ICMPv6.
  if (!in.ok() || version >> 4 != 6 || mtu < kSmallestIpv6Mtu || !is_unicast(src) || !is_unicast(dst) ||
      (next_header == kIpProtocolIcmpv6 && is_icmpv6_error(first))) {
    return std::nullopt;
  }
  Writer body;
  body.u32(static_cast<uint32_t>(mtu));
  body.bytes(packet);
  const Bytes message =
      Icmpv6Message{.type = Icmpv6Message::kPacketTooBig, .body = body.view()}.encode(dst, src);
  return Ipv6Packet{.src = dst, .dst = src, .protocol = kIpProtocolIcmpv6, .payload = message}.encode();
}

}  // namespace

std::optional<Bytes> packet_too_big(ByteView head, size_t max_frame, const MacAddress& from) {
  Reader in(head);
  const auto header = EthernetHeader::decode(in);
  if (!header || header->src.is_group()) return std::nullopt;
  const size_t header_size = head.size() - in.remaining();
  if (max_frame <= header_size) return std::nullopt;
  const size_t mtu = std::min<size_t>(max_frame - header_size, 0xffff);
  const ByteView packet = in.bytes(std::min(in.remaining(), kTooBigHead - header_size));
  std::optional<Bytes> answer;
  if (header->ethertype == kEtherTypeIpv4) answer = fragmentation_needed(packet, mtu);
  if (header->ethertype == kEtherTypeIpv6) answer = too_big(packet, mtu);
  if (!answer) return std::nullopt;
  EthernetHeader reply = *header;
  reply.dst = header->src;
  reply.src = from;
  return EthernetFrame{.header = reply, .payload = *answer}.encode();
}

}  // namespace ipop
