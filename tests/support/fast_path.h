// The fast paths of two hosts, and what lies around them: guest 1 lives at "us", guest 2 at "them".
#pragma once

#include <memory>
#include <vector>

#include "overlay/fastpath/opener.h"
#include "overlay/fastpath/sealer.h"
#include "tests/support/keypairs.h"
#include "tests/support/recorders.h"

namespace ipop::test {

inline const MacAddress kGuest1 = {{0x52, 0x54, 0, 0, 0, 1}};
inline const MacAddress kGuest2 = {{0x52, 0x54, 0, 0, 0, 2}};
inline const MacAddress kGuest3 = {{0x52, 0x54, 0, 0, 0, 3}};
inline const Endpoint kOurEndpoint = Endpoint::from_ipv4({0xc0000201}, 1001);
inline const Endpoint kTheirEndpoint = Endpoint::from_ipv4({0xc6336401}, 1002);
inline const Endpoint kElsewhere = Endpoint::from_ipv4({0xcb007107}, 4444);

/// An Ethernet frame of `size` octets whose payload counts up from `seed`.
inline Bytes ethernet(const MacAddress& to, const MacAddress& from, size_t size, uint8_t seed = 0) {
  Writer out;
  write(out, to);
  write(out, from);
  out.u16(0x88b5);  // For local experiments, IEEE 802.
  for (size_t i = 14; i < size; ++i) out.u8(static_cast<uint8_t>(seed + i));
  return out.take();
}

/// One host's threads, without threads.
struct FastPath {
  FastPath() { snapshot.places[kGuest1] = Snapshot::kHere; }

  /// Another host, at `endpoint`, with `guest`; the peer's index.
  uint32_t add_peer(const KeypairEnds& ends, const Endpoint& endpoint, const MacAddress& guest) {
    const auto index = static_cast<uint32_t>(snapshot.peers.size());
    NodeId node;
    node.bytes[0] = static_cast<uint8_t>(10 + index);
    snapshot.peers.push_back(
        {.node = node, .endpoint = endpoint, .sending = ends.us, .activity = ends.our_activity});
    snapshot.receiving[ends.us->local_index()] = {.keypair = ends.us, .peer = index, .unconfirmed = false};
    snapshot.places[guest] = index;
    ends.our_activity->last_received = now.time_since_epoch().count();
    return index;
  }

  OpenContext opening() { return {snapshot, now, reassembly, inbox, counters, refused}; }
  SealContext sealing() { return {snapshot, now, batch, sink, inbox, counters, refused}; }
  void seal(Bytes frame, bool partial_checksum = false, size_t segment_size = 0) {
    seal_frame(sealing(),
               {.data = frame, .partial_checksum = partial_checksum, .segment_size = segment_size});
  }
  void flush() { ipop::flush(sealing()); }
  /// All that was sent since the last time.
  std::vector<RecordingSink::Datagram> sent() {
    flush();
    return std::exchange(sink.datagrams, {});
  }
  /// The frame for the switch; empty if there is none.
  Bytes open(const Endpoint& from, ByteView datagram) {
    Bytes out(kMaxCarriedFrame);
    const OpenContext context = opening();
    const auto frame = Opener(context).open(from, datagram, out);
    return frame ? Bytes(frame->bytes.begin(), frame->bytes.end()) : Bytes();
  }

  Snapshot snapshot;
  Instant now{100s};
  SealedBatch batch;
  Reassembly reassembly;
  RecordingSink sink;
  RecordingInbox inbox;
  PortCounters counters;
  ErrorCounters refused;
};

}  // namespace ipop::test
