// Guests of tests, and what they send.
#pragma once

#include <initializer_list>
#include <string_view>

#include "overlay/base/bytes.h"
#include "overlay/wire/address.h"

namespace ipop::test {

inline constexpr MacAddress kAlice{{0x52, 0x54, 0, 0, 0, 0xa}};
inline constexpr MacAddress kBob{{0x52, 0x54, 0, 0, 0, 0xb}};
inline constexpr MacAddress kCarol{{0x52, 0x54, 0, 0, 0, 0xc}};
inline const Ipv4Address kAliceIp = *Ipv4Address::parse("10.128.0.10");
inline const Ipv4Address kBobIp = *Ipv4Address::parse("10.128.0.11");

/// "Who has `target`?" or, with target == ip, "here I am" (RFC 5227).
inline Bytes arp_request(const MacAddress& mac, Ipv4Address ip, Ipv4Address target) {
  Writer out;
  write(out, MacAddress::broadcast());
  write(out, mac);
  for (const uint16_t field : std::initializer_list<uint16_t>{0x0806, 1, 0x0800, 0x0604, 1}) out.u16(field);
  write(out, mac);
  write(out, ip);
  write(out, MacAddress{});
  write(out, target);
  return out.take();
}

/// A frame of a protocol that nobody looks into (IEEE 802, local experimental).
inline Bytes frame(const MacAddress& dst, const MacAddress& src, std::string_view text) {
  Writer out;
  write(out, dst);
  write(out, src);
  out.u16(0x88b5);
  out.bytes(as_bytes(text));
  return out.take();
}

}  // namespace ipop::test
