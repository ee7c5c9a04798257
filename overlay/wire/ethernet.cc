#include "overlay/wire/ethernet.h"

namespace ipop {

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

Bytes EthernetFrame::encode() const {
  Writer out;
  header.encode(out);
  out.bytes(payload);
  return out.take();
}

}  // namespace ipop
