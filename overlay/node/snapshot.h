// What the switch's threads need to know to forward a frame, as one immutable value.
//
// The node makes a new one whenever it would differ; a thread that holds an old one goes on correctly, only
// with yesterday's knowledge.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <vector>

#include "overlay/base/node_id.h"
#include "overlay/session/keypair.h"
#include "overlay/wire/address.h"

namespace ipop {

struct Snapshot {
  struct Peer {
    NodeId node;
    Endpoint endpoint;
    std::shared_ptr<Keypair> sending;  ///< Null while the first keypair waits for its confirmation.
    std::shared_ptr<PeerActivity> activity;
  };
  struct Receiving {
    std::shared_ptr<Keypair> keypair;
    uint32_t peer = 0;         ///< Index into `peers`.
    bool unconfirmed = false;  ///< The core must hear of the first datagram.
  };
  struct MacHash {
    size_t operator()(const MacAddress& mac) const {
      uint64_t value = 0;
      std::memcpy(&value, mac.bytes.data(), mac.bytes.size());
      return value * 0x9e3779b97f4a7c15 >>
             16;  // Fibonacci hashing: guests choose their MACs, but only their own.
    }
  };
  static constexpr uint32_t kHere = ~uint32_t{0};  ///< The place of a guest of this host.

  uint64_t version = 0;
  std::vector<Peer> peers;
  std::unordered_map<uint32_t, Receiving> receiving;         ///< By local index.
  std::unordered_map<MacAddress, uint32_t, MacHash> places;  ///< Index into `peers`, or kHere.
};

}  // namespace ipop
