#include "overlay/fastpath/sealer.h"

#include <algorithm>
#include <optional>

#include "overlay/fastpath/segment.h"
#include "overlay/link/link.h"
#include "overlay/vnet/guest_guard.h"
#include "overlay/wire/checksum.h"
#include "overlay/wire/packet_too_big.h"
#include "overlay/wire/slice.h"

namespace ipop {
namespace {

MacAddress mac_at(ByteView frame, size_t offset) {
  MacAddress out;
  std::copy_n(frame.begin() + static_cast<ptrdiff_t>(offset), out.bytes.size(), out.bytes.begin());
  return out;
}

/// The peer that the frame goes to without further thought, or null: let the core think.
const Snapshot::Peer* find_peer(const Snapshot& snapshot, ByteView frame) {
  const auto source = snapshot.places.find(mac_at(frame, 6));
  if (source == snapshot.places.end() || source->second != Snapshot::kHere) return nullptr;
  const auto destination = snapshot.places.find(mac_at(frame, 0));
  if (destination == snapshot.places.end() || destination->second == Snapshot::kHere) return nullptr;
  const Snapshot::Peer& peer = snapshot.peers[destination->second];
  return peer.sending && !must_judge(*snapshot.addresses, frame) ? &peer : nullptr;
}

void refuse(const SealContext& context) {
  PortCounters::add(context.counters.tx_dropped);
  context.refused.add(Error::Malformed);
}

/// A place in the batch for one more datagram.
uint8_t* make_room(const SealContext& context, size_t datagram_size) {
  uint8_t* room = context.batch.reserve(datagram_size);
  if (room == nullptr) {
    flush(context);
    room = context.batch.reserve(datagram_size);
  }
  return room;
}

void note_activity(const SealContext& context, const Snapshot::Peer& peer, size_t frames, size_t bytes) {
  PeerActivity& activity = *peer.activity;
  const auto now = context.now.time_since_epoch().count();
  activity.tx_frames.fetch_add(frames, std::memory_order_relaxed);
  activity.tx_bytes.fetch_add(bytes, std::memory_order_relaxed);
  activity.last_sent.store(now, std::memory_order_relaxed);
  const auto silence = Duration(now - activity.last_received.load(std::memory_order_relaxed));
  if (silence >= kSilencePatience && !activity.quiet.exchange(true, std::memory_order_relaxed)) {
    context.inbox.quiet(peer.node);
  }
}

/// Sends `count` datagrams under counters that follow each other.  `seal(i, counter, room)` writes one, of at
/// most `room_for(i)` octets, and returns its size.
template <class RoomFor, class Seal>
void send_datagrams(const SealContext& context, const Snapshot::Peer& peer, size_t count, RoomFor room_for,
                    Seal seal) {
  const auto first = peer.sending->reserve(count);
  if (!first) {
    PortCounters::add(context.counters.tx_dropped, count);
    return;
  }
  size_t bytes = 0;
  size_t joined = 0;
  for (size_t i = 0; i < count; ++i) {
    uint8_t* const room = make_room(context, room_for(i));
    const size_t size = seal(i, *first + i, room);
    joined += context.batch.commit(peer.endpoint, size, peer.allows_trains);
    bytes += size - Keypair::kOverhead;
  }
  PortCounters::add(context.counters.tx_datagrams, count);
  if (joined > 0) peer.activity->tx_joined.fetch_add(joined, std::memory_order_relaxed);
  note_activity(context, peer, count, bytes);
}

/// A frame that fits the path.
void seal_whole(const SealContext& context, const Snapshot::Peer& peer, uint8_t flags, ByteView frame) {
  const size_t size = frame.size() + Keypair::kOverhead;
  send_datagrams(
      context, peer, 1, [&](size_t) { return size; },
      [&](size_t, uint64_t counter, uint8_t* room) {
        peer.sending->seal_frame(counter, flags, frame, room);
        return size;
      });
}

/// A frame that does not.
static_assert(kMaxCarriedFrame <= wire::SliceHeader::kMaxCount *
                                      (PathMtu::kBase - Keypair::kOverhead - wire::SliceHeader::kSize));
void seal_slices(const SealContext& context, const Snapshot::Peer& peer, uint8_t flags, ByteView frame,
                 size_t count) {
  PortCounters::add(context.counters.tx_sliced);
  send_datagrams(
      context, peer, count, [&](size_t) { return Keypair::slice_datagram_size(frame.size(), count); },
      [&](size_t i, uint64_t counter, uint8_t* room) {
        return peer.sending->seal_slice(counter, flags, frame, i, count, room);
      });
}

void seal_segments(const SealContext& context, const Snapshot::Peer& peer, Segmenter& segments) {
  send_datagrams(
      context, peer, segments.count(), [&](size_t i) { return segments.frame_size(i) + Keypair::kOverhead; },
      [&](size_t i, uint64_t counter, uint8_t* room) {
        const ByteSpan frame = segments.cut(i);
        peer.sending->seal_frame(counter, wire::DataHeader::kPartialChecksum, frame, room);
        return frame.size() + Keypair::kOverhead;
      });
}

/// The path may carry more than is known of it.
void note_too_big(const SealContext& context, const Snapshot::Peer& peer) {
  if (!peer.activity->too_big.exchange(true, std::memory_order_relaxed)) context.inbox.too_big(peer.node);
}

/// How often a guest is told about the path to one peer, at most.
constexpr Duration kTellInterval = 100ms;

/// The path carries no more: it is better if the guests make smaller frames.
void note_too_long(const SealContext& context, const Snapshot::Peer& peer, ByteView frame) {
  if (!peer.is_mtu_found) return;
  std::atomic<Clock::rep>& told = peer.activity->guest_told;
  Clock::rep last = told.load(std::memory_order_relaxed);
  const Clock::rep now = context.now.time_since_epoch().count();
  if (Duration(now - last) < kTellInterval) return;
  if (!told.compare_exchange_strong(last, now, std::memory_order_relaxed)) return;  // Another thread does.
  context.inbox.too_long(frame.first(std::min(frame.size(), kTooBigHead)),
                         peer.max_datagram - Keypair::kOverhead);
}

/// The core sees only what could stand on a wire: whole checksums, no super-frames.
void hand_to_core(const SealContext& context, bool has_partial_checksum, ByteSpan frame) {
  if (has_partial_checksum) complete_checksum(frame);
  context.inbox.guest_frame(frame);  // Copies.
  PortCounters::add(context.counters.to_core);
}

/// A super-frame, cut for the path as well: no segment of it is sliced.
void send_super_frame(const SealContext& context, const Snapshot::Peer* peer, const GuestFrame& frame) {
  auto segments = Segmenter::parse(frame.data, frame.segment_size);
  if (segments && peer != nullptr) {
    const size_t room = peer->max_datagram - Keypair::kOverhead;
    if (segments->max_frame_size() > room) {
      note_too_big(context, *peer);
      segments = Segmenter::parse(frame.data, room - segments->header_size());
    }
  }
  if (!segments || segments->max_frame_size() > kMaxCarriedFrame) return refuse(context);
  if (peer != nullptr) return seal_segments(context, *peer, *segments);
  for (size_t i = 0; i < segments->count(); ++i) hand_to_core(context, true, segments->cut(i));
}

void send_whole_frame(const SealContext& context, const Snapshot::Peer* peer, const GuestFrame& frame) {
  if (frame.data.size() > kMaxCarriedFrame) return refuse(context);
  if (peer == nullptr) return hand_to_core(context, frame.partial_checksum, frame.data);
  const uint8_t flags = frame.partial_checksum ? wire::DataHeader::kPartialChecksum : 0;
  const size_t slices = wire::slices_of(frame.data.size(), peer->max_datagram - Keypair::kOverhead);
  if (slices == 1) return seal_whole(context, *peer, flags, frame.data);
  note_too_big(context, *peer);
  note_too_long(context, *peer, frame.data);
  seal_slices(context, *peer, flags, frame.data, slices);
}

}  // namespace

void seal_frame(const SealContext& context, const GuestFrame& frame) {
  PortCounters::add(context.counters.tx_frames);
  PortCounters::add(context.counters.tx_bytes, frame.data.size());
  if (frame.data.size() < kEthernetHeaderSize) return refuse(context);
  const Snapshot::Peer* const peer = find_peer(context.snapshot, frame.data);
  if (frame.segment_size > 0) {
    send_super_frame(context, peer, frame);
  } else {
    send_whole_frame(context, peer, frame);
  }
}

void flush(const SealContext& context) {
  if (context.batch.empty()) return;
  context.sink.send(context.batch);
  context.batch.clear();
}

}  // namespace ipop
