// The network as its guests see it: the settings that are the same on every host, and the one address at
// which each host answers its own guests (DHCP, and ARP and ping for it), so that a guest that moves notices
// nothing.
#pragma once

#include <cstdint>
#include <string>

#include "overlay/wire/address.h"

namespace ipop {

struct Service {
  std::string network_name;
  Ipv4Subnet subnet;
  uint64_t network_hash = 0;  ///< From the network's identity; places the MAC and spreads the leases.
  uint16_t mtu = 0;           ///< Guests are told, in octets of an IP packet.
  Ipv4Address ip;             ///< The first address of the subnet.
  MacAddress mac;             ///< Locally administered, unicast; from network_hash.

  /// REQUIRES: subnet.prefix_length <= 30.
  static Service make(const std::string& network_name, const Ipv4Subnet& subnet, uint64_t network_hash,
                      uint16_t mtu);

  /// An address that a guest may have: of the subnet, but neither its first two nor its last.
  bool is_guest_address(Ipv4Address address) const;
  /// How many of them there are, and the n-th.  REQUIRES: n < pool_size().
  uint64_t pool_size() const { return subnet.size() - 3; }
  Ipv4Address pool_address(uint64_t n) const { return {static_cast<uint32_t>(ip.value + 1 + n)}; }
  /// Where the search for an address for this MAC starts: the same on every host.
  uint64_t pool_start(const MacAddress& mac) const;
  /// "NETWORK.ipop".
  std::string domain() const { return network_name + ".ipop"; }
};

}  // namespace ipop
