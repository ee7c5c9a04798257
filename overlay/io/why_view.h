// How it is shown, for people and for programs, whose an address is and how that is known; and how a person
// names an address.
#pragma once

#include <string>
#include <string_view>

#include "overlay/base/result.h"
#include "overlay/io/report.h"
#include "overlay/node/explanation.h"

namespace ipop {

/// The DHT's best record says whose it is; without one, the address map of this host does.  Hosts are named
/// as far as `report`, which is of the node that asked, knows them.
std::string show_explanation(const Report& report, const Explanation& explanation, bool json);

/// An IPv4 or IPv6 address, or a MAC.
Result<wire::DhtAddress, Problem> parse_address(std::string_view text);

}  // namespace ipop
