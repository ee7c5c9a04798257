// Guests' frames for the tests of fastpath/, made and checked slowly and independently of the code under
// test.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "overlay/base/bytes.h"

namespace ipop::test {

inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20,
                         kEce = 0x40, kCwr = 0x80;

/// RFC 1071 word by word: the complement of the ones' complement sum, with a zero behind an odd end.
inline uint16_t naive_checksum(ByteView data) {
  uint32_t sum = 0;
  for (size_t i = 0; i < data.size(); ++i) {
    sum += i % 2 == 0 ? uint32_t{data[i]} << 8 : data[i];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<uint16_t>(sum ^ 0xffff);
}

inline uint16_t u16_at(ByteView data, size_t at) {
  return static_cast<uint16_t>(data[at] * 256 + data[at + 1]);
}
inline uint32_t u32_at(ByteView data, size_t at) {
  return uint32_t{u16_at(data, at)} * 65536 + u16_at(data, at + 2);
}

/// What a transport checksum covers, pseudo-header first; verifying means naive_checksum() of it is 0.
inline Bytes covered(bool ipv6, ByteView ip_header, uint8_t protocol, ByteView segment) {
  Writer out;
  out.bytes(ipv6 ? ip_header.subspan(8, 32) : ip_header.subspan(12, 8));
  if (ipv6) {
    out.u32(static_cast<uint32_t>(segment.size()));
    out.zeros(3);
    out.u8(protocol);
  } else {
    out.u8(0);
    out.u8(protocol);
    out.u16(static_cast<uint16_t>(segment.size()));
  }
  out.bytes(segment);
  return out.take();
}

/// A frame to be made.  The transport checksum is left wrong, as the switch's NAT leaves it.
struct FrameSpec {
  bool ipv6 = false;
  std::vector<uint16_t> tags = {};  ///< EtherTypes of VLAN tags, outermost first.
  Bytes ip_options = {};            ///< IPv4 only; a multiple of 4.
  Bytes extensions = {};            ///< IPv6 only; the whole chain, its last next-header naming `protocol`.
  uint8_t first_extension = 0;
  uint16_t fragment = 0x4000;  ///< IPv4 flags and offset: don't fragment.
  uint16_t id = 0x1234;
  uint8_t protocol = 6;
  uint16_t source_port = 40000;
  uint32_t sequence = 1000;
  uint8_t flags = kAck;
  Bytes tcp_options = {};  ///< A multiple of 4.
  Bytes payload = {};
  size_t padding = 0;  ///< Octets behind the packet.

  size_t network_offset() const { return 14 + 4 * tags.size(); }
  size_t transport_offset() const {
    return network_offset() + (ipv6 ? 40 + extensions.size() : 20 + ip_options.size());
  }
  size_t header_size() const {
    return transport_offset() + (protocol == 6 ? 20 + tcp_options.size() : size_t{8});
  }

  Bytes build() const {
    Writer out;
    out.bytes(Bytes{0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0, 0, 1});
    for (const uint16_t tag : tags) {
      out.u16(tag);
      out.u16(100);
    }
    const auto segment = static_cast<uint16_t>(header_size() - transport_offset() + payload.size());
    if (ipv6) {
      out.u16(0x86dd);
      out.u32(0x60000000);
      out.u16(static_cast<uint16_t>(extensions.size() + segment));
      out.u8(extensions.empty() ? protocol : first_extension);
      out.u8(64);
      for (const uint8_t last : Bytes{1, 2}) {
        out.u32(0xfd000000);
        out.zeros(11);
        out.u8(last);
      }
      out.bytes(extensions);
    } else {
      out.u16(0x0800);
      Writer ip;
      ip.u8(static_cast<uint8_t>(0x45 + ip_options.size() / 4));
      ip.u8(0);
      ip.u16(static_cast<uint16_t>(20 + ip_options.size() + segment));
      ip.u16(id);
      ip.u16(fragment);
      ip.u8(64);
      ip.u8(protocol);
      ip.u16(0);
      ip.u32(0x0a80000b);
      ip.u32(0x0a80000c);
      ip.bytes(ip_options);
      ip.patch_u16(10, naive_checksum(ip.view()));
      out.bytes(ip.view());
    }
    out.u16(source_port);
    out.u16(5201);
    if (protocol == 6) {
      out.u32(sequence);
      out.u32(77);
      out.u8(static_cast<uint8_t>((5 + tcp_options.size() / 4) << 4));
      out.u8(flags);
      out.u16(500);
      out.u16(0xdead);
      out.u16(0);
      out.bytes(tcp_options);
    } else {
      out.u16(segment);
      out.u16(0xdead);
    }
    out.bytes(payload);
    out.zeros(padding);
    return out.take();
  }
};

/// `n` octets that differ from their neighbours and from those a segment away.
inline Bytes pattern(size_t n) {
  Bytes out(n);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<uint8_t>(i * 7 + i / 251);
  return out;
}

/// True if the checksum of `spec`'s frame, in `frame`, is right.
inline bool transport_verifies(const FrameSpec& spec, ByteView frame) {
  const ByteView whole = frame.first(frame.size() - spec.padding);
  return naive_checksum(covered(spec.ipv6, whole.subspan(spec.network_offset()), spec.protocol,
                                whole.subspan(spec.transport_offset()))) == 0;
}

}  // namespace ipop::test
