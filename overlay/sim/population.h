// Who runs: makes hosts, starts them with introducers, kills them, and draws random ones.
#pragma once

#include <cstdint>
#include <vector>

#include "overlay/base/random.h"
#include "overlay/sim/ring_check.h"
#include "overlay/sim/world.h"

namespace ipop::sim {

class Population {
 public:
  /// The references must outlive it.
  Population(World& world, Random& random) : world_(world), random_(random) {}

  /// Makes a host with an identity of its own that is not started.
  Host& make();
  /// Starts it, knowing `introducers` different running ones (all, if there are fewer) drawn at random.  At
  /// least one of them can be talked to: an invite that names nobody within reach is no matter of the ring.
  void start(Host& host, size_t introducers);
  /// Starts it, knowing these.
  void start(Host& host, std::vector<Endpoint> introducers);
  /// It dies without a word.
  void kill(Host& host);

  /// The numbers of those that run; the order says nothing, but is the same in every run.
  const std::vector<uint32_t>& running() const { return running_; }
  /// REQUIRES: somebody runs.
  Host& random_running() { return world_.host(running_[random_.below(running_.size())]); }
  /// Of another than `other`.  REQUIRES: two run.
  Host& random_running(const Host& other);

  /// What the running ones of a group of the Internet believe of the ring.
  std::vector<RingNode> beliefs(uint32_t group) const;
  /// Their number, whatever their group.
  size_t joined() const;
  /// The joined one that is nearest to a key, the shorter way round; null if none has joined.
  const Host* owner_of(const NodeId& key) const;
  /// The next running ones to both sides of a host, of whom there may be one or none.
  std::vector<const Host*> true_neighbours(const Host& host) const;

 private:
  World& world_;
  Random& random_;
  std::vector<uint32_t> running_;
  std::vector<uint32_t> places_;  ///< Of each host in running_, if it runs.
};

/// Whether the node can send to that peer now, directly or over the ring.
bool can_send(const Host& from, const Host& to);

}  // namespace ipop::sim
