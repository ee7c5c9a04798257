// From the switch to the Internet: looks frames up, seals them, and passes batches on.
//
// Runs to completion on the thread of the switch that sends.  A frame of a live session crosses no queue and
// no lock, and its octets are touched once: encryption is the copy.  Checksums that a guest left to its card
// stay open: whoever needs them at the other end fills them in.
#pragma once

#include "overlay/base/bytes.h"
#include "overlay/base/counters.h"
#include "overlay/base/time.h"
#include "overlay/fastpath/core_inbox.h"
#include "overlay/fastpath/counters.h"
#include "overlay/fastpath/sealed_batch.h"
#include "overlay/node/snapshot.h"
#include "overlay/wire/ethernet.h"

namespace ipop {

/// A frame as the switch hands it over.
struct GuestFrame {
  ByteSpan data;                  ///< From the Ethernet header on.  Holds nothing of value afterwards.
  bool partial_checksum = false;  ///< Its TCP or UDP checksum is still to be filled in.
  size_t segment_size = 0;        ///< TCP payload of the frames to cut it into; 0 leaves it whole.
};

/// What sealing needs besides the frame; the references outlive the call.
struct SealContext {
  const Snapshot& snapshot;
  Instant now;
  SealedBatch& batch;  ///< Empty before and after.
  DatagramSink& sink;
  CoreInbox& inbox;
  PortCounters& counters;
  ErrorCounters& refused;
};

/// Sends `frame` to the peer that its destination is at, or hands it to the core.  flush() after the last
/// one.
void seal_frame(const SealContext& context, const GuestFrame& frame);
void flush(const SealContext& context);

}  // namespace ipop
