// The DHCP leases this host gave, by MAC.  An expired one is remembered, so that its MAC gets the same
// address again, until somebody else needs the room.  A calculation: no I/O; its owner keeps the text that
// save() makes in a file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/wire/address.h"

namespace ipop {

struct Lease {
  Ipv4Address ip;
  Instant expires;        ///< In the past: only remembered.
  uint64_t sequence = 0;  ///< Of the binding announced with it.
  std::string name;       ///< A DNS label or empty.
  /// Given before this process started: the guest may be elsewhere by now, and its address another's.
  bool is_from_file = false;

  bool operator==(const Lease&) const = default;
};

class LeaseTable {
 public:
  static constexpr size_t kMaxLeases = 4096;

  /// Replaces the lease of `mac`, and a remembered one of another MAC for the same address.
  /// Full: all are alive.  Conflict: another MAC's lease for the address is alive.
  Result<Done> put(Instant now, const MacAddress& mac, const Lease& lease);
  void erase(const MacAddress& mac);
  const Lease* find(const MacAddress& mac) const;
  /// Likewise, but not one that is only remembered.
  const Lease* find_living(Instant now, const MacAddress& mac) const;
  /// Whose the address is or was last.
  std::optional<MacAddress> holder(Ipv4Address ip) const;
  const std::map<MacAddress, Lease>& all() const { return leases_; }

  /// True after a change that the file does not have yet.
  bool dirty() const { return dirty_; }
  void set_saved() { dirty_ = false; }

  /// A first line "ipop-leases 1", then "MAC IP EXPIRES SEQUENCE NAME" each line; EXPIRES in Unix seconds,
  /// "-" for no name.
  std::string save(Instant now, UnixSeconds wall_now) const;
  /// Replaces everything by what save() once wrote; a text that is wrong anywhere changes nothing.  No lease
  /// is taken to last longer than `longest` from now, whatever the file says.
  Result<Done, Problem> load(std::string_view text, Instant now, UnixSeconds wall_now, Duration longest);

 private:
  std::map<MacAddress, Lease> leases_;
  std::map<Ipv4Address, MacAddress> by_ip_;
  bool dirty_ = false;
};

}  // namespace ipop
