// The part of Ring that calls: whom, in which order, and how many at a time.
#include <algorithm>

#include "overlay/base/jitter.h"
#include "overlay/ring/distance.h"
#include "overlay/ring/ring.h"

namespace ipop {
namespace {

using State = KnownNode::State;
using wire::Purpose;
using Mode = wire::Routed::Mode;

/// How long hearsay is called: two Initiations.
constexpr Duration kHearsayPatience = 1500ms;
constexpr Duration kHearsayRetry = 600ms;

/// Whoever was told its place and cannot reach the very next nodes that it heard of joins without them: they
/// may be gone.
constexpr Duration kJoinPatience = 2s;

/// Before a call is tried that found kMaxCalls under way.
constexpr Duration kCallPause = 100ms;

/// The longest pause between calls of lost peers, whoever they are.
constexpr Duration kLostCallInterval = 20s;

/// A node's share of it: all of a small ring together call a lost peer this often.
constexpr Duration kRingsLostCallInterval = 400ms;

/// The longer one is lost the more seldom it is called: again after this share of the time since it was last
/// heard of.  So what was apart for long may take longer to meet, in proportion.
constexpr int kLostShare = 15;
constexpr int kLostShareOfFew = 150;  ///< In a small ring.

}  // namespace

void Ring::want(Instant now, const NodeId& node) {
  if (node == self_) return;
  KnownNode& entry = contacts_.know(now, node);
  entry.traffic_until = now + kTrafficLifetime;
  if (entry.state != State::Idle || (entry.is_lost && now < entry.over_ring_at)) return;
  const Contact own = own_contact();
  const wire::Connect request{
      .purpose = Purpose::Traffic, .subject = {.node = self_, .endpoint = own.endpoint}, .via = std::nullopt};
  (void)router_.send(now, Mode::Exact, node, request);
  call_over_ring(now, node, entry);
}

/// Without those that guests wait for: however many hosts they talk to, the ring is to be kept together.
size_t Ring::calls(Instant now) const {
  return static_cast<size_t>(
      std::count_if(contacts_.all().begin(), contacts_.all().end(), [&](const auto& known) {
        const KnownNode& entry = known.second;
        return entry.state == State::Calling ||
               (entry.state == State::CallingOverRing && entry.traffic_until <= now);
      }));
}

void Ring::call(Instant now, const NodeId& node, KnownNode& entry) {
  if (!entry.has_endpoint()) return call_over_ring(now, node, entry);
  entry.state = State::Calling;
  entry.called_at = now;
  Duration first_retry = kFirstRetry;
  Duration patience = kCallPatience;
  if (!entry.is_invited) {
    first_retry = entry.is_lost ? 2 * kLostCallPatience : kHearsayRetry;
    patience = entry.is_lost ? kLostCallPatience : kHearsayPatience;
  }
  links_.call(now, {.path = entry.endpoint, .node = node, .first_retry = first_retry}, patience);
}

void Ring::call_over_ring(Instant now, const NodeId& node, KnownNode& entry) {
  entry.state = State::CallingOverRing;
  links_.call(now, {.path = Path::over_ring(node), .node = node, .first_retry = 2 * kLongestRetryTimeout},
              kRingCallPatience);
}

void Ring::call_near(Instant now) {
  bool misses_next = false;
  for (const NodeId& node : near_candidates(now)) {
    KnownNode& entry = *contacts_.find(node);
    const Instant call_at = entry.is_rumoured ? now : entry.call_at;
    if (entry.state == State::Idle && call_at <= now && calls(now) < kMaxCalls) call(now, node, entry);
    work_soon(entry.state == State::Idle ? std::max(call_at, now + kCallPause) : now + kHearsayRetry);
    misses_next |= is_next(node);
  }
  if (near_.successors.empty()) {
    is_joined_ = is_placed_ = false;
  } else if (!is_joined_ && is_placed_ && (!misses_next || now - placed_at_ >= kJoinPatience)) {
    is_joined_ = true;
    tell_at_ = std::min(tell_at_, now + kNeighboursDelay);
    place_pause_ = kPlaceRetry;  // Once more soon: the others may be joining, too.
    place_at_ = now + jittered(place_pause_, random_);
    if (place_log_.take(now)) log_.info("has its place on the ring");
  }
  router_.set_owner(is_joined_);
}

/// Known nodes that would be neighbours if they were linked.  One that has been called for a while makes room
/// for the next, since it may be gone.
std::vector<NodeId> Ring::near_candidates(Instant now) const {
  const auto is_eligible = [now](const NodeId&, const KnownNode& entry) {
    const bool is_due = entry.is_lost ? entry.is_rumoured : entry.call_at <= now + kSecondCaller;
    const bool may_answer = !entry.is_calling() || now - entry.called_at < kHearsayRetry;
    return entry.is_linked() || (is_due && may_answer);
  };
  std::vector<NodeId> out = contacts_.neighbourhood(self_, is_eligible).all();
  std::erase_if(out, [&](const NodeId& node) { return contacts_.find(node)->is_linked(); });
  return out;
}

/// Whether the node would be our very next one on either side.
bool Ring::is_next(const NodeId& node) const {
  return near_.successors.empty() ||
         clockwise_distance(self_, node) < clockwise_distance(self_, near_.successors.front()) ||
         clockwise_distance(node, self_) < clockwise_distance(near_.predecessors.front(), self_);
}

void Ring::call_invited(Instant now) {
  size_t busy = calls(now);
  for (auto& [node, entry] : contacts_.all()) {
    if (!entry.is_invited || entry.state != State::Idle) continue;
    if (busy >= kMaxCalls) return;
    if (entry.call_at <= now) {
      call(now, node, entry);
      ++busy;
    } else {
      work_soon(entry.call_at);
    }
  }
}

/// One at a time, the one that waits longest.  A ring is found by another, of which it was a part, as soon as
/// one node is called by one; in a small ring there are few to do it, and none is put off until it has been
/// lost for long.
void Ring::call_lost(Instant now) {
  if (now < lost_call_at_ || calls(now) >= kMaxCalls) return;
  const double nodes = std::min(estimated_size(), 1e3);
  const auto share = std::chrono::duration_cast<Duration>(kRingsLostCallInterval * nodes);
  const bool are_few = share < kLostCallInterval;
  const Duration interval = are_few ? share : kLostCallInterval;
  std::pair<Instant, const NodeId*> first{kNever, nullptr};
  for (const auto& [node, entry] : contacts_.all()) {
    const bool may_be_called = entry.state == State::Idle || entry.state == State::CallingOverRing;
    if (!entry.is_lost || !may_be_called || !entry.has_endpoint()) continue;
    if (!are_few && entry.call_at > now) continue;
    const Duration pause = (now - entry.heard_at) / (are_few ? kLostShareOfFew : kLostShare);
    if (entry.called_at + pause > now) continue;
    if (entry.call_at <= first.first) first = {entry.call_at, &node};
  }
  if (first.second == nullptr) return;
  lost_call_at_ = now + jittered(interval, random_);
  call_lost_peer(now, *first.second, *contacts_.find(*first.second));
}

void Ring::call_lost_peer(Instant now, const NodeId& node, KnownNode& entry) {
  if (entry.state == State::Idle) return call(now, node, entry);
  // Guests talk with it, and the ring is tried for them.  A ring that it is no part of does not lead there.
  entry.called_at = now;
  contacts_.put_off(now, entry, random_);
  links_.call(now, {.path = entry.endpoint, .node = node, .first_retry = 2 * kLostCallPatience},
              kLostCallPatience);
}

}  // namespace ipop
