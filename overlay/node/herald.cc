#include "overlay/node/herald.h"

#include <algorithm>

#include "overlay/base/jitter.h"
#include "overlay/node/records.h"
#include "overlay/ring/broadcast.h"

namespace ipop {
namespace {

/// So many broadcasts are remembered: what a few round trips can bring.
constexpr size_t kMaxSeen = 256;

}  // namespace

Herald::Herald(const NodeId& self, Instant now, Links& links, Router& router, const Ring& ring,
               Random& random)
    : self_(self),
      links_(links),
      router_(router),
      ring_(ring),
      random_(random),
      gossip_at_(now + kGossipInterval) {}

std::vector<NodeId> Herald::linked_nodes() const {
  std::vector<NodeId> out;
  for (const auto& [node, link] : links_.all()) out.push_back(node);
  return out;
}

void Herald::tell(Instant now, const NodeId& to, const wire::RingMessage& message) {
  const bool is_linked = links_.all().contains(to) && !std::holds_alternative<wire::Carried>(message);
  (void)router_.send(now, wire::Routed::Mode::Exact, to, message, std::nullopt,
                     is_linked ? std::optional(to) : std::nullopt);
}

void Herald::tell_linked(Instant now, const wire::RingMessage& message) {
  for (const NodeId& node : linked_nodes()) tell(now, node, message);
}

void Herald::tell_all(Instant now, const wire::RingMessage& message) {
  const wire::Broadcast broadcast{.hops = 0,
                                  .id = random_.u64(),
                                  .source = self_,
                                  .bound = self_,
                                  .body = wire::encode_ring_message(message)};
  remember(broadcast.id);
  pass_on(now, broadcast);
}

bool Herald::handle_broadcast(Instant now, const wire::Broadcast& broadcast) {
  if (std::find(seen_.begin(), seen_.end(), broadcast.id) != seen_.end() ||
      broadcast.hops >= wire::Routed::kMaxHops) {
    return false;
  }
  remember(broadcast.id);
  pass_on(now, broadcast);
  return true;
}

void Herald::remember(uint64_t broadcast) {
  seen_.push_back(broadcast);
  if (seen_.size() > kMaxSeen) seen_.pop_front();
}

void Herald::pass_on(Instant now, const wire::Broadcast& broadcast) {
  if (broadcast.bound == self_ && broadcast.source != self_) return;  // Nothing is left of the range.
  for (const auto& share : share_broadcast(self_, broadcast.bound, linked_nodes())) {
    wire::Broadcast part = broadcast;
    ++part.hops;
    part.bound = share.bound;
    links_.send_control(now, share.peer, part);
  }
}

void Herald::handle_guest(Instant now) {
  if (presence_at_ != Instant{} || sees_whole_ring()) return;
  // Should all get their first guest now, then one after the other.
  presence_at_ = now + draw_turn(kPresencePace / kPresenceBurst);
  gossip_at_ = std::min(gossip_at_, presence_at_);
}

void Herald::handle_timeout(Instant now, const std::vector<Binding>& bindings) {
  for (const auto& [node, link] : links_.all()) {
    if (!sees_whole_ring() && now - link.last_frame() > kTrafficLifetime) continue;
    for (const Binding& binding : bindings) {
      tell(now, node, wire::Announcement{.binding = to_record(binding, now)});
    }
  }
  if (!bindings.empty() && now >= presence_at_ && !sees_whole_ring()) tell_presence(now, bindings.front());
  gossip_at_ = now + jittered(kGossipInterval, random_);
}

/// Everybody hears everybody: without a bound that would be a hundred million messages each two minutes among
/// ten thousand nodes with guests.
void Herald::tell_presence(Instant now, const Binding& example) {
  if (presence_rate_.take(now)) {
    tell_all(now, wire::Announcement{.binding = to_record(example, now)});
    presence_at_ = now + kPresenceInterval;
  } else {
    presence_at_ = now + draw_turn(kPresencePace);
  }
}

/// If there are as many turns as the ring has nodes, about one of those who wait comes up in each.
Duration Herald::draw_turn(Duration turn) {
  const auto nodes = static_cast<uint64_t>(std::clamp(ring_.estimated_size(), 1.0, 1e6));
  return Duration(random_.below(nodes * static_cast<uint64_t>(turn.count())));
}

}  // namespace ipop
