// What only the network itself may say to guests: to be their DHCP server, their router, or to have the
// service address.  A guest that says it is not carried on, so that it harms nobody at another host.
//
// Only what passes the core is judged: group-addressed frames, and those to or from a MAC that the fast path
// does not know.  docs/architecture.md, "Addresses", says what that leaves.  One VLAN tag is looked behind,
// since a guest may take a frame tagged with priority only for its own.  A calculation without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "overlay/vnet/service.h"
#include "overlay/wire/ethernet.h"

namespace ipop {

enum class Imposture : uint8_t {
  DhcpServer,  ///< A message of a DHCP server, of IPv4 or IPv6.
  Router,      ///< A router advertisement or a redirect (RFC 4861): what RA-Guard drops (RFC 6105).
  Service,     ///< The service's MAC, or one of its addresses, as the sender's own.
};
inline constexpr size_t kImpostureCount = 3;

/// What the frame pretends to be, if anything.
std::optional<Imposture> find_imposture(const Service& service, const EthernetFrame& frame);

/// As it is told to the administrator: "answers DHCP".
std::string_view to_string(Imposture imposture);

}  // namespace ipop
