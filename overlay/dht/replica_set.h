// Who keeps the record of an address: the node nearest to its key on the ring (its owner) and the owner's two
// next neighbours on either side.  docs/addresses.md, "Replicas", argues the numbers.
#pragma once

#include <vector>

#include "overlay/base/node_id.h"
#include "overlay/ring/neighbourhood.h"
#include "overlay/wire/dht.h"

namespace ipop {

inline constexpr size_t kReplicasPerSide = 2;
inline constexpr size_t kReplicas = 2 * kReplicasPerSide + 1;

/// The first 160 bits of SHA-256 over a label and the address: a point of the ring that nobody chooses.
NodeId key_of(const wire::DhtAddress& address);

/// As `self` sees the ring, the owner first.  Right and complete if `self` is the owner or next to it;
/// further away, right as to whether `self` is among them.
std::vector<NodeId> replicas_of(const NodeId& key, const NodeId& self, const Neighbourhood& near);
bool is_replica(const NodeId& node, const NodeId& key, const NodeId& self, const Neighbourhood& near);

/// `near` as it is when `node` is counted in, too.
Neighbourhood with_node(const NodeId& self, const Neighbourhood& near, const NodeId& node);

/// How many replicas an address has in the ring that `near` shows.
size_t replica_count(const Neighbourhood& near);
/// How many of `count` replicas must accept.  Two such quorums have two members in common, one of which is
/// honest if one lies: ceil((count + 2) / 2), or all where there are so few.
constexpr size_t write_quorum(size_t count) { return count < 2 ? count : (count + 3) / 2; }
/// How many must have answered until "nothing" is believed.
constexpr size_t read_quorum(size_t count) { return count / 2 + 1; }

}  // namespace ipop
