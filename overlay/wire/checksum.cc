#include "overlay/wire/checksum.h"

#include <array>
#include <cstring>

#include "overlay/base/big_endian.h"
#include "overlay/wire/ethernet.h"

namespace ipop {

namespace {

constexpr size_t kAddressesAt4 = 12;  // Source and destination, both, in the IPv4 header,
constexpr size_t kAddressesAt6 = 8;   // and in the IPv6 header.

/// True if a source route is among the options of an IPv4 header, or if they are malformed.
bool has_source_route(ByteView options) {
  constexpr uint8_t kEnd = 0, kNoOperation = 1, kLooseRoute = 131,
                    kStrictRoute = 137;  // RFC 791, section 3.1.
  while (!options.empty() && options[0] != kEnd) {
    if (options[0] == kNoOperation) {
      options = options.subspan(1);
      continue;
    }
    if (options[0] == kLooseRoute || options[0] == kStrictRoute) return true;
    if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) return true;
    options = options.subspan(options[1]);
  }
  return false;
}

/// | version, IHL (1) | tos (1) | total length (2) | id (2) | flags, offset (2) | ttl (1) | protocol (1) |
/// ...
bool find_in_ipv4(ByteView frame, TransportPlace& place) {
  const ByteView packet = frame.subspan(place.network_offset);
  if (packet.size() < 20 || packet[0] >> 4 != 4) return false;
  const size_t header = size_t{packet[0] & 0x0fu} * 4;
  const size_t total = load_u16(&packet[2]);
  if (header < 20 || total < header || total > packet.size()) return false;
  const bool is_fragment = (load_u16(&packet[6]) & 0x3fff) != 0;  // More to come, or not the first.
  if (is_fragment || has_source_route(packet.subspan(20, header - 20))) return false;
  place.protocol = packet[9];
  place.offset = place.network_offset + header;
  place.end = place.network_offset + total;
  return true;
}

/// | version... (4) | payload length (2) | next header (1) | hop limit (1) | addresses (32) | extensions ...
bool find_in_ipv6(ByteView frame, TransportPlace& place) {
  constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kDestination = 60;  // RFC 8200, section 4.
  const ByteView packet = frame.subspan(place.network_offset);
  if (packet.size() < 40 || packet[0] >> 4 != 6) return false;
  const size_t end = 40 + size_t{load_u16(&packet[4])};
  if (end > packet.size()) return false;
  uint8_t next = packet[6];
  size_t at = 40;
  while (next == kHopByHop || next == kRouting || next == kFragment || next == kDestination) {
    if (end - at < 8) return false;
    const ByteView extension = packet.subspan(at);
    const size_t size = next == kFragment ? 8 : (size_t{extension[1]} + 1) * 8;
    if (size > end - at) return false;
    if (next == kRouting && extension[3] != 0) return false;  // Segments left.
    if (next == kFragment && (load_u16(&extension[2]) & 0xfff9) != 0)
      return false;  // Not "atomic", RFC 6946.
    next = extension[0];
    at += size;
  }
  place.protocol = next;
  place.offset = place.network_offset + at;
  place.end = place.network_offset + end;
  return true;
}

}  // namespace

std::optional<TransportPlace> find_transport(ByteView frame) {
  size_t at = 12;  // Behind the two MAC addresses.
  if (frame.size() < at + 2) return std::nullopt;
  uint16_t type = load_u16(&frame[at]);
  while (type == kEtherTypeVlan || type == kEtherTypeServiceVlan) {
    at += 4;
    if (frame.size() < at + 2) return std::nullopt;
    type = load_u16(&frame[at]);
  }
  TransportPlace place{.is_ipv6 = type == kEtherTypeIpv6, .network_offset = at + 2};
  if (type != kEtherTypeIpv4 && type != kEtherTypeIpv6) return std::nullopt;
  if (!(place.is_ipv6 ? find_in_ipv6(frame, place) : find_in_ipv4(frame, place))) return std::nullopt;
  if (place.protocol != kIpProtocolTcp && place.protocol != kIpProtocolUdp) return std::nullopt;
  const size_t fixed = place.protocol == kIpProtocolTcp ? 20 : 8;
  if (place.end - place.offset < fixed) return std::nullopt;
  return place;
}

namespace {

struct Covered {
  TransportPlace place;
  size_t length;  ///< Octets of TCP or UDP that the checksum covers.
  size_t field;   ///< Where the checksum is in the frame.
};

std::optional<Covered> find_covered(ByteView frame) {
  const auto place = find_transport(frame);
  if (!place) return std::nullopt;
  const size_t length = place->end - place->offset;
  if (place->protocol == kIpProtocolTcp) return Covered{*place, length, place->offset + 16};
  const size_t said = load_u16(&frame[place->offset + 4]);
  if (said < 8 || said > length) return std::nullopt;
  return Covered{*place, said, place->offset + 6};
}

}  // namespace

InternetChecksum pseudo_header_sum(ByteView frame, const TransportPlace& place, size_t length) {
  const ByteView packet = frame.subspan(place.network_offset);
  InternetChecksum sum;
  sum.add(place.is_ipv6 ? packet.subspan(kAddressesAt6, 32) : packet.subspan(kAddressesAt4, 8));
  sum.add_u16(place.protocol);
  sum.add_u16(static_cast<uint16_t>(length));  // IPv6 has 32 bits here; a length above 65535 does not exist.
  return sum;
}

bool complete_checksum(ByteSpan frame) {
  const auto covered = find_covered(frame);
  if (!covered) return false;
  uint8_t* const field = &frame[covered->field];
  std::memset(field, 0, 2);
  InternetChecksum sum = pseudo_header_sum(frame, covered->place, covered->length);
  sum.add(frame.subspan(covered->place.offset, covered->length));
  uint16_t value = sum.finish();
  // Zero would say "no checksum" (RFC 768).
  if (covered->place.protocol == kIpProtocolUdp && value == 0) value = 0xffff;
  std::memcpy(field, &value, 2);
  return true;
}

bool is_left_to_card(ByteView frame) {
  const auto covered = find_covered(frame);
  if (!covered) return false;
  const auto sum = static_cast<uint16_t>(~pseudo_header_sum(frame, covered->place, covered->length).finish());
  return std::memcmp(&frame[covered->field], &sum, sizeof sum) == 0;
}

void complete_ipv4_header_checksum(ByteSpan header) {
  std::memset(&header[10], 0, 2);
  InternetChecksum sum;
  sum.add(header);
  const uint16_t value = sum.finish();
  std::memcpy(&header[10], &value, 2);
}

}  // namespace ipop
