// Ethernet II frames with at most one 802.1Q tag, and what is behind any number of tags.  Frames come without
// FCS, as taps and switches hand them over.  (IEEE 802.3 clause 3, IEEE 802.1Q clause 9.)
#pragma once

#include <cstdint>
#include <optional>

#include "overlay/base/big_endian.h"
#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/wire/address.h"

namespace ipop {

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;
inline constexpr uint16_t kEtherTypeRarp = 0x8035;
inline constexpr uint16_t kEtherTypeVlan = 0x8100;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr uint16_t kEtherTypeServiceVlan = 0x88a8;  // IEEE 802.1ad.

inline constexpr uint16_t kFirstEtherType = 0x600;  ///< What is smaller is a length (IEEE 802.3).

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

/// What a receiver sees of a frame that takes off all tags (802.1Q, 802.1ad), and LLC with SNAP (RFC 1042).
class FrameContent {
 public:
  enum class Wrapping : uint8_t {
    None,
    Priority,  ///< One 802.1Q tag that names no VLAN: the same as none to who gets it.
    Vlan,      ///< A tag names a VLAN.
    Unusual,   ///< Anything else: SNAP, an 802.1ad tag or several that name no VLAN.
  };
  uint16_t ethertype = 0;  ///< A value below 0x600 is a length: of LLC without SNAP.
  ByteView payload;
  Wrapping wrapping = Wrapping::None;

  /// REQUIRES: frame.size() >= kEthernetHeaderSize.
  static FrameContent of(ByteView frame) {
    FrameContent out{.ethertype = load_u16(&frame[kEthernetHeaderSize - 2]),
                     .payload = frame.subspan(kEthernetHeaderSize)};
    if (is_wrapping(out.ethertype)) out.unwrap();
    return out;
  }

 private:
  static bool is_tag(uint16_t ethertype) {
    return ethertype == kEtherTypeVlan || ethertype == kEtherTypeServiceVlan;
  }
  static bool is_wrapping(uint16_t ethertype) { return ethertype < kFirstEtherType || is_tag(ethertype); }
  void unwrap();
};

}  // namespace ipop
