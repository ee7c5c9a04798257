// How the DHT is shown, for people and for programs: the records that a node keeps for others, by writer and
// one by one, and how its own questions and claims fare.
#pragma once

#include <string>

#include "overlay/io/report.h"

namespace ipop {

/// The first Report::Dht::kMaxRecords records, with their number.  Expiries are those at `now`.
std::string show_dht(const Report& report, Instant now, bool json);

/// "reserved", "bound" or "withdrawn".
const char* state_name(wire::DhtRecord::State state);

}  // namespace ipop
