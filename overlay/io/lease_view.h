// How the DHCP leases of a host are shown, for people and for programs: what it gave, whether the rest of the
// network can know, and what it is about to give.
#pragma once

#include <string>

#include "overlay/io/report.h"

namespace ipop {

/// Leases that ended but are remembered come last.  Expiries are those at `now`.
std::string show_leases(const Report& report, Instant now, bool json);

}  // namespace ipop
