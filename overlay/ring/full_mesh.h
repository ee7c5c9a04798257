// Whom to be connected to, and who is next on the way to a node.
//
// This is the place of the ring in the order of layers.  For networks of a few dozen hosts everybody connects
// to everybody, and the next hop to a node is the node itself: node/ asks for no more than this interface
// offers, so that neighbours and shortcuts can take its place.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "overlay/base/node_id.h"
#include "overlay/base/time.h"
#include "overlay/wire/address.h"

namespace ipop {

/// More nodes than a full mesh is good for; what we hear of beyond them is ignored.
inline constexpr size_t kMaxMembers = 512;

/// A node that did not answer is called again after this, then after twice as long each time, up to the
/// limit.
inline constexpr Duration kFirstRedial = 1s;
inline constexpr Duration kSlowestRedial = 60s;
/// A node of which nobody speaks and that does not answer is forgotten.
inline constexpr Duration kForgetAfter = 600s;

class FullMesh {
 public:
  struct Member {
    NodeId node;
    Endpoint endpoint;
  };

  explicit FullMesh(NodeId self) : self_(self) {}

  /// A member says that it is connected to `node` at `endpoint`.
  void handle_heard_of(Instant now, const NodeId& node, const Endpoint& endpoint);
  void handle_connected(const NodeId& node, const Endpoint& endpoint);
  void handle_disconnected(Instant now, const NodeId& node);
  /// The call that poll_connect() asked for was not answered.
  void handle_unreachable(Instant now, const NodeId& node);

  /// The next node to call now, if any; each is called by one at a time.
  std::optional<Member> poll_connect(Instant now);

  /// The connected node to hand something for `destination` to.
  std::optional<NodeId> next_hop(const NodeId& destination) const;
  /// All connected nodes, in the order of their identifiers.
  std::vector<Member> connected() const;

  Instant next_timeout() const;

 private:
  enum class State { Connected, Calling, Waiting };
  struct Entry {
    Endpoint endpoint;
    State state = State::Waiting;
    Instant call_at{};  ///< State::Waiting.
    Duration pause = kFirstRedial;
    Instant heard_of_at{};
  };

  NodeId self_;
  std::map<NodeId, Entry> members_;
};

}  // namespace ipop
