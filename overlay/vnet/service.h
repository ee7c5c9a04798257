// The network as its guests see it: the settings that are the same on every host, and the addresses at which
// each host answers its own guests (DHCP, DNS, router solicitations, and ARP, neighbour solicitations and
// ping for it), so that a guest that moves notices nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "overlay/vnet/introduction.h"
#include "overlay/vnet/service_addresses.h"
#include "overlay/vnet/settings.h"
#include "overlay/wire/address.h"

namespace ipop {

struct Service : ServiceAddresses {
  std::string network_name;
  Ipv4Subnet subnet;
  uint64_t network_hash = 0;  ///< From the network's identity; places the MAC and spreads the leases.
  uint16_t mtu = 0;           ///< What the port carries, in octets of an IP packet.
  /// The guests' IPv6 network, a /64: fd, the first 40 bits of network_hash, subnet 0 (RFC 4193, section 3.1:
  /// the hash is random enough, and nobody has to be asked).
  Ipv6Address prefix;
  /// What the admin says of all this; never null, and the default says nothing.
  std::shared_ptr<const Settings> settings = std::make_shared<const Settings>();
  /// What libvirt says of guests of this host.
  Introductions introduced{};

  /// REQUIRES: subnet.prefix_length <= 30.
  static Service make(const std::string& network_name, const Ipv4Subnet& subnet, uint64_t network_hash,
                      uint16_t mtu);

  /// An address that a guest may have: of the subnet, but neither its first two nor its last; of IPv6, one of
  /// the prefix or link-local, but neither ours nor the routers' (RFC 4291, section 2.6.1).  Others are the
  /// guests' own business: nobody claims them, and nothing is known of them.
  bool is_guest_address(const IpAddress& address) const;
  /// What a guest is to have, by the settings, and by libvirt of what these say nothing; nothing, and empty,
  /// if neither says anything.
  std::optional<Ipv4Address> address_for(const MacAddress& guest) const;
  std::string name_for(const MacAddress& guest) const;
  /// What DHCP picks from: the settings' pool, or else all that guests may have.
  std::vector<Ipv4Range> pool() const;
  uint64_t pool_size() const { return total_size(pool()); }
  Ipv4Address pool_address(uint64_t n) const { return address_in(pool(), n); }
  bool is_in_pool(Ipv4Address address) const;
  /// Where the search for an address for this MAC starts: the same on every host.
  uint64_t pool_start(const MacAddress& mac) const;
  /// "NETWORK.ipop".
  std::string domain() const { return network_name + ".ipop"; }

  /// What guests are told, by the settings or else the port's own: octets of an IP packet; name servers, of
  /// which `ip` is one if it is us; and where to look for names without a dot.
  uint16_t guest_mtu() const { return settings->mtu.value_or(mtu); }
  std::vector<Ipv4Address> dns_servers() const;
  std::vector<std::string> search_domains() const;
};

}  // namespace ipop
