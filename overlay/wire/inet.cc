#include "overlay/wire/inet.h"

namespace ipop {
namespace {

constexpr size_t kUdpHeaderSize = 8;
constexpr uint8_t kIcmpEchoReply = 0;
constexpr uint8_t kIcmpEchoRequest = 8;
constexpr uint16_t kDontFragment = 0x4000;

/// | src (4) | dst (4) | zero (1) | protocol (1) | UDP length (2) |, RFC 768.
uint16_t pseudo_header_sum(Ipv4Address src, Ipv4Address dst, size_t length) {
  Writer pseudo;
  write(pseudo, src);
  write(pseudo, dst);
  pseudo.u8(0);
  pseudo.u8(kIpProtocolUdp);
  pseudo.u16(static_cast<uint16_t>(length));
  return internet_sum(pseudo.view());
}

/// `pseudo_of(length)` is the sum that the checksum begins with.
template <class PseudoOf>
Result<UdpDatagram> decode_udp(ByteView payload, bool may_lack_checksum, PseudoOf pseudo_of) {
  Reader in(payload);
  const auto src_port = in.u16();
  const auto dst_port = in.u16();
  const auto length = in.u16();
  const auto checksum = in.u16();
  if (!in.ok() || length < kUdpHeaderSize || length > payload.size()) return Error::Malformed;
  const ByteView datagram = payload.first(length);
  const uint16_t pseudo = pseudo_of(size_t{length});
  if (checksum == 0 && !may_lack_checksum) return Error::Malformed;
  if (checksum != 0 && checksum != pseudo && internet_sum(datagram, pseudo) != 0xffff)
    return Error::Malformed;
  return UdpDatagram{.src_port = src_port, .dst_port = dst_port, .payload = datagram.subspan(kUdpHeaderSize)};
}

Bytes encode_udp(const UdpDatagram& datagram, uint16_t pseudo) {
  Writer out;
  out.u16(datagram.src_port);
  out.u16(datagram.dst_port);
  out.u16(static_cast<uint16_t>(kUdpHeaderSize + datagram.payload.size()));
  out.u16(0);
  out.bytes(datagram.payload);
  const uint16_t checksum = internet_checksum(out.view(), pseudo);
  out.patch_u16(6, checksum == 0 ? 0xffff : checksum);  // Zero would mean that there is none.
  return out.take();
}

}  // namespace

/// | 4, header words (1) | tos (1) | total length (2) | identification (2) | flags, offset (2)
/// | ttl (1) | protocol (1) | checksum (2) | src (4) | dst (4) | options |
std::optional<Ipv4Header> Ipv4Header::decode(ByteView packet) {
  Reader in(packet);
  Ipv4Header out;
  const auto version_words = in.u8();
  out.size = 4 * (version_words & 15);
  out.tos = in.u8();
  out.total = in.u16();
  in.u16();
  out.fragment = in.u16();
  out.ttl = in.u8();
  out.protocol = in.u8();
  in.u16();
  out.src = read_ipv4(in);
  out.dst = read_ipv4(in);
  if (!in.ok() || version_words >> 4 != 4 || out.size < Ipv4Packet::kHeaderSize || out.size > packet.size()) {
    return std::nullopt;
  }
  return out;
}

Result<Ipv4Packet> Ipv4Packet::decode(ByteView packet) {
  const auto header = Ipv4Header::decode(packet);
  if (!header || header->total < header->size || header->total > packet.size() ||
      internet_sum(packet.first(header->size)) != 0xffff) {
    return Error::Malformed;
  }
  if (header->is_fragment()) return Error::UnknownType;
  return Ipv4Packet{.src = header->src,
                    .dst = header->dst,
                    .protocol = header->protocol,
                    .ttl = header->ttl,
                    .tos = header->tos,
                    .payload = packet.subspan(header->size, header->total - header->size)};
}

Bytes Ipv4Packet::encode() const {
  Writer out;
  out.u8(4 << 4 | kHeaderSize / 4);
  out.u8(tos);
  out.u16(static_cast<uint16_t>(kHeaderSize + payload.size()));
  out.u16(0);  // Says nothing in a packet that is not to be fragmented: RFC 6864, section 4.1.
  out.u16(kDontFragment);
  out.u8(ttl);
  out.u8(protocol);
  out.u16(0);
  write(out, src);
  write(out, dst);
  out.patch_u16(10, internet_checksum(out.view()));
  out.bytes(payload);
  return out.take();
}

/// | src_port (2) | dst_port (2) | length (2) | checksum (2) | payload |
Result<UdpDatagram> UdpDatagram::decode(const Ipv4Packet& packet) {
  if (packet.protocol != kIpProtocolUdp) return Error::UnknownType;
  return decode_udp(packet.payload, true,
                    [&](size_t length) { return pseudo_header_sum(packet.src, packet.dst, length); });
}

Result<UdpDatagram> UdpDatagram::decode(const Ipv6Packet& packet) {
  if (packet.protocol != kIpProtocolUdp || packet.fragment != Ipv6Packet::Fragment::No) {
    return Error::UnknownType;
  }
  return decode_udp(packet.payload, false, [&](size_t length) {
    return pseudo_header_sum(packet.src, packet.dst, kIpProtocolUdp, length);
  });
}

Bytes UdpDatagram::encode(Ipv4Address src, Ipv4Address dst) const {
  return encode_udp(*this, pseudo_header_sum(src, dst, kUdpHeaderSize + payload.size()));
}

Bytes UdpDatagram::encode(const Ipv6Address& src, const Ipv6Address& dst) const {
  return encode_udp(*this, pseudo_header_sum(src, dst, kIpProtocolUdp, kUdpHeaderSize + payload.size()));
}

/// | type (1) | code = 0 (1) | checksum (2) | identifier (2) | sequence (2) | data |
Result<IcmpEcho> IcmpEcho::decode(ByteView message) {
  Reader in(message);
  const auto type = in.u8();
  const auto code = in.u8();
  in.u16();
  const IcmpEcho echo{
      .is_reply = type == kIcmpEchoReply, .identifier = in.u16(), .sequence = in.u16(), .data = in.rest()};
  if (!in.ok() || internet_sum(message) != 0xffff) return Error::Malformed;
  if ((type != kIcmpEchoReply && type != kIcmpEchoRequest) || code != 0) return Error::UnknownType;
  return echo;
}

Bytes IcmpEcho::encode() const {
  Writer out;
  out.u8(is_reply ? kIcmpEchoReply : kIcmpEchoRequest);
  out.u8(0);
  out.u16(0);
  out.u16(identifier);
  out.u16(sequence);
  out.bytes(data);
  out.patch_u16(2, internet_checksum(out.view()));
  return out.take();
}

}  // namespace ipop
