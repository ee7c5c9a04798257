#include "overlay/wire/icmpv6.h"

#include "overlay/wire/inet.h"

namespace ipop {

/// | type (1) | code (1) | checksum (2) | body |
Result<Icmpv6Message> Icmpv6Message::decode(const Ipv6Packet& packet) {
  if (packet.protocol != kIpProtocolIcmpv6 || packet.fragment != Ipv6Packet::Fragment::No) {
    return Error::UnknownType;
  }
  Reader in(packet.payload);
  const auto type = in.u8();
  const auto code = in.u8();
  in.u16();
  const Icmpv6Message message{.type = type, .code = code, .body = in.rest()};
  const uint16_t pseudo = pseudo_header_sum(packet.src, packet.dst, kIpProtocolIcmpv6, packet.payload.size());
  if (!in.ok() || internet_sum(packet.payload, pseudo) != 0xffff) return Error::Malformed;
  return message;
}

Bytes Icmpv6Message::encode(const Ipv6Address& src, const Ipv6Address& dst) const {
  Writer out;
  out.u8(type);
  out.u8(code);
  out.u16(0);
  out.bytes(body);
  out.patch_u16(2, internet_checksum(out.view(), pseudo_header_sum(src, dst, kIpProtocolIcmpv6, out.size())));
  return out.take();
}

}  // namespace ipop
