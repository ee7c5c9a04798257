// From the Internet to the switch: opens a datagram straight into the frame that the switch will own.
//
// Runs to completion on the thread of the switch that receives; a frame of a live session crosses no queue
// and no lock, and decryption is its only copy.
#pragma once

#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/base/counters.h"
#include "overlay/base/time.h"
#include "overlay/fastpath/core_inbox.h"
#include "overlay/fastpath/counters.h"
#include "overlay/node/snapshot.h"
#include "overlay/session/reassembly.h"

namespace ipop {

struct OpenContext {
  const Snapshot& snapshot;
  Instant now;
  Reassembly& reassembly;
  CoreInbox& inbox;
  PortCounters& counters;
  ErrorCounters& refused;
};

/// How many octets open_datagram() may write for `datagram`: none if it cannot be data.
size_t plaintext_size(ByteView datagram);

/// The datagrams of one call of the switch.  Most follow others of the same flow: what these have in common
/// is looked up once, and counted at the end.
class Opener {
 public:
  /// `context` outlives it.
  explicit Opener(const OpenContext& context) : context_(context) {}
  ~Opener() { settle(); }
  Opener(const Opener&) = delete;

  /// A frame for the switch.
  struct Frame {
    ByteView bytes;  ///< In the place that it was to be opened in, or, whole at last, elsewhere.
    bool partial_checksum = false;  ///< Its TCP or UDP checksum is still to be filled in.
  };

  /// Writes the frame that `datagram` carries to `out`; one that was sliced is in `reassembly` until the next
  /// call.  Nothing if there is none for the switch: refused and counted, handed to the core, or not whole
  /// yet. REQUIRES: out.size() >= plaintext_size(datagram).
  std::optional<Frame> open(const Endpoint& from, ByteView datagram, ByteSpan out);

 private:
  std::nullopt_t refuse(Error error);
  std::nullopt_t pass_on(const Endpoint& from, ByteView datagram);
  const Snapshot::Receiving* find_receiving(uint32_t index);
  bool is_at(const MacAddress& guest, uint32_t peer);
  bool is_departed(const MacAddress& guest) const;
  void note_path(const Endpoint& from, const Snapshot::Peer& peer);
  void settle();

  const OpenContext& context_;
  const Snapshot::Receiving* receiving_ = nullptr;  ///< Of the last datagram,
  uint32_t index_ = 0;                              ///< which had this index
  std::optional<MacAddress> source_;                ///< and was from a guest that is at its peer.
  size_t frames_ = 0;                               ///< Of its peer, not counted yet.
  size_t bytes_ = 0;
};

}  // namespace ipop
