#include "overlay/ring/router.h"

#include <algorithm>

#include "overlay/ring/distance.h"

namespace ipop {
namespace {

using Mode = wire::Routed::Mode;

bool contains(const std::vector<NodeId>& nodes, const NodeId& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

bool is_directed(Mode mode) { return mode == Mode::After || mode == Mode::Before; }

/// How far a node is from where the message wants to go.
Distance way_left(const wire::Routed& message, const NodeId& node) {
  if (message.via) return ring_distance(node, *message.via);
  if (is_directed(message.mode) && node == message.destination)
    return Distance::from_fraction(1);  // Round the ring.
  switch (message.mode) {
    case Mode::After:
      return clockwise_distance(message.destination, node);
    case Mode::Before:
      return clockwise_distance(node, message.destination);
    default:
      return ring_distance(node, message.destination);
  }
}

/// What a link that the ring itself carries cannot carry: it would be its own way.  A trace is asked that
/// way.
bool needs_direct_link(const wire::Routed& message) {
  return wire::is_carried(message.body) || wire::is_trace_request(message.body);
}

}  // namespace

Result<Done> Router::send(Instant now, Mode mode, const NodeId& destination, const wire::RingMessage& message,
                          const std::optional<NodeId>& via, const std::optional<NodeId>& first) {
  wire::Routed out{.mode = mode,
                   .id = random_.u64(),
                   .source = self_,
                   .destination = destination,
                   .via = via,
                   .body = wire::encode_ring_message(message)};
  if (out.via == self_) out.via.reset();
  remember(out.id, self_);
  if (pass_on(now, out, self_, {}, first)) return Done{};
  if (is_delivered_here(out)) {
    deliver(std::move(out), self_);
    return Done{};
  }
  ++counts_.undeliverable;
  return Error::NotAllowed;
}

void Router::handle_routed(Instant now, const NodeId& from, wire::Routed message) {
  const auto answer = [&](bool taken) {
    if (message.ack_token == 0) return;
    links_.send_control(now, from, wire::Ack{.token = message.ack_token, .taken = taken});
  };
  if (const Seen* seen = find_seen(message.id)) {
    answer(seen->from == from);  // The same peer again: only our Ack was lost.
    return;
  }
  if (message.via == self_) message.via.reset();
  const bool is_here = message.mode == Mode::Exact && message.destination == self_;
  if (message.hops >= wire::Routed::kMaxHops && !is_here) {
    refused_.add(Error::RateLimited);
    ++counts_.undeliverable;
    answer(true);  // Nobody else shall try either.
    return;
  }
  remember(message.id, from);
  if (pass_on(now, message, from, {})) {
    ++counts_.forwarded;
    answer(true);
  } else if (is_delivered_here(message)) {
    answer(true);
    deliver(std::move(message), from);
  } else {
    ++counts_.refused;
    answer(false);
  }
}

void Router::handle_ack(Instant now, const NodeId& from, const wire::Ack& ack) {
  const auto entry = waiting_.find(ack.token);
  if (entry == waiting_.end() || entry->second.next != from) return;
  Waiting waiting = std::move(entry->second);
  waiting_.erase(entry);
  if (waiting_.empty()) next_retry_ = kNever;
  if (!ack.taken) try_again(now, std::move(waiting));
}

void Router::handle_disconnected(Instant now, const NodeId& peer) {
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    const auto current = entry++;
    if (current->second.next != peer) continue;
    Waiting waiting = std::move(current->second);
    waiting_.erase(current);
    try_again(now, std::move(waiting));
  }
}

std::optional<Router::Delivered> Router::poll_delivered() {
  if (delivered_.empty()) return std::nullopt;
  Delivered out = std::move(delivered_.front());
  delivered_.pop_front();
  return out;
}

Instant Router::next_timeout() const {
  if (!delivered_.empty()) return Instant::min();
  return next_retry_;
}

void Router::handle_timeout(Instant now) {
  if (now < next_retry_) return;
  next_retry_ = kNever;
  std::vector<Waiting> late;
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    const auto current = entry++;
    if (current->second.retry_at > now) {
      next_retry_ = std::min(next_retry_, current->second.retry_at);
      continue;
    }
    late.push_back(std::move(current->second));
    waiting_.erase(current);
  }
  for (Waiting& waiting : late) {
    links_.ask_for_life(now, waiting.next);
    const bool is_only_way = !choose(waiting.message, waiting.from, waiting.tried);
    if (is_only_way && waiting.repeats < kMaxRepeats) {
      ++waiting.repeats;  // Perhaps just this datagram was lost, or its Ack.
      const NodeId next = waiting.next;
      if (send_to(now, next, waiting)) continue;
    }
    try_again(now, std::move(waiting));
  }
}

/// The peer to hand the message to, or nothing if none is better than ourselves.
std::optional<NodeId> Router::choose(const wire::Routed& message, const NodeId& from,
                                     const std::vector<NodeId>& tried) const {
  const NodeId& goal = message.via ? *message.via : message.destination;
  const bool direct_only = needs_direct_link(message);
  const bool is_exact = message.via || message.mode == Mode::Exact;
  const auto can_take = [&](const NodeId& node, const Link& link) {
    if (!link.sending() || (direct_only && !link.path().is_direct())) return false;
    if (is_directed(message.mode) && !message.via && node == message.destination) return false;
    return node != from && node != message.source && !contains(tried, node);
  };
  const auto& links = links_.all();
  if (is_exact) {
    const auto direct = links.find(goal);
    if (direct != links.end() && can_take(goal, direct->second)) return goal;
  }
  Distance best = way_left(message, self_);
  std::optional<NodeId> next;
  std::optional<NodeId> detour;
  Distance best_detour;
  for (const auto& [node, link] : links) {
    if (!can_take(node, link)) continue;
    const Distance distance = way_left(message, node);
    if (distance < best) {
      best = distance;
      next = node;
    } else if (!detour || distance < best_detour) {
      best_detour = distance;
      detour = node;
    }
  }
  if (next || !is_exact || message.detours >= wire::Routed::kMaxDetours) return next;
  return detour;
}

bool Router::is_delivered_here(const wire::Routed& message) const {
  if (message.via) return false;
  switch (message.mode) {
    case Mode::Exact:
      return message.destination == self_;
    case Mode::Owner:
      return is_owner_;
    case Mode::After:
    case Mode::Before:
      return message.destination != self_;
  }
  return false;
}

/// True if a peer has got it.  A message for us is not passed on.
bool Router::pass_on(Instant now, wire::Routed message, const NodeId& from, std::vector<NodeId> tried,
                     const std::optional<NodeId>& first) {
  if (message.destination == self_ && !is_directed(message.mode) && !message.via && !first) return false;
  Waiting waiting{
      .message = std::move(message), .from = from, .next = {}, .tried = std::move(tried), .retry_at = {}};
  while (waiting.tried.size() < kMaxTries) {
    const auto next = first && waiting.tried.empty() ? first : choose(waiting.message, from, waiting.tried);
    if (!next) return false;
    waiting.tried.push_back(*next);
    if (send_to(now, *next, waiting)) return true;
  }
  return false;
}

bool Router::send_to(Instant now, const NodeId& next, Waiting waiting) {
  const auto entry = links_.all().find(next);
  if (entry == links_.all().end()) return false;
  const Link& link = entry->second;
  wire::Routed copy = waiting.message;
  const NodeId& goal = copy.via ? *copy.via : copy.destination;
  const bool leads_away =
      next != goal && !(way_left(waiting.message, next) < way_left(waiting.message, self_));
  if (leads_away && copy.detours < wire::Routed::kMaxDetours) ++copy.detours;
  ++copy.hops;
  if (copy.via == next) copy.via.reset();
  const bool is_watched = waiting_.size() < kMaxWaiting;
  copy.ack_token = is_watched ? std::max<uint32_t>(random_.u32(), 1) : 0;
  if (waiting.from != self_) {
    const auto round_trip = link.round_trip();
    const auto us = round_trip ? static_cast<uint32_t>(std::max<int64_t>(round_trip->count(), 1)) : 0;
    wire::append_trace_hop(copy.body, {.node = self_, .round_trip_us = us});
  }
  if (!links_.send_control(now, next, copy)) return false;
  if (is_watched) {
    waiting.next = next;
    waiting.retry_at = now + link.retry_timeout();
    next_retry_ = std::min(next_retry_, waiting.retry_at);
    waiting_[copy.ack_token] = std::move(waiting);
  }
  return true;
}

void Router::deliver(wire::Routed message, const NodeId& from) {
  auto body = wire::decode_ring_message(message.body);
  message.body.clear();
  if (!body) {
    refused_.add(body.error());
    return;
  }
  delivered_.push_back({.envelope = std::move(message), .from = from, .message = std::move(*body)});
}

void Router::try_again(Instant now, Waiting waiting) {
  ++counts_.rerouted;
  if (pass_on(now, waiting.message, waiting.from, std::move(waiting.tried))) return;
  if (is_delivered_here(waiting.message)) {
    deliver(std::move(waiting.message), waiting.from);  // Whoever was nearer is gone.
  } else {
    ++counts_.undeliverable;
  }
}

const Router::Seen* Router::find_seen(uint64_t id) const {
  for (const Seen& seen : seen_) {
    if (seen.id == id && id != 0) return &seen;
  }
  return nullptr;
}

void Router::remember(uint64_t id, const NodeId& from) {
  seen_[next_seen_] = {.id = id, .from = from};
  next_seen_ = (next_seen_ + 1) % seen_.size();
}

}  // namespace ipop
