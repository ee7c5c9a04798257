// The hook's decisions: what to do about one libvirt event.  No I/O, no clock; main.cc carries the plan out.
//
// A NIC with <virtualport type='openvswitch'/> is plugged by libvirt itself.  Two things are left to do:
//
//   * Guards.  With datapath_type=netdev the switch reads a tap through AF_PACKET, which only copies: the
//   host's
//     kernel sees each frame too, and answers ARP, IPv6 ND and pings for the host's own addresses a second
//     time. So every guest tap of an IPOP bridge gets an nftables "netdev ingress" drop, which comes after
//     AF_PACKET. An IPOP bridge has datapath_type=netdev and a port of type=ipop.  Taps of other bridges are
//     never touched: on a bridge of the kernel, the drop would cut the guest off.
//   * NICs of <interface type='ethernet'>.  libvirt makes their tap and plugs it nowhere.  The hook attaches
//   one
//     if the domain is marked for it (domain.h), or if its <target dev='ipop-...'/> begins with kTapPrefix.
//     Any other belongs to somebody else's script; attaching it because the host happens to have an IPOP
//     bridge would put a guest into a network that its owner never named.
//
// And one thing to say: a guest that is about to run here may run elsewhere still, if it migrates.  The IPOP
// port of its bridge is told to expect it, so that those who talk with it follow within a round trip.  The
// domain names that bridge, or a libvirt network whose definition does.
//
// OVSDB is the truth, this hook only a hint; these things give no hook event, so they wait for the next event
// of any domain on the host (each run puts the guards of all guest taps right):
//
//   * a NIC plugged, unplugged or moved to another bridge while its guest runs: it works at once when libvirt
//     plugs it, only its guard is late; a NIC moved live from an IPOP bridge to a bridge of the kernel is cut
//     off by its old guard until then; a hot-plugged type='ethernet' NIC is attached at libvirtd's next
//     start;
//   * a bridge that gets or loses its IPOP port, or changes its datapath_type;
//   * the moment in which a migrating guest moves: the destination's last event comes a second before it, the
//     source's first one after it;
//   * an ovsdb-server that comes up after the guest: a type='ethernet' NIC is attached at libvirtd's next
//   start;
//   * anything at all while libvirtd is down.  It sends `reconnect` for each running guest when it returns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libvirt-hook/host.h"
#include "overlay/base/bytes.h"

namespace ipop::hook {

/// A type='ethernet' NIC whose tap's name begins so goes to the host's only IPOP bridge without any mark.
inline constexpr std::string_view kTapPrefix = "ipop-";

/// Plugs a tap into a bridge and says whose it is, in the words that libvirt uses for its own ports.
/// Replaces a port of the same name.
struct AttachPort {
  std::string bridge, tap, mac, vm_id;
  bool operator==(const AttachPort&) const = default;
};

/// Removes this very Port row: not one that has taken over its name meanwhile.
struct DetachPort {
  std::string bridge, tap, uuid;
  bool operator==(const DetachPort&) const = default;
};

/// Keeps the host's kernel from reading a tap.
struct AddGuard {
  std::string tap;
  std::optional<uint64_t> replaced;  ///< Handle of a chain that an earlier tap of this name left behind.
  bool operator==(const AddGuard&) const = default;
};

struct RemoveGuard {
  std::string tap;
  uint64_t handle = 0;
  bool operator==(const RemoveGuard&) const = default;
};

/// Tells an IPOP port that a guest is about to come to its bridge, and what it is to have, if the domain
/// says.
struct ExpectGuest {
  std::string port, mac, address{}, name{};
  bool operator==(const ExpectGuest&) const = default;
};

using Action = std::variant<DetachPort, AttachPort, RemoveGuard, AddGuard, ExpectGuest>;

struct Event {
  std::string object;  ///< The domain's name.
  std::string operation;
  std::string sub_operation;
};

struct Plan {
  std::vector<Action> actions;       ///< In the order in which to do them.
  std::vector<std::string> remarks;  ///< Sentences for the log.
};

/// True for the operations that lead to a plan; for all others the host need not be looked at.
bool is_of_interest(const Event& event);

/// What to do about `event` of the domain that `xml` describes, on a host that is as `host` says.
Plan make_plan(const Event& event, ByteView xml, const Host& host);

}  // namespace ipop::hook
