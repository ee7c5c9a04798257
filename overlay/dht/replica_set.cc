#include "overlay/dht/replica_set.h"

#include <algorithm>

#include "overlay/crypto/hash.h"
#include "overlay/ring/distance.h"

namespace ipop {
namespace {

/// In the order of the ring, from the farthest predecessor on.  If we see all of it, it is a circle.
std::vector<NodeId> line_of(const NodeId& self, const Neighbourhood& near, bool is_circle) {
  std::vector<NodeId> out;
  if (is_circle) {
    out = near.all();
    out.push_back(self);
    std::sort(out.begin(), out.end());
  } else {
    out.assign(near.predecessors.rbegin(), near.predecessors.rend());
    out.push_back(self);
    out.insert(out.end(), near.successors.begin(), near.successors.end());
  }
  return out;
}

bool is_nearer(const NodeId& key, const NodeId& a, const NodeId& b) {
  const Distance to_a = ring_distance(a, key);
  const Distance to_b = ring_distance(b, key);
  return to_a != to_b ? to_a < to_b : a < b;
}

}  // namespace

NodeId key_of(const wire::DhtAddress& address) {
  Writer out;
  out.u8(static_cast<uint8_t>(address.kind));
  if (address.kind == wire::DhtAddress::Kind::Ip) {
    write(out, address.ip);
  } else {
    write(out, address.mac);
  }
  const Hash hash = sha256({as_bytes("ipop dht key 1:"), out.view()});
  NodeId key;
  std::copy_n(hash.begin(), key.bytes.size(), key.bytes.begin());
  return key;
}

std::vector<NodeId> replicas_of(const NodeId& key, const NodeId& self, const Neighbourhood& near) {
  const bool is_circle = near.all().size() < 2 * kNearPerSide;
  const std::vector<NodeId> line = line_of(self, near, is_circle);
  const auto owner = std::min_element(line.begin(), line.end(),
                                      [&](const NodeId& a, const NodeId& b) { return is_nearer(key, a, b); });
  const size_t n = line.size();
  const auto at = static_cast<size_t>(owner - line.begin());
  std::vector<NodeId> out{*owner};
  const auto add = [&](const NodeId& node) {
    if (std::find(out.begin(), out.end(), node) == out.end()) out.push_back(node);
  };
  for (size_t i = 1; i <= kReplicasPerSide; ++i) {
    if (is_circle) {
      add(line[(at + i) % n]);
      add(line[(at + n * i - i) % n]);
      continue;
    }
    if (at + i < n) add(line[at + i]);
    if (at >= i) add(line[at - i]);
  }
  return out;
}

bool is_replica(const NodeId& node, const NodeId& key, const NodeId& self, const Neighbourhood& near) {
  const auto replicas = replicas_of(key, self, near);
  return std::find(replicas.begin(), replicas.end(), node) != replicas.end();
}

Neighbourhood with_node(const NodeId& self, const Neighbourhood& near, const NodeId& node) {
  std::vector<NodeId> nodes = near.all();
  nodes.push_back(self);
  nodes.push_back(node);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return neighbourhood_of(self, nodes);
}

size_t replica_count(const Neighbourhood& near) { return std::min(near.all().size() + 1, kReplicas); }

}  // namespace ipop
