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
#include "overlay/vnet/address_book.h"
#include "overlay/wire/address.h"

namespace ipop {

struct Snapshot {
  struct Peer {
    NodeId node;
    Endpoint endpoint;
    std::shared_ptr<Keypair> sending;  ///< Null while the first keypair waits for its confirmation.
    std::shared_ptr<PeerActivity> activity;
    bool allows_trains = true;    ///< Else each datagram leaves by itself.
    size_t max_datagram = 65507;  ///< Octets; what needs more is cut smaller, or sliced.
    bool is_mtu_found = false;    ///< It stays at that for minutes: whose frames are sliced is told.
  };
  struct Receiving {
    std::shared_ptr<Keypair> keypair;
    uint32_t peer = 0;         ///< Index into `peers`.
    bool unconfirmed = false;  ///< The core must hear of the first datagram.
  };
  /// Keyed, since guests choose their MACs and must not be able to choose ones that collide.  The mixing is
  /// SplitMix64's.
  struct MacHash {
    uint64_t key = 0;
    size_t operator()(const MacAddress& mac) const {
      uint64_t z = 0;
      std::memcpy(&z, mac.bytes.data(), mac.bytes.size());
      z += key;
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
      z = (z ^ z >> 27) * 0x94d049bb133111eb;
      return z ^ z >> 31;
    }
  };
  static constexpr uint32_t kHere = ~uint32_t{0};  ///< The place of a guest of this host.

  explicit Snapshot(uint64_t hash_key = 0) : places(0, MacHash{hash_key}) {}

  uint64_t version = 0;
  std::vector<Peer> peers;
  std::unordered_map<uint32_t, Receiving> receiving;         ///< By local index.
  std::unordered_map<MacAddress, uint32_t, MacHash> places;  ///< Index into `peers`, or kHere.
  std::vector<MacAddress> departed;  ///< Guests that were here and are elsewhere now; in order, and few.
  /// By which guests' words to each other are judged; not null, and shared by snapshots.
  std::shared_ptr<const AddressBook> addresses = std::make_shared<const AddressBook>();
};

}  // namespace ipop
