// From the Internet to the switch: opens a datagram straight into the frame that the switch will own.
//
// Runs to completion on the thread of the switch that receives; a frame of a live session crosses no queue
// and no lock, and decryption is its only copy.
#pragma once

#include "overlay/base/bytes.h"
#include "overlay/base/counters.h"
#include "overlay/base/time.h"
#include "overlay/fastpath/core_inbox.h"
#include "overlay/fastpath/counters.h"
#include "overlay/node/snapshot.h"

namespace ipop {

struct OpenContext {
  const Snapshot& snapshot;
  Instant now;
  CoreInbox& inbox;
  PortCounters& counters;
  ErrorCounters& refused;
};

/// How many octets open_datagram() may write for `datagram`: none if it cannot be data.
size_t plaintext_size(ByteView datagram);

/// Writes the frame that `datagram` carries to `out` and returns its size, or returns 0 if there is nothing
/// for the switch: refused and counted, or handed to the core.  REQUIRES: out.size() >=
/// plaintext_size(datagram).
size_t open_datagram(const OpenContext& context, const Endpoint& from, ByteView datagram, ByteSpan out);

}  // namespace ipop
