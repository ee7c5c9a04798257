#include "overlay/ring/ring.h"

#include <algorithm>
#include <cmath>

#include "overlay/base/jitter.h"
#include "overlay/ring/distance.h"
#include "overlay/ring/shortcut_draw.h"

namespace ipop {
namespace {

using State = KnownNode::State;
using wire::Purpose;
using Mode = wire::Routed::Mode;

/// A word about a node that came so long after its call began means that it lives: its neighbours have
/// noticed by then if it does not.
constexpr Duration kFresh = 1s;

/// For so long others may speak of a node that we have lost and not have noticed yet, or have found it again.
/// Whoever speaks of it later has it.
constexpr Duration kStaleNews = 20s;

/// How long the node where a shortcut shall end may take to call us.
constexpr Duration kDrawPatience = 2s;

/// How long a lost peer that the ring did not lead to is not called over it again, whoever talks with it.
constexpr Duration kLostRingPause = 10s;

}  // namespace

Ring::Ring(const NodeId& self, Instant now, Links& links, Router& router, Random& random, Log& log)
    : self_(self),
      links_(links),
      router_(router),
      random_(random),
      log_(log),
      tick_at_(now + jittered(kTickInterval, random)),
      place_at_(now + kPlaceDelay),
      improve_at_(now + jittered(kImproveInterval, random)),
      retell_at_(now + jittered(kNeighboursInterval, random)),
      sample_at_(now + jittered(kFirstSample, random)) {}

// What is heard.

void Ring::handle_heard_of(Instant now, const Contact& contact) {
  if (contact.node == self_) return;
  const bool is_new = contacts_.find(contact.node) == nullptr;
  if (is_new && !has_room()) return;
  KnownNode& entry = contacts_.know(now, contact.node);
  entry.heard_at = now;
  if (entry.is_linked()) return;
  bool is_news = contact.endpoint.port != 0 && contact.endpoint != entry.endpoint;
  if (is_news) entry.endpoint = contact.endpoint;
  if (entry.is_lost && now - entry.lost_at >= kStaleNews) {
    entry.is_lost = entry.is_rumoured = false;
    is_news = true;
  } else if (entry.is_lost) {
    note_rumour(now, entry);
  }
  if (entry.state != State::Idle || !(is_new || is_news)) return;
  entry.pause = kFirstRedial;
  entry.call_at = now + (self_ < contact.node ? Duration::zero() : kSecondCaller);
  work_soon(entry.call_at);
}

/// It is called once, if it would be a neighbour.
void Ring::note_rumour(Instant now, KnownNode& entry) {
  entry.is_rumoured |= entry.has_endpoint() && now - entry.called_at >= kLostCallPatience;
}

void Ring::handle_known_peer(Instant now, const Contact& contact) {
  if (contact.node == self_) return;
  KnownNode& entry = contacts_.know(now, contact.node);
  if (entry.is_linked()) return;
  if (contact.endpoint.port != 0) entry.endpoint = contact.endpoint;
  entry.is_lost = true;
  entry.is_invited = true;
  entry.call_at = now + Duration(random_.below(Duration(500ms).count()));
  start_search(now);
}

void Ring::handle_members(Instant now, const NodeId&, const wire::Members& list) {
  for (const auto& member : list.members) {
    handle_heard_of(now, {.node = member.node, .endpoint = member.endpoint});
  }
  work_soon(now);
}

void Ring::handle_gone(Instant now, const wire::Gone& gone) {
  const KnownNode* entry = contacts_.find(gone.node);
  if (entry == nullptr) return;
  if (entry->is_linked()) {
    links_.ask_for_life(now, gone.node);
  } else if (entry->state == State::Idle && !entry->is_lost) {
    contacts_.forget(gone.node);  // Hearsay against hearsay: whoever is linked to it will speak of it again.
  }
}

// What becomes of links.

void Ring::handle_connected(Instant now, const Links::Connected& connected) {
  const KnownNode* before = contacts_.find(connected.node);
  const bool is_unknown = before == nullptr && connected.origin == Link::Origin::Accepted &&
                          now >= draw_at_ + kDrawPatience;  // Else it may be where a shortcut of ours ends.
  KnownNode& entry = contacts_.know(now, connected.node);
  entry.state = State::Linked;
  entry.heard_at = entry.linked_at = now;
  entry.pause = kFirstRedial;
  const bool was_lost = std::exchange(entry.is_lost, false);
  entry.is_invited = entry.is_rumoured = false;
  if (connected.path.is_direct()) entry.endpoint = *connected.path.endpoint;
  entry.direct_at = now + kCallPatience;
  refresh_near(now);
  if (!is_placed_) {
    place_at_ = std::min(place_at_, now + kPlaceDelay);  // If the peer has a place, it asks for us.
  } else if (was_lost || (is_unknown && !is_near(connected.node))) {
    place_stranger(now, connected.node, connected.path);
  }
  if (is_near(connected.node)) {
    links_.send_control(now, connected.node, members_for(connected.node));
    tell_of(now, connected.node, entry);
  }
  work_soon(now);
}

void Ring::handle_disconnected(Instant now, const Links::Disconnected& disconnected) {
  const NodeId& node = disconnected.node;
  const Neighbourhood before = near_;
  KnownNode* entry = contacts_.find(node);
  if (entry == nullptr) return;
  entry->state = State::Idle;
  entry->is_shortcut = false;
  entry->is_acquaintance |= knows_many();
  entry->heard_at = now;
  if (disconnected.end == Links::End::Dead) {
    entry->is_lost = true;
    entry->lost_at = now;
    entry->pause = kLostRedial;
    contacts_.put_off(now, *entry, random_);
  } else if (disconnected.end == Links::End::Stopped) {
    contacts_.forget(node);
  } else {
    entry->call_at = now + kFirstRedial;
  }
  router_.handle_disconnected(now, node);
  refresh_near(now);
  if (before.contains(node) && disconnected.end != Links::End::Unneeded) {
    for (const NodeId& neighbour : near_.all()) links_.send_control(now, neighbour, wire::Gone{.node = node});
    close_gap(now, node, before);
    if (now < lost_near_at_ + kSettleTime) {  // Several at once: the others may be gone, too.
      for (const NodeId& neighbour : near_.all()) links_.ask_for_life(now, neighbour);
      place_at_ = std::min(place_at_, now + kSettleTime / 2);
      start_search(now);
    }
    if (near_.successors.size() <= 1 || near_.predecessors.size() <= 1) {  // Nobody may be left to tell us.
      place_at_ = std::min(place_at_, now + kPlaceRetry / 2);
      unsettled_until_ = now + kSettleTime;
      place_pause_ = kPlaceRetry;
      start_search(now);
    }
    lost_near_at_ = now;
  }
  work_soon(now);
}

/// On the far side of a gap somebody misses one neighbour, which we or ours are.  If each of the six who had
/// the lost one tells the last that it had besides on that side whom it has, all are told.
void Ring::close_gap(Instant now, const NodeId& lost, const Neighbourhood& before) {
  for (const auto& side : {before.successors, before.predecessors}) {
    if (std::find(side.begin(), side.end(), lost) == side.end()) continue;
    const auto last =
        std::find_if(side.rbegin(), side.rend(), [&](const NodeId& node) { return node != lost; });
    if (last != side.rend()) links_.send_control(now, *last, members_for(*last));
  }
}

void Ring::handle_failed(Instant now, const Links::Failed& failed) {
  if (!failed.target.node) return;
  KnownNode* entry = contacts_.find(*failed.target.node);
  if (entry == nullptr || !entry->is_calling()) return;
  if (entry->state == State::CallingOverRing && failed.target.path.is_direct()) return;  // Tried beside that.
  const bool is_vouched_for =
      entry->is_invited || entry->traffic_until > now || entry->heard_at > entry->called_at + kFresh;
  if (entry->state == State::Calling && is_vouched_for && !entry->is_lost && !failed.reason) {
    call_over_ring(now, *failed.target.node, *entry);
    return;
  }
  entry->is_invited = false;
  const bool was_over_ring = std::exchange(entry->state, State::Idle) == State::CallingOverRing;
  if (entry->is_lost && was_over_ring) {
    entry->over_ring_at = now + kLostRingPause;  // When it is called at its endpoint stays as it was.
  } else if (std::exchange(entry->is_rumoured, false)) {
    // Likewise.
  } else if (entry->is_lost || entry->traffic_until > now) {
    contacts_.put_off(now, *entry, random_);
  } else {
    contacts_.forget(*failed.target.node);  // Whoever is linked to it will speak of it again.
  }
  work_soon(now);
}

// Finding one's place, and giving others theirs.

Contact Ring::own_contact() const {
  return {.node = self_, .endpoint = links_.public_endpoint().value_or(Endpoint{})};
}

/// Asks for our neighbours.  `first` is the peer to ask through; none: a distant one, so that more is learned
/// than what the neighbours know anyway.
void Ring::ask_for_place(Instant now, const std::optional<NodeId>& first) {
  std::optional<NodeId> through = first;
  if (!through) {
    std::vector<NodeId> distant;
    for (const auto& [node, link] : links_.all()) {
      if (link.sending() && !is_near(node)) distant.push_back(node);
    }
    if (distant.empty()) distant = near_.all();
    if (distant.empty()) return;
    through = distant[random_.below(distant.size())];
  }
  const Contact own = own_contact();
  const wire::Connect request{.purpose = Purpose::Near,
                              .subject = {.node = self_, .endpoint = own.endpoint},
                              .via = is_joined_ ? std::nullopt : through};
  for (const Mode mode : {Mode::After, Mode::Before}) {
    (void)router_.send(now, mode, self_, request, std::nullopt, through);
  }
}

/// A peer that we did not look for may have no place yet, or one on another ring.
void Ring::place_stranger(Instant now, const NodeId& node, const Path& path) {
  if (!path.is_direct()) return;
  const wire::Connect request{
      .purpose = Purpose::Near, .subject = {.node = node, .endpoint = *path.endpoint}, .via = self_};
  for (const Mode mode : {Mode::After, Mode::Before}) (void)router_.send(now, mode, node, request);
}

void Ring::set_placed(Instant now) {
  if (!std::exchange(is_placed_, true)) placed_at_ = now;
}

void Ring::handle_connect(Instant now, const wire::Routed& envelope, const wire::Connect& request) {
  const NodeId& subject = request.subject.node;
  if (subject == self_ || !connect_rate_.take(now)) return;
  if (envelope.source != self_) set_placed(now);  // The ring took us for a part of it.
  KnownNode& entry = contacts_.know(now, subject);
  entry.heard_at = now;
  const auto link = links_.all().find(subject);
  const bool is_over_ring = entry.state == State::CallingOverRing ||
                            (link != links_.all().end() && !link->second.path().is_direct());
  if (!entry.is_linked() || is_over_ring) {
    if (request.subject.endpoint.port != 0) entry.endpoint = request.subject.endpoint;
  }
  if (!entry.is_linked()) entry.is_invited = true;
  const bool may_call = entry.has_endpoint() && calls(now) < kMaxCalls;
  if (entry.state == State::Idle) {
    entry.call_at = std::min(entry.call_at, now);  // By call_invited(), if there are too many calls now.
    if (may_call) call(now, subject, entry);
  }
  // Both may want the link at once, and then nobody else looks for a direct path.
  if (is_over_ring && may_call) {
    links_.call(now, {.path = entry.endpoint, .node = subject}, kCallPatience);
  }
  const Contact own = own_contact();
  const wire::ConnectReply reply{.purpose = request.purpose,
                                 .responder = {.node = self_, .endpoint = own.endpoint}};
  if (request.purpose == Purpose::Near && !entry.is_linked()) tell_of(now, subject, entry);
  (void)router_.send(now, Mode::Exact, subject, reply, request.via);
}

/// For one more node that we only hear of.
bool Ring::has_room() const { return contacts_.all().size() < links_.all().size() + kMaxUntidied; }

void Ring::handle_connect_reply(Instant now, const wire::ConnectReply& reply) {
  if (reply.responder.node == self_ || !reply_rate_.take(now)) return;
  KnownNode* const responder = &contacts_.know(now, reply.responder.node);
  responder->heard_at = now;
  if (!responder->is_linked() && reply.responder.endpoint.port != 0) {
    responder->endpoint = reply.responder.endpoint;
  }
  if (responder->state == State::Idle) responder->call_at = now + kSecondCaller;  // It calls us.
  responder->is_invited = !responder->is_linked();
  if (reply.purpose == Purpose::Shortcut) responder->is_shortcut = true;
  if (reply.purpose == Purpose::Near) set_placed(now);
  work_soon(now);
}

// Upkeep.

void Ring::refresh_near(Instant now) {
  Neighbourhood near =
      contacts_.neighbourhood(self_, [](const NodeId&, const KnownNode& entry) { return entry.is_linked(); });
  if (near == near_) return;
  near_ = std::move(near);
  refresh_uses(now);
}

bool Ring::is_wanted(Instant now, const NodeId& node, const KnownNode& entry) const {
  return is_near(node) || entry.is_shortcut || entry.traffic_until > now || !is_joined_;
}

void Ring::refresh_uses(Instant now) {
  for (const auto& [node, entry] : contacts_.all()) {
    if (!entry.is_linked()) continue;
    const bool wants = is_wanted(now, node, entry) && (is_joined_ || is_near(node) || entry.is_shortcut);
    links_.set_use(now, node, wants, is_near(node) ? kNearKeepalive : kKeepaliveInterval);
  }
}

void Ring::close_unneeded(Instant now) {
  std::vector<NodeId> unneeded;
  for (const auto& [node, link] : links_.all()) {
    const KnownNode* entry = contacts_.find(node);
    if (entry == nullptr || !entry->is_linked() || now - entry->linked_at < kUnneededLifetime) continue;
    if (!is_wanted(now, node, *entry) && !link.peer_wants_link()) unneeded.push_back(node);
  }
  for (const NodeId& node : unneeded) links_.hang_up(now, node);
}

void Ring::draw_shortcuts(Instant now) {
  if (!is_joined_ || now < draw_at_) return;
  const size_t wanted = wanted_shortcuts(estimated_size());
  size_t have = 0;
  for (auto& [node, entry] : contacts_.all()) {
    if (entry.is_shortcut && ++have > wanted + 1) entry.is_shortcut = false;  // The ring has shrunk.
  }
  if (have >= wanted) return;
  draw_at_ = now + jittered(kTickInterval, random_);
  const Contact own = own_contact();
  const wire::Connect request{.purpose = Purpose::Shortcut,
                              .subject = {.node = self_, .endpoint = own.endpoint},
                              .via = std::nullopt};
  (void)router_.send(now, Mode::Owner, draw_shortcut(self_, estimated_size(), random_), request);
}

/// Of the two shortcuts whose lengths are most alike, the slower one goes: its successor is drawn anew, and
/// so, by and by, the short ways among several draws remain.
void Ring::improve_shortcuts(Instant now) {
  if (now < improve_at_) return;
  improve_at_ = now + jittered(kImproveInterval, random_);
  struct Drawn {
    double octave;
    Duration round_trip;
    KnownNode* entry;
  };
  std::vector<Drawn> drawn;
  for (auto& [node, entry] : contacts_.all()) {
    const auto link = links_.all().find(node);
    if (!entry.is_shortcut || is_near(node) || link == links_.all().end() || !link->second.round_trip())
      continue;
    drawn.push_back({.octave = std::log2(clockwise_distance(self_, node).fraction() + 1e-18),
                     .round_trip = *link->second.round_trip(),
                     .entry = &entry});
  }
  if (drawn.size() < 2) return;
  std::sort(drawn.begin(), drawn.end(), [](const Drawn& a, const Drawn& b) { return a.octave < b.octave; });
  size_t closest = 0;
  for (size_t i = 0; i + 1 < drawn.size(); ++i) {
    if (drawn[i + 1].octave - drawn[i].octave < drawn[closest + 1].octave - drawn[closest].octave)
      closest = i;
  }
  const bool first_is_slower = drawn[closest].round_trip > drawn[closest + 1].round_trip;
  drawn[first_is_slower ? closest : closest + 1].entry->is_shortcut = false;
}

/// Links over the ring whose peers have endpoints that may be reachable by now.
void Ring::seek_direct_paths(Instant now) {
  for (auto& [node, entry] : contacts_.all()) {
    if (!entry.is_linked() || now < entry.direct_at) continue;
    const auto link = links_.all().find(node);
    if (link == links_.all().end() || link->second.path().is_direct()) continue;
    entry.direct_at = now + jittered(entry.pause * 8, random_);
    entry.pause = std::min(2 * entry.pause, kSlowestRedial);
    const Contact own = own_contact();
    const wire::Connect request{.purpose = Purpose::Traffic,
                                .subject = {.node = self_, .endpoint = own.endpoint},
                                .via = std::nullopt};
    (void)router_.send(now, Mode::Exact, node, request);
    if (entry.has_endpoint()) links_.call(now, {.path = entry.endpoint, .node = node}, kCallPatience);
  }
}

std::optional<LinkKind> Ring::kind_of(const NodeId& node) const {
  const KnownNode* entry = contacts_.find(node);
  if (entry == nullptr || !entry->is_linked()) return std::nullopt;
  if (is_near(node)) return LinkKind::Near;
  if (entry->is_shortcut) return LinkKind::Shortcut;
  return entry->traffic_until > Instant{} ? LinkKind::OnDemand : LinkKind::Leaf;
}

// What neighbours tell each other.

wire::Members Ring::members_for(const NodeId& to) const {
  wire::Members out;
  for (const NodeId& node : near_.all()) {
    const auto link = links_.all().find(node);
    if (node == to || link == links_.all().end()) continue;
    out.members.push_back({.node = node, .endpoint = link->second.path().endpoint.value_or(Endpoint{})});
  }
  return out;
}

void Ring::tell_neighbours(Instant now) {
  for (const NodeId& neighbour : near_.all()) links_.send_control(now, neighbour, members_for(neighbour));
}

/// Tells our neighbours of another one: some should have it, too, and for the others it is in reserve.
void Ring::tell_of(Instant now, const NodeId& node, const KnownNode& entry) {
  const wire::Members news{.members = {{.node = node, .endpoint = entry.endpoint}}};
  for (const NodeId& neighbour : near_.all()) {
    if (neighbour != node) links_.send_control(now, neighbour, news);
  }
}

void Ring::handle_timeout(Instant now) {
  if (now >= work_at_) work(now);
  if (now >= place_at_) {
    if (is_joined_ && now >= unsettled_until_) place_pause_ = std::min(8 * place_pause_, kPlaceInterval);
    place_at_ = now + jittered(is_placed_ ? place_pause_ : kPlaceRetry / 2, random_);
    ask_for_place(now, std::nullopt);
  }
  if (now < tick_at_) return;
  tick_at_ = now + jittered(kTickInterval, random_);
  links_.look(now);  // A link that carries frames again after a pause is not to be closed.
  for (auto& [node, entry] : contacts_.all()) {
    if (entry.traffic_until <= now) entry.traffic_until = {};
    const auto link = links_.all().find(node);
    if (!entry.is_linked() || link == links_.all().end()) continue;
    const Instant last_frame = link->second.last_frame();
    if (last_frame > Instant{} && now - last_frame < kTrafficLifetime) {
      entry.traffic_until = last_frame + kTrafficLifetime;
    }
  }
  contacts_.tidy(now);
  refresh_uses(now);
  close_unneeded(now);
  call_lost(now);
  seek_direct_paths(now);
  improve_shortcuts(now);
  draw_shortcuts(now);
  if (now >= retell_at_) {
    retell_at_ = now + jittered(kNeighboursInterval, random_);
    tell_neighbours(now);
  }
  send_sample(now);
  work(now);
}

void Ring::work(Instant now) {
  work_at_ = kNever;
  call_near(now);
  call_invited(now);
  search(now);
  draw_shortcuts(now);
  if (now >= tell_at_) {
    tell_at_ = kNever;
    tell_neighbours(now);
  }
  work_soon(tell_at_);
}

}  // namespace ipop
