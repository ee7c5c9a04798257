// Which address DHCP may give to whom, as far as this host knows: by the settings, by its certificate, by the
// address map and its own leases, by what it keeps for clients that have not taken it yet, and by what
// clients have declined.  A calculation: no I/O.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "overlay/vnet/address_map.h"
#include "overlay/vnet/lease_table.h"
#include "overlay/vnet/service.h"

namespace ipop {

class DhcpPool {
 public:
  static constexpr Duration kDeclineTime = 10min;  ///< How long a declined address is left alone.
  static constexpr size_t kMaxDeclined = 256;

  /// The references outlive the pool.  `allowed`: what this host's certificate lets it speak for; empty: all.
  DhcpPool(const Service& service, const AddressMap& map, const LeaseTable& leases,
           std::vector<Ipv4Subnet> allowed)
      : service_(service), map_(map), leases_(leases), allowed_(std::move(allowed)) {}

  /// Whether this host may give the address at all: another's record of it would be refused by the replicas.
  bool may_give(Ipv4Address ip) const;
  /// What the settings, or libvirt, have for this MAC, if this host may give it.
  std::optional<Ipv4Address> reserved_for(const MacAddress& mac) const;
  bool is_reserved_for_another(Ipv4Address ip, const MacAddress& mac) const;
  /// DHCP may pick it for this MAC, if nobody has it: it is of the pool, or reserved for the MAC.
  bool is_for(Ipv4Address ip, const MacAddress& mac) const;

  /// The network has granted it to this MAC for this host: a lease of ours lives, which we gave since we
  /// started.  What a guest of ours merely uses is a claim; what it had at another host, or before we
  /// started, may be somebody else's by now.
  bool is_granted(Instant now, Ipv4Address ip, const MacAddress& mac) const;
  /// Until when this MAC has or claims it, by its lease or by the map; nothing if it does not.
  std::optional<Instant> held_until(Instant now, Ipv4Address ip, const MacAddress& mac) const;
  /// Another guest of this host has it, or it is kept for one or declined.
  bool is_in_use_here(Instant now, Ipv4Address ip, const MacAddress& mac) const;
  /// Likewise, or by the map another guest elsewhere has it, which the network may know better.
  bool is_in_use(Instant now, Ipv4Address ip, const MacAddress& mac) const;
  /// Likewise, or the settings reserve it for somebody else.
  bool is_taken(Instant now, Ipv4Address ip, const MacAddress& mac) const;

  /// The next address of the pool for this MAC that is not taken, from Service::pool_start() plus `offset`
  /// on, of those that this host may give; leaves `offset` behind it.  The first time around those are left
  /// out that other MACs had once.
  std::optional<Ipv4Address> find_free(Instant now, const MacAddress& mac, uint64_t& offset) const;

  /// Keeps an address for a client until give_back().  REQUIRES: !is_taken(), so that no two have one.
  void keep(Ipv4Address ip, const MacAddress& mac) { kept_[ip] = mac; }
  void give_back(Ipv4Address ip) { kept_.erase(ip); }
  std::optional<MacAddress> kept_for(Ipv4Address ip) const;

  /// A client says that somebody uses it (RFC 2131, section 3.1.5).  Full: too many were declined.
  Result<Done> decline(Instant now, Ipv4Address ip);

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  /// The pool, as far as this host may give of it.
  std::vector<Ipv4Range> ranges() const;

  const Service& service_;
  const AddressMap& map_;
  const LeaseTable& leases_;
  std::vector<Ipv4Subnet> allowed_;
  std::map<Ipv4Address, MacAddress> kept_;
  std::map<Ipv4Address, Instant> declined_;  ///< Until when.
};

}  // namespace ipop
