// What a DHCP message travels in, from a guest to whoever is the server.
#pragma once

#include <optional>

#include "overlay/wire/dhcp.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/inet.h"

namespace ipop {

/// The datagram of a message to a server, if the untagged frame carries one.
inline std::optional<UdpDatagram> find_dhcp(const EthernetFrame& frame) {
  if (frame.header.vlan_tci || frame.header.ethertype != kEtherTypeIpv4) return std::nullopt;
  const auto packet = Ipv4Packet::decode(frame.payload);
  if (!packet) return std::nullopt;
  const auto datagram = UdpDatagram::decode(*packet);
  if (!datagram || datagram->dst_port != kDhcpServerPort) return std::nullopt;
  return *datagram;
}

}  // namespace ipop
