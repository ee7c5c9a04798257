// How a node speaks to others of its guests: to one, to those it is linked to, or to all; what it repeats in
// case that a word was lost; and how seldom, so that all of them can be heard.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "overlay/base/random.h"
#include "overlay/base/time.h"
#include "overlay/base/token_bucket.h"
#include "overlay/link/links.h"
#include "overlay/ring/ring.h"
#include "overlay/ring/router.h"
#include "overlay/vnet/binding.h"
#include "overlay/wire/control.h"
#include "overlay/wire/ring_message.h"

namespace ipop {

/// How often a node repeats what guests it has to those that exchange frames with them: a word that was lost
/// on its way does no lasting harm.
inline constexpr Duration kGossipInterval = 30s;
/// How often all members hear that a node has guests, by the example of one: group-addressed frames go to
/// each such node.
inline constexpr Duration kPresenceInterval = 2min;
/// How many such words of all nodes together are welcome: one each kPresencePace in the long run, which is
/// about what an idle node says and hears otherwise, and so many at once.  Who has heard as many lately
/// waits.
inline constexpr Duration kPresencePace = 1s;
inline constexpr int kPresenceBurst = 60;

class Herald {
 public:
  /// The references must outlive it.
  Herald(const NodeId& self, Instant now, Links& links, Router& router, const Ring& ring, Random& random);

  /// True if everybody is a neighbour: then each can be spoken to by name.
  bool sees_whole_ring() const { return ring_.near().all().size() < 2 * kNearPerSide; }
  std::vector<NodeId> linked_nodes() const;

  /// By the link if there is one, else over the ring.
  void tell(Instant now, const NodeId& to, const wire::RingMessage& message);
  /// Those that we are linked to.
  void tell_linked(Instant now, const wire::RingMessage& message);
  /// All members, by way of each other.
  void tell_all(Instant now, const wire::RingMessage& message);
  /// Passes somebody's word to all on to our share of them.  False, and nothing is done, if it was here
  /// before or has gone too far.
  bool handle_broadcast(Instant now, const wire::Broadcast& broadcast);

  /// All were told of somebody's guest.
  void note_presence(Instant now) { (void)presence_rate_.take(now); }
  /// We have a guest: if it is the first, all will hear of it.
  void handle_guest(Instant now);

  Instant next_timeout() const { return gossip_at_; }
  /// Repeats `bindings`, which are our guests', to those who should know.  REQUIRES: now >= next_timeout().
  void handle_timeout(Instant now, const std::vector<Binding>& bindings);

 private:
  void pass_on(Instant now, const wire::Broadcast& broadcast);
  void remember(uint64_t broadcast);
  void tell_presence(Instant now, const Binding& example);
  Duration draw_turn(Duration turn);

  const NodeId self_;
  Links& links_;
  Router& router_;
  const Ring& ring_;
  Random& random_;
  /// Broadcasts that came lately: a neighbourhood in motion may bring one twice.
  std::deque<uint64_t> seen_;
  Instant gossip_at_;
  Instant presence_at_{};  ///< Zero until we have a guest.
  /// Of all nodes' words, as far as we hear them.
  TokenBucket presence_rate_{kPresencePace, kPresenceBurst};
};

}  // namespace ipop
