// The two ends of a session without the handshake that led to it.
#pragma once

#include <memory>

#include "overlay/base/random.h"
#include "overlay/session/keypair.h"

namespace ipop::test {

struct KeypairEnds {
  explicit KeypairEnds(uint64_t seed = 1, uint32_t our_index = 0xaaaa0001,
                       uint32_t their_index = 0xbbbb0002) {
    SeededRandom random(seed);
    TransportKeys ours, theirs;
    random.fill(ours.send);
    random.fill(ours.receive);
    theirs.send = ours.receive;
    theirs.receive = ours.send;
    us = std::make_shared<Keypair>(ours, our_index, their_index, Instant{1s}, our_activity);
    them = std::make_shared<Keypair>(theirs, their_index, our_index, Instant{1s}, their_activity);
  }

  std::shared_ptr<PeerActivity> our_activity = std::make_shared<PeerActivity>();
  std::shared_ptr<PeerActivity> their_activity = std::make_shared<PeerActivity>();
  std::shared_ptr<Keypair> us, them;
};

/// A datagram of `from`'s; empty if the keypair is used up.
inline Bytes seal(Keypair& from, ByteView plaintext, wire::Type type = wire::Type::Data) {
  Bytes out(plaintext.size() + Keypair::kOverhead);
  if (!from.seal(type, plaintext, out.data())) out.clear();
  return out;
}

/// What `datagram` carries to `to`.
inline Result<Bytes> open(Keypair& to, ByteView datagram) {
  const auto header = wire::DataHeader::decode(datagram);
  if (!header) return header.error();
  Bytes out(datagram.size() - Keypair::kOverhead);
  if (const auto done = to.open(*header, datagram, out.data()); !done) return done.error();
  return out;
}

}  // namespace ipop::test
