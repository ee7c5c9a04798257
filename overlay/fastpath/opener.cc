#include "overlay/fastpath/opener.h"

#include <algorithm>

#include "overlay/fastpath/sealer.h"
#include "overlay/wire/checksum.h"

namespace ipop {

size_t plaintext_size(ByteView datagram) {
  return datagram.size() < Keypair::kOverhead ? 0 : datagram.size() - Keypair::kOverhead;
}

std::nullopt_t Opener::refuse(Error error) {
  context_.refused.add(error);
  return std::nullopt;
}

const Snapshot::Receiving* Opener::find_receiving(uint32_t index) {
  if (receiving_ != nullptr && index == index_) return receiving_;
  const auto entry = context_.snapshot.receiving.find(index);
  if (entry == context_.snapshot.receiving.end()) return nullptr;
  settle();
  receiving_ = &entry->second;
  index_ = index;
  source_.reset();
  return receiving_;
}

/// REQUIRES: `peer` is that of receiving_.
bool Opener::is_at(const MacAddress& guest, uint32_t peer) {
  if (source_ == guest) return true;
  const auto place = context_.snapshot.places.find(guest);
  if (place == context_.snapshot.places.end() || place->second != peer) return false;
  source_ = guest;
  return true;
}

bool Opener::is_departed(const MacAddress& guest) const {
  const auto& departed = context_.snapshot.departed;
  return !departed.empty() && std::binary_search(departed.begin(), departed.end(), guest);
}

void Opener::settle() {
  if (frames_ == 0) return;
  PeerActivity& activity = *context_.snapshot.peers[receiving_->peer].activity;
  activity.rx_frames.fetch_add(frames_, std::memory_order_relaxed);
  activity.rx_bytes.fetch_add(bytes_, std::memory_order_relaxed);
  PortCounters::add(context_.counters.rx_datagrams, frames_);
  frames_ = bytes_ = 0;
}

/// What is neither Data nor Control, or malformed.
std::nullopt_t Opener::pass_on(const Endpoint& from, ByteView datagram) {
  const auto type = wire::peek_type(datagram);
  if (!type) return refuse(type.error());  // Noise of the Internet ends here, cheaply.
  const bool is_handshake = *type != wire::Type::Data && *type != wire::Type::Control;
  if (!is_handshake || datagram.size() > wire::kMaxHandshakeSize) return refuse(Error::Malformed);
  context_.inbox.datagram(from, datagram);
  return std::nullopt;
}

std::optional<Opener::Frame> Opener::open(const Endpoint& from, ByteView datagram, ByteSpan out) {
  const auto header = wire::DataHeader::decode(datagram);
  if (!header) return pass_on(from, datagram);
  if (datagram.size() < Keypair::kOverhead) return refuse(Error::Malformed);
  const size_t size = plaintext_size(datagram);
  if (size > std::min(kMaxCarriedFrame, out.size())) return refuse(Error::Malformed);

  const Snapshot::Receiving* const receiving = find_receiving(header->receiver_index);
  if (receiving == nullptr) {
    context_.inbox.datagram(from, datagram);  // It may know more than our snapshot, and counts it if not.
    return std::nullopt;
  }
  if (const auto done = receiving->keypair->open(*header, datagram, out.data()); !done) {
    return refuse(done.error());
  }
  const Snapshot::Peer& peer = context_.snapshot.peers[receiving->peer];
  peer.activity->last_received.store(context_.now.time_since_epoch().count(), std::memory_order_relaxed);

  ByteSpan plaintext = out.first(size);
  if (header->type == wire::Type::Control) {
    context_.inbox.opened(header->receiver_index, from, header->type, plaintext);
    return std::nullopt;
  }
  ++frames_;
  bytes_ += size;
  if (header->is_slice()) {
    const auto whole = context_.reassembly.add(index_, header->counter, plaintext);
    if (!whole) return refuse(whole.error());
    if (!*whole) {
      note_path(from, peer);
      return std::nullopt;
    }
    plaintext = **whole;
  }
  if (plaintext.size() < kEthernetHeaderSize) return refuse(Error::Malformed);

  MacAddress destination, source;
  std::copy_n(plaintext.begin(), destination.bytes.size(), destination.bytes.begin());
  std::copy_n(plaintext.begin() + 6, source.bytes.size(), source.bytes.begin());
  if (!is_at(source, receiving->peer) || is_departed(destination)) {
    // Learns where the guest is, or passes on what has come to its old place.
    if (header->has_partial_checksum()) complete_checksum(plaintext);
    context_.inbox.opened(header->receiver_index, from, header->type, plaintext);
    return std::nullopt;
  }
  note_path(from, peer);
  return Frame{.bytes = plaintext, .partial_checksum = header->has_partial_checksum()};
}

/// Data came under receiving_.
void Opener::note_path(const Endpoint& from, const Snapshot::Peer& peer) {
  if (receiving_->unconfirmed || from != peer.endpoint) context_.inbox.received(index_, from);
}

}  // namespace ipop
