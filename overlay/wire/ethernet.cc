#include "overlay/wire/ethernet.h"

#include <algorithm>
#include <array>

namespace ipop {
namespace {

constexpr uint16_t kVlanId = 0x0fff;

/// | aa aa 03 | organisation: 00 00 00, or 00 00 f8 of bridges (IEEE 802.1H) | ethertype (2) |
bool is_snap(ByteView llc) {
  constexpr std::array<uint8_t, 5> kHead{0xaa, 0xaa, 3, 0, 0};
  return llc.size() >= 8 && std::equal(kHead.begin(), kHead.end(), llc.begin()) &&
         (llc[5] == 0 || llc[5] == 0xf8);
}

}  // namespace

/// | dst (6) | src (6) | [0x8100 (2) | tci (2)] | ethertype (2) | payload |
Result<EthernetHeader> EthernetHeader::decode(Reader& in) {
  EthernetHeader header{.dst = read_mac(in), .src = read_mac(in), .vlan_tci = {}, .ethertype = in.u16()};
  if (header.ethertype == kEtherTypeVlan) {
    header.vlan_tci = in.u16();
    header.ethertype = in.u16();
  }
  if (!in.ok()) return Error::Malformed;
  return header;
}

void EthernetHeader::encode(Writer& out) const {
  write(out, dst);
  write(out, src);
  if (vlan_tci) {
    out.u16(kEtherTypeVlan);
    out.u16(*vlan_tci);
  }
  out.u16(ethertype);
}

Result<EthernetFrame> EthernetFrame::decode(ByteView frame) {
  if (frame.size() > kMaxFrameSize) return Error::Malformed;
  Reader in(frame);
  const auto header = EthernetHeader::decode(in);
  if (!header) return header.error();
  return EthernetFrame{.header = *header, .payload = in.rest()};
}

void FrameContent::unwrap() {
  while (is_tag(ethertype) && payload.size() >= 4) {
    const bool is_first = wrapping == Wrapping::None;
    if ((load_u16(&payload[0]) & kVlanId) != 0 || wrapping == Wrapping::Vlan) {
      wrapping = Wrapping::Vlan;
    } else {
      wrapping = is_first && ethertype == kEtherTypeVlan ? Wrapping::Priority : Wrapping::Unusual;
    }
    ethertype = load_u16(&payload[2]);
    payload = payload.subspan(4);
  }
  if (ethertype < kFirstEtherType && is_snap(payload)) {
    if (wrapping != Wrapping::Vlan) wrapping = Wrapping::Unusual;
    ethertype = load_u16(&payload[6]);
    payload = payload.subspan(8);
  }
}

Bytes EthernetFrame::encode() const {
  Writer out;
  header.encode(out);
  out.bytes(payload);
  return out.take();
}

}  // namespace ipop
