// Carries messages over the ring, from link to link, to whom they are for.
//
// Greedy: each node hands a message to the peer nearest to its destination.  The next node confirms with an
// Ack; who gets none in time, by the round trips of that link, asks the peer whether it lives and takes the
// next best. So a message outlives the nodes that die on its way (Rhea et al., "Handling churn in a DHT",
// USENIX 2004).
//
// A node takes a message once.  To whoever offers it again it says so, and the offerer tries another peer:
// there are no loops, a message makes at most one copy for each peer tried, and at a dead end (a node that
// should have a link nearer to the destination and has not) an exact message may step away from it a few
// times to get past.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "overlay/base/counters.h"
#include "overlay/base/random.h"
#include "overlay/link/links.h"
#include "overlay/wire/ring_message.h"

namespace ipop {

class Router {
 public:
  /// Messages that wait for an Ack; more go unwatched.
  static constexpr size_t kMaxWaiting = 256;
  /// Peers that are tried for one message.
  static constexpr size_t kMaxTries = 5;
  /// How often it is sent again to a peer that is the only way.
  static constexpr int kMaxRepeats = 2;

  /// The references must outlive it.
  Router(const NodeId& self, Links& links, Random& random, ErrorCounters& refused)
      : self_(self), links_(links), random_(random), refused_(refused) {}

  /// Sends a message of ours.  `first`: the peer that gets it, whatever the distances; it must be linked.
  /// Error::NotAllowed if there is no way: an exact message without any peer.
  Result<Done> send(Instant now, wire::Routed::Mode mode, const NodeId& destination,
                    const wire::RingMessage& message, const std::optional<NodeId>& via = std::nullopt,
                    const std::optional<NodeId>& first = std::nullopt);

  void handle_routed(Instant now, const NodeId& from, wire::Routed message);
  void handle_ack(Instant now, const NodeId& from, const wire::Ack& ack);
  /// Whatever waits for this peer's Ack takes another way at once.
  void handle_disconnected(Instant now, const NodeId& peer);

  /// While we have no place on the ring we own nothing of it.
  void set_owner(bool is_owner) { is_owner_ = is_owner; }

  struct Delivered {
    wire::Routed envelope;  ///< Its body is moved to `message`.
    NodeId from;            ///< The peer that handed it to us; ourselves if it never left.
    wire::RingMessage message;
  };
  std::optional<Delivered> poll_delivered();

  Instant next_timeout() const;
  void handle_timeout(Instant now);

  struct Counts {
    uint64_t forwarded = 0, rerouted = 0, refused = 0, undeliverable = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Waiting {
    wire::Routed message;  ///< As it came: without the hop to the next node.
    NodeId from;
    NodeId next;
    std::vector<NodeId> tried;
    int repeats = 0;
    Instant retry_at;
  };
  struct Seen {
    uint64_t id = 0;
    NodeId from;
  };

  std::optional<NodeId> choose(const wire::Routed& message, const NodeId& from,
                               const std::vector<NodeId>& tried) const;
  bool is_delivered_here(const wire::Routed& message) const;
  bool pass_on(Instant now, wire::Routed message, const NodeId& from, std::vector<NodeId> tried,
               const std::optional<NodeId>& first = std::nullopt);
  bool send_to(Instant now, const NodeId& next, Waiting waiting);
  void deliver(wire::Routed message, const NodeId& from);
  void try_again(Instant now, Waiting waiting);
  const Seen* find_seen(uint64_t id) const;
  void remember(uint64_t id, const NodeId& from);

  NodeId self_;
  Links& links_;
  Random& random_;
  ErrorCounters& refused_;
  bool is_owner_ = false;
  std::map<uint32_t, Waiting> waiting_;  // By token.
  Instant next_retry_ = kNever;          ///< Nothing in waiting_ is due before.
  std::array<Seen, 128> seen_{};
  size_t next_seen_ = 0;
  std::deque<Delivered> delivered_;
  Counts counts_;
};

}  // namespace ipop
