// What a router says of a packet that is too large for the way ahead: "fragmentation needed" (RFC 792, RFC
// 1191) or "packet too big" (RFC 4443, section 3.2).
#pragma once

#include <cstddef>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/wire/address.h"

namespace ipop {

/// So many octets of a frame are enough for packet_too_big(): the headers up to the transport's, with
/// options.
inline constexpr size_t kTooBigHead = 192;

/// The frame that tells the sender of a frame, which begins with `head`, that frames of up to `max_frame`
/// octets fit.  It comes from the Ethernet address `from`, with the VLAN tag of the frame, and from the IP
/// address that the frame goes to: of those that the sender may be asked to believe, the one that it knows a
/// way to.
///
/// Nothing for those who did not ask to be told (IPv4 without the bit "don't fragment", other protocols), who
/// must not be told (RFC 1122, section 3.2.2: ICMP errors, fragments but the first, addresses of groups), or
/// who would not listen (IPv6 below 1280 octets, RFC 8200, section 5).
std::optional<Bytes> packet_too_big(ByteView head, size_t max_frame, const MacAddress& from);

}  // namespace ipop
