#include "overlay/fastpath/opener.h"

#include <algorithm>

#include "overlay/fastpath/sealer.h"

namespace ipop {
namespace {

size_t refuse(const OpenContext& context, Error error) {
  context.refused.add(error);
  return 0;
}

}  // namespace

size_t plaintext_size(ByteView datagram) {
  return datagram.size() < Keypair::kOverhead ? 0 : datagram.size() - Keypair::kOverhead;
}

size_t open_datagram(const OpenContext& context, const Endpoint& from, ByteView datagram, ByteSpan out) {
  const auto type = wire::peek_type(datagram);
  if (!type) return refuse(context, type.error());  // Noise of the Internet ends here, cheaply.
  if (*type != wire::Type::Data && *type != wire::Type::Control) {
    context.inbox.datagram(from, datagram);
    return 0;
  }
  Reader in(datagram);
  const auto header = wire::DataHeader::decode(in);
  if (!header || datagram.size() < Keypair::kOverhead) return refuse(context, Error::Malformed);
  const size_t size = plaintext_size(datagram);
  if (size > std::min(kMaxCarriedFrame, out.size())) return refuse(context, Error::Malformed);

  const auto entry = context.snapshot.receiving.find(header->receiver_index);
  if (entry == context.snapshot.receiving.end()) {
    context.inbox.datagram(from, datagram);  // It may know more than our snapshot, and counts it if not.
    return 0;
  }
  const Snapshot::Receiving& receiving = entry->second;
  if (const auto done = receiving.keypair->open(*header, datagram, out.data()); !done) {
    return refuse(context, done.error());
  }
  const Snapshot::Peer& peer = context.snapshot.peers[receiving.peer];
  peer.activity->last_received.store(context.now.time_since_epoch().count(), std::memory_order_relaxed);

  const ByteView plaintext(out.data(), size);
  if (header->type == wire::Type::Control) {
    context.inbox.opened(header->receiver_index, from, header->type, plaintext);
    return 0;
  }
  PortCounters::add(context.counters.rx_datagrams);
  peer.activity->rx_frames.fetch_add(1, std::memory_order_relaxed);
  peer.activity->rx_bytes.fetch_add(size, std::memory_order_relaxed);
  if (size < kEthernetHeaderSize) return refuse(context, Error::Malformed);

  MacAddress destination, source;
  std::copy_n(plaintext.begin(), destination.bytes.size(), destination.bytes.begin());
  std::copy_n(plaintext.begin() + 6, source.bytes.size(), source.bytes.begin());
  const auto place = context.snapshot.places.find(source);
  const bool is_known = place != context.snapshot.places.end() && place->second == receiving.peer;
  const auto& departed = context.snapshot.departed;
  const bool is_departed =
      !departed.empty() && std::binary_search(departed.begin(), departed.end(), destination);
  if (!is_known || is_departed) {  // Learns where the guest is, or passes on what has come to its old place.
    context.inbox.opened(header->receiver_index, from, header->type, plaintext);
    return 0;
  }
  if (receiving.unconfirmed || from != peer.endpoint) context.inbox.received(header->receiver_index, from);
  return size;
}

}  // namespace ipop
