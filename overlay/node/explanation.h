// What is known of one address and from whom, for an administrator who asks: the answer of Directory.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "overlay/dht/client.h"
#include "overlay/vnet/holder_history.h"

namespace ipop {

struct Explanation {
  uint64_t id = 0;
  wire::DhtAddress address;
  /// The address map of this host, and who had the address before by the same, the latest first.
  std::optional<Binding> known;
  std::vector<HolderHistory::Holder> before;
  /// The DHT: how many replicas there are, and what each of them has that answered.
  size_t replicas = 0;
  std::map<NodeId, Client::Vote> votes;
  Duration took{};  ///< Until all had answered, or those that had not were given up.
  Instant at;       ///< When it was made.
  Duration wall{};  ///< The same, since 1970.
};

}  // namespace ipop
