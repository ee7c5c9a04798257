#include "overlay/wire/ipv6.h"

#include "overlay/wire/inet.h"

namespace ipop {
namespace {

constexpr uint8_t kHopByHop = 0;
constexpr uint8_t kRouting = 43;
constexpr uint8_t kFragment = 44;
constexpr uint8_t kDestinationOptions = 60;
constexpr uint16_t kFragmentOffset = 0xfff8;
constexpr size_t kMinTransportHeader = 8;  // UDP's; ICMPv6 has none that is shorter.

/// Each | next header (1) | length in 8 octets, less one (1) | content |, but a fragment header is always
/// | next header (1) | reserved (1) | offset, reserved, more (2) | identification (4) |.
void skip_extension_headers(Reader& in, Ipv6Packet& packet) {
  while (in.ok() && packet.fragment != Ipv6Packet::Fragment::Later) {
    const uint8_t kind = packet.protocol;
    if (kind != kHopByHop && kind != kRouting && kind != kDestinationOptions && kind != kFragment) return;
    packet.protocol = in.u8();
    const size_t length = in.u8();
    if (kind == kFragment) {
      const bool later = (in.u16() & kFragmentOffset) != 0;
      packet.fragment = later ? Ipv6Packet::Fragment::Later : Ipv6Packet::Fragment::First;
      in.u32();
    } else {
      in.bytes(8 * length + 6);
    }
  }
}

}  // namespace

/// | 6, traffic class, flow label (4) | payload length (2) | next header (1) | hop limit (1) | src (16)
/// | dst (16) | extension headers | payload |
Result<Ipv6Packet> Ipv6Packet::decode(ByteView bytes) {
  Reader in(bytes);
  const auto version_class = in.u32();
  const size_t length = in.u16();
  Ipv6Packet packet;
  packet.traffic_class = static_cast<uint8_t>(version_class >> 20);
  packet.protocol = in.u8();
  packet.hop_limit = in.u8();
  packet.src = read_ipv6(in);
  packet.dst = read_ipv6(in);
  if (!in.ok() || version_class >> 28 != 6 || length > in.remaining() || packet.src.is_multicast()) {
    return Error::Malformed;
  }
  Reader content(in.bytes(length));
  skip_extension_headers(content, packet);
  packet.payload = content.rest();
  if (!content.ok()) return Error::Malformed;
  if (packet.fragment == Ipv6Packet::Fragment::First && packet.payload.size() < kMinTransportHeader) {
    return Error::Malformed;
  }
  return packet;
}

Bytes Ipv6Packet::encode() const {
  Writer out;
  out.u32(uint32_t{6} << 28 | uint32_t{traffic_class} << 20);
  out.u16(static_cast<uint16_t>(payload.size()));
  out.u8(protocol);
  out.u8(hop_limit);
  write(out, src);
  write(out, dst);
  out.bytes(payload);
  return out.take();
}

uint16_t pseudo_header_sum(const Ipv6Address& src, const Ipv6Address& dst, uint8_t protocol, size_t length) {
  Writer pseudo;
  write(pseudo, src);
  write(pseudo, dst);
  pseudo.u32(static_cast<uint32_t>(length));
  pseudo.u32(protocol);
  return internet_sum(pseudo.view());
}

}  // namespace ipop
