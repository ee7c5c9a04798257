// Who is where: the one fact that the members of a network tell each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "overlay/base/node_id.h"
#include "overlay/base/time.h"
#include "overlay/wire/address.h"

namespace ipop {

/// "The guest with `mac` is at `node`, and `ip` is its."
struct Binding {
  IpAddress ip;  ///< Unspecified: only where the MAC is, is known.
  MacAddress mac;
  NodeId node;
  /// Counts the moves and changes of this MAC over all nodes: the newest claim has the highest.  Zero marks
  /// what is not a claim: a DHCP reservation, or a remembered lease.  Such an answer is never put in a map.
  uint64_t sequence = 0;
  Instant expires;   ///< In the clock of this host; the wire carries remaining seconds.  Not after `now`
                     ///< in an announcement: the address is withdrawn.
  std::string name;  ///< Host name as the guest gave it to DHCP, checked to be a DNS label, or empty.

  bool operator==(const Binding&) const = default;
};

/// Whatever a member claims, it does not wrap.
constexpr uint64_t next_sequence(uint64_t sequence) {
  return sequence == UINT64_MAX ? sequence : sequence + 1;
}

/// Letters, digits and inner hyphens, 1 to 63 octets (RFC 1123, section 2.1).
bool is_host_label(std::string_view text);
/// Names are the same in any case (RFC 4343); other octets than A to Z stay as they are.
std::string to_lower(std::string_view name);

}  // namespace ipop
