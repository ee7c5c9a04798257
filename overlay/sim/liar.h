// A member that lies about the records that it keeps for others: it withholds answers, denies what it has,
// grants what is another's, refuses what is free, and shows what was true once; likewise when other replicas
// ask what it has.  What it does is drawn anew for each request.  docs/addresses.md says how many of these an
// address bears: one among its replicas.
#pragma once

#include <cstdint>

#include "overlay/dht/replica.h"

namespace ipop::sim {

/// REQUIRES: called by one node only, whose memory of old records it is.
Replica::Distortion make_liar(uint64_t seed);

}  // namespace ipop::sim
