// What only the network itself may say to guests: to be their DHCP server, their router, or to have the
// service address.  A guest that says it is not carried on, so that it harms nobody at another host.
//
// The core judges, and of what the fast path would carry it gets all that must_judge() names.  What the
// switch brings to a guest on the same bridge neither sees.  Tags and SNAP hide nothing, since a guest may
// take a frame for its own that has them.  A calculation without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "overlay/base/bytes.h"
#include "overlay/vnet/address_book.h"
#include "overlay/wire/ethernet.h"

namespace ipop {

enum class Imposture : uint8_t {
  DhcpServer,  ///< A message of a DHCP server, of IPv4 or IPv6.
  Router,      ///< A router advertisement or a redirect (RFC 4861): what RA-Guard drops (RFC 6105).
  Service,     ///< The service's MAC, or one of its addresses, as the sender's own.
};
inline constexpr size_t kImpostureCount = 3;

/// What the frame pretends to be, if anything.  REQUIRES: frame.size() >= kEthernetHeaderSize.
std::optional<Imposture> find_imposture(const ServiceAddresses& service, ByteView frame);

/// Whether the core has to see a frame from a guest of this host to one whose host is known: all that
/// find_imposture() may object to, but for the service's MAC, which no guest has; and ARP and neighbour
/// discovery, by which guests tell who has an address, unless it is the truth by `addresses`.  Of other
/// frames it reads some octets of the headers and no more: the fast path asks for each. REQUIRES:
/// frame.size() >= kEthernetHeaderSize.
bool must_judge(const AddressBook& addresses, ByteView frame);

/// As it is told to the administrator: "answers DHCP".
std::string_view to_string(Imposture imposture);

}  // namespace ipop
