// What the hook knows of the host it runs on: the switch's ports, our guards, and the network devices.
//
// Hooks of several domains run at the same time and share no lock.  They stay out of each other's way because
// the facts are gathered in the order guards, switch, devices, and are removed by identity (chain handle,
// port UUID), never by name: whoever takes a name over makes a new row or a new chain for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/result.h"

namespace ipop::hook {

/// The type of our own port.
inline constexpr std::string_view kIpopType = "ipop";

/// One Interface of the switch with the Port and the Bridge that hold it.
struct Port {
  std::string uuid;  ///< Of the Port row.
  std::string bridge;
  std::string tap;  ///< The Interface's name.
  std::string type;
  std::map<std::string, std::string> external_ids;

  /// The value of an external id, or "".
  std::string_view id(const std::string& key) const;
  /// True if the hook made it.
  bool ours() const { return id("ipop-hook") == "1"; }
};

struct Bridge {
  bool netdev = false;  ///< datapath_type=netdev.
  bool has_ipop_port = false;

  /// Frames of its ports are switched in user space, so the kernel has no business with them.
  bool is_ipop() const { return netdev && has_ipop_port; }
};

/// The part of OVSDB that matters here.  Rows whose names are not device names (names.h) are left out.
struct Switch {
  std::map<std::string, Bridge> bridges;
  std::vector<Port> ports;

  const Port* find(std::string_view tap) const;
  bool is_ipop(const std::string& bridge) const;
  /// The name of the one IPOP bridge, or "" if there are none or several.
  std::string only_ipop_bridge() const;
};

/// Guards live in a table of their own, one chain for a tap.  Since Linux 6.16 a chain outlives its device
/// and binds to the next one of that name; the chain's name says which, also where nft's JSON does not.
inline constexpr std::string_view kGuardTable = "ipop_guests";
inline constexpr std::string_view kGuardPrefix = "guard-";

/// An nftables chain that keeps the host's own kernel from reading a tap.
struct Guard {
  std::string tap;
  uint64_t handle = 0;
};

struct Host {
  std::optional<std::vector<Guard>> guards;  ///< Nothing if nftables could not be read.
  std::optional<Switch> ovs;                 ///< Nothing if OVSDB could not be read.
  std::set<std::string, std::less<>> devices;
  std::map<std::string, std::string> networks;  ///< The bridges of libvirt's, by name (network.h).
};

/// From the output of commands.h's list_switch(): three JSON tables, one a line.
Result<Switch, Problem> parse_switch(std::string_view json);

/// From the output of commands.h's list_guards().
Result<std::vector<Guard>, Problem> parse_guards(std::string_view json);

}  // namespace ipop::hook
