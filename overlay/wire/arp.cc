#include "overlay/wire/arp.h"

#include "overlay/wire/ethernet.h"

namespace ipop {
namespace {

constexpr uint16_t kHardwareEthernet = 1;

}  // namespace

bool ArpPacket::is_probe() const { return operation == Operation::Request && sender_ip.is_unspecified(); }

bool ArpPacket::is_announcement() const {
  return (operation == Operation::Request || operation == Operation::Reply) && sender_ip == target_ip &&
         !sender_ip.is_unspecified();
}

ArpPacket ArpPacket::reply_from(const MacAddress& mac) const {
  return {.operation = Operation::Reply,
          .sender_mac = mac,
          .sender_ip = target_ip,
          .target_mac = sender_mac,
          .target_ip = sender_ip};
}

/// | hardware = 1 (2) | protocol = 0x0800 (2) | 6 (1) | 4 (1) | operation (2)
/// | sender_mac (6) | sender_ip (4) | target_mac (6) | target_ip (4) |
Result<ArpPacket> ArpPacket::decode(ByteView payload) {
  Reader in(payload);
  const auto hardware = in.u16();
  const auto protocol = in.u16();
  const auto hardware_size = in.u8();
  const auto protocol_size = in.u8();
  const auto operation = in.u16();
  const ArpPacket packet{.operation = static_cast<Operation>(operation),
                         .sender_mac = read_mac(in),
                         .sender_ip = read_ipv4(in),
                         .target_mac = read_mac(in),
                         .target_ip = read_ipv4(in)};
  if (!in.ok() || hardware != kHardwareEthernet || protocol != kEtherTypeIpv4 || hardware_size != 6 ||
      protocol_size != 4) {
    return Error::Malformed;
  }
  if (operation < 1 || operation > 4) return Error::UnknownType;
  return packet;
}

Bytes ArpPacket::encode() const {
  Writer out;
  out.u16(kHardwareEthernet);
  out.u16(kEtherTypeIpv4);
  out.u8(6);
  out.u8(4);
  out.u16(static_cast<uint16_t>(operation));
  write(out, sender_mac);
  write(out, sender_ip);
  write(out, target_mac);
  write(out, target_ip);
  return out.take();
}

Bytes arp_frame(const MacAddress& dst, const MacAddress& src, const ArpPacket& packet) {
  const bool reverse = packet.operation == ArpPacket::Operation::ReverseRequest ||
                       packet.operation == ArpPacket::Operation::ReverseReply;
  const Bytes payload = packet.encode();
  const EthernetFrame frame{.header = {.dst = dst,
                                       .src = src,
                                       .vlan_tci = {},
                                       .ethertype = reverse ? kEtherTypeRarp : kEtherTypeArp},
                            .payload = payload};
  return frame.encode();
}

}  // namespace ipop
