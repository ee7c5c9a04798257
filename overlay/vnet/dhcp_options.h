// What a reply of the DHCP server says besides the address: the network's settings, as RFC 2132 has them, RFC
// 3397 (domain search) and RFC 3442 (routes).
#pragma once

#include <string>

#include "overlay/vnet/service.h"
#include "overlay/wire/dhcp.h"

namespace ipop {

/// Fills in the options of `reply` from the service and its settings.  `name`: what the guest is called, or
/// empty.  Routes and servers go to every client, since some never ask; a name and domains to search only to
/// who asks.  What the reply is too long for, by what the client says that it takes (option 57) or else by
/// the 576 octets of a packet that every client takes (RFC 2131, section 2), is left out, in this order:
/// domains to search, name, time servers.
void add_options(const Service& service, const DhcpMessage& request, const std::string& name,
                 DhcpMessage& reply);

}  // namespace ipop
