// ARP for IPv4 over Ethernet (RFC 826), with the words of RFC 5227 for how hosts use it, and RARP (RFC 903),
// which QEMU sends in the name of a guest that has just arrived at a new host.
#pragma once

#include <cstdint>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/wire/address.h"

namespace ipop {

/// The payload of a frame of type kEtherTypeArp or kEtherTypeRarp.
struct ArpPacket {
  enum class Operation : uint16_t { Request = 1, Reply = 2, ReverseRequest = 3, ReverseReply = 4 };
  static constexpr size_t kSize = 28;

  Operation operation = Operation::Request;
  MacAddress sender_mac;
  Ipv4Address sender_ip;
  MacAddress target_mac;
  Ipv4Address target_ip;

  bool operator==(const ArpPacket&) const = default;

  /// "Is anybody using target_ip?", asked before using it: RFC 5227, section 1.1.
  bool is_probe() const;
  /// "I use sender_ip from now on", also known as gratuitous ARP; sent as a request or as a reply (RFC 5227,
  /// section 3).
  bool is_announcement() const;
  /// The answer to this request, that `mac` has target_ip.
  ArpPacket reply_from(const MacAddress& mac) const;

  /// Padding behind the packet is ignored.  Anything but IPv4 over Ethernet is Malformed.
  static Result<ArpPacket> decode(ByteView payload);
  Bytes encode() const;
};

/// An ARP (or, by its operation, RARP) packet in an untagged Ethernet frame.
Bytes arp_frame(const MacAddress& dst, const MacAddress& src, const ArpPacket& packet);

}  // namespace ipop
