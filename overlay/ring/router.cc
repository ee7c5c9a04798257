#include "overlay/ring/router.h"

#include <algorithm>

#include "overlay/ring/distance.h"

namespace ipop {
namespace {

using Mode = wire::Routed::Mode;

bool contains(const std::vector<NodeId>& nodes, const NodeId& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

/// What a link that the ring itself carries cannot carry: it would be its own way.  A trace is asked that way.
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
  if (message.hops >= wire::Routed::kMaxHops) {
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
  Instant next = kNever;
  for (const auto& [token, waiting] : waiting_) next = std::min(next, waiting.retry_at);
  return next;
}

void Router::handle_timeout(Instant now) {
  std::vector<Waiting> late;
  for (auto entry = waiting_.begin(); entry != waiting_.end();) {
    const auto current = entry++;
    if (current->second.retry_at > now) continue;
    late.push_back(std::move(current->second));
    waiting_.erase(current);
  }
  for (Waiting& waiting : late) {
    links_.ask_for_life(now, waiting.next);
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
    if (message.mode == Mode::Beside && node == message.destination) return false;
    return node != from && node != message.source && !contains(tried, node);
  };
  const auto& links = links_.all();
  if (is_exact) {
    const auto direct = links.find(goal);
    if (direct != links.end() && can_take(goal, direct->second)) return goal;
  }
  Distance best = ring_distance(self_, goal);
  std::optional<NodeId> next;
  std::optional<NodeId> detour;
  Distance best_detour;
  for (const auto& [node, link] : links) {
    if (!can_take(node, link)) continue;
    const Distance distance = ring_distance(node, goal);
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
    case Mode::Beside:
      return message.destination != self_;
  }
  return false;
}

/// True if a peer has got it.  A message for us is not passed on.
bool Router::pass_on(Instant now, wire::Routed message, const NodeId& from, std::vector<NodeId> tried,
                     const std::optional<NodeId>& first) {
  if (message.destination == self_ && message.mode != Mode::Beside && !message.via && !first) return false;
  while (tried.size() < kMaxTries) {
    const auto next = first && tried.empty() ? first : choose(message, from, tried);
    if (!next) return false;
    tried.push_back(*next);
    const auto link = links_.all().find(*next);
    if (link == links_.all().end()) continue;

    wire::Routed copy = message;
    const NodeId& goal = message.via ? *message.via : message.destination;
    ++copy.hops;
    if (!first && !(ring_distance(*next, goal) < ring_distance(self_, goal)) && *next != goal &&
        copy.detours < wire::Routed::kMaxDetours) {
      ++copy.detours;
    }
    if (copy.via == *next) copy.via.reset();
    const bool watched = waiting_.size() < kMaxWaiting;
    copy.ack_token = watched ? std::max<uint32_t>(random_.u32(), 1) : 0;
    if (from != self_) {
      const auto round_trip = link->second.round_trip();
      wire::append_trace_hop(
          copy.body,
          {.node = self_, .round_trip_us = round_trip ? static_cast<uint32_t>(round_trip->count()) : 0});
    }
    if (!links_.send_control(now, *next, copy)) continue;
    if (watched) {
      waiting_[copy.ack_token] = {.message = std::move(message),
                                  .from = from,
                                  .next = *next,
                                  .tried = std::move(tried),
                                  .retry_at = now + link->second.retry_timeout()};
    }
    return true;
  }
  return false;
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
