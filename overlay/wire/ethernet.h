// Ethernet II frames with at most one 802.1Q tag looked at.  Frames come without FCS, as taps and switches
// hand them over.  (IEEE 802.3 clause 3, IEEE 802.1Q clause 9.)
#pragma once

#include <cstdint>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/wire/address.h"

namespace ipop {

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;
inline constexpr uint16_t kEtherTypeRarp = 0x8035;
inline constexpr uint16_t kEtherTypeVlan = 0x8100;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;

inline constexpr size_t kEthernetHeaderSize = 14;
/// The largest frame a port gives or takes, in octets: see struct ipop_frame.
inline constexpr size_t kMaxFrameSize = 65535;
/// The largest frame that is carried to a peer: 9000 octets of payload, header and two VLAN tags.
inline constexpr size_t kMaxCarriedFrame = 9022;

struct EthernetHeader {
  MacAddress dst;
  MacAddress src;
  std::optional<uint16_t> vlan_tci;  ///< Priority, DEI and VLAN id, if there is a tag.
  uint16_t ethertype = 0;            ///< Behind the tag; values below 0x600 are 802.3 lengths.

  bool operator==(const EthernetHeader&) const = default;
  /// Leaves `in` at the payload.
  static Result<EthernetHeader> decode(Reader& in);
  void encode(Writer& out) const;
};

/// A header and a view of what follows it, which may end in padding up to the 60 octets of a smallest frame.
struct EthernetFrame {
  EthernetHeader header;
  ByteView payload;

  static Result<EthernetFrame> decode(ByteView frame);
  Bytes encode() const;
};

}  // namespace ipop
