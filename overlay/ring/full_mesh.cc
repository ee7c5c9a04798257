#include "overlay/ring/full_mesh.h"

#include <algorithm>

namespace ipop {

void FullMesh::handle_heard_of(Instant now, const NodeId& node, const Endpoint& endpoint) {
  if (node == self_) return;
  const auto [entry, is_new] = members_.try_emplace(node);
  if (is_new && members_.size() > kMaxMembers) {
    members_.erase(entry);
    return;
  }
  Entry& member = entry->second;
  member.heard_of_at = now;
  if (member.state == State::Connected) return;
  if (is_new || member.endpoint != endpoint) {
    member.endpoint = endpoint;
    member.pause = kFirstRedial;
    if (member.state == State::Waiting) member.call_at = now;
  }
}

void FullMesh::handle_connected(const NodeId& node, const Endpoint& endpoint) {
  Entry& member = members_[node];
  member.endpoint = endpoint;
  member.state = State::Connected;
  member.pause = kFirstRedial;
}

void FullMesh::handle_disconnected(Instant now, const NodeId& node) {
  const auto entry = members_.find(node);
  if (entry == members_.end()) return;
  entry->second.state = State::Waiting;
  entry->second.call_at = now;
  entry->second.heard_of_at = now;
}

void FullMesh::handle_unreachable(Instant now, const NodeId& node) {
  const auto entry = members_.find(node);
  if (entry == members_.end() || entry->second.state != State::Calling) return;
  Entry& member = entry->second;
  if (now - member.heard_of_at >= kForgetAfter) {
    members_.erase(entry);
    return;
  }
  member.state = State::Waiting;
  member.call_at = now + member.pause;
  member.pause = std::min(2 * member.pause, kSlowestRedial);
}

std::optional<FullMesh::Member> FullMesh::poll_connect(Instant now) {
  for (auto& [node, member] : members_) {
    if (member.state != State::Waiting || now < member.call_at) continue;
    member.state = State::Calling;
    return Member{.node = node, .endpoint = member.endpoint};
  }
  return std::nullopt;
}

std::optional<NodeId> FullMesh::next_hop(const NodeId& destination) const {
  const auto entry = members_.find(destination);
  if (entry == members_.end() || entry->second.state != State::Connected) return std::nullopt;
  return destination;
}

std::vector<FullMesh::Member> FullMesh::connected() const {
  std::vector<Member> out;
  for (const auto& [node, member] : members_) {
    if (member.state == State::Connected) out.push_back({.node = node, .endpoint = member.endpoint});
  }
  return out;
}

Instant FullMesh::next_timeout() const {
  Instant next = kNever;
  for (const auto& [node, member] : members_) {
    if (member.state == State::Waiting) next = std::min(next, member.call_at);
  }
  return next;
}

}  // namespace ipop
