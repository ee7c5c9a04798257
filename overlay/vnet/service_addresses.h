// Where each host answers its own guests: one MAC with an IPv4, an IPv6 and a link-local IPv6 address, the
// same on every host of a network.
#pragma once

#include "overlay/wire/address.h"

namespace ipop {

struct ServiceAddresses {
  MacAddress mac{};          ///< Locally administered, unicast; from the network's identity.
  Ipv4Address ip{};          ///< The first address of the subnet.
  Ipv6Address ipv6{};        ///< The first address of the guests' IPv6 network, as `ip` is the subnet's.
  Ipv6Address link_local{};  ///< Of `mac`, as RFC 4291, appendix A, makes it.

  /// One of ours.
  bool is_own_address(const IpAddress& address) const {
    return address == IpAddress(ip) || address == IpAddress(ipv6) || address == IpAddress(link_local);
  }
};

}  // namespace ipop
