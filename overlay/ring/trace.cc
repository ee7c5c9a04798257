#include "overlay/ring/trace.h"

#include <algorithm>

namespace ipop {
namespace {

using Mode = wire::Routed::Mode;

constexpr int kCrawlTries = 3;

template <class T>
std::optional<T> pop(std::deque<T>& queue) {
  if (queue.empty()) return std::nullopt;
  T out = std::move(queue.front());
  queue.pop_front();
  return out;
}

/// Marks each stop whose next neighbours are the stops around it.
void check_agreement(std::vector<Crawl::Stop>& stops) {
  const size_t n = stops.size();
  for (size_t i = 0; i < n; ++i) {
    Crawl::Stop& stop = stops[i];
    const size_t wanted = std::min(kNearPerSide, n - 1);
    stop.agrees = stop.successors.size() == wanted && stop.predecessors.size() == wanted;
    for (size_t k = 0; stop.agrees && k < wanted; ++k) {
      stop.agrees = stop.successors[k] == stops[(i + 1 + k) % n].node &&
                    stop.predecessors[k] == stops[(i + n - 1 - k) % n].node;
    }
  }
}

}  // namespace

uint64_t Explorer::start_trace(Instant now, const NodeId& target, bool exact) {
  const uint64_t id = random_.u64();
  const wire::TraceRequest request{.id = id, .hops = {}};
  traces_[id] = {.target = target, .exact = exact, .since = now};
  if (traces_.size() > kMaxExplorations ||
      !router_.send(now, exact ? Mode::Exact : Mode::Owner, target, request)) {
    traces_.erase(id);
    finished_traces_.push_back(
        {.id = id, .target = target, .exact = exact, .reached = false, .took = {}, .hops = {}});
  }
  return id;
}

void Explorer::handle_trace_request(Instant now, const wire::Routed& envelope, wire::TraceRequest request) {
  if (request.hops.size() < wire::TraceRequest::kMaxHops) {
    request.hops.push_back({.node = self_, .round_trip_us = 0});
  }
  if (envelope.source == self_) return handle_trace_reply(now, {.trace = std::move(request)});
  (void)router_.send(now, Mode::Exact, envelope.source, wire::TraceReply{.trace = std::move(request)});
}

void Explorer::handle_trace_reply(Instant now, const wire::TraceReply& reply) {
  const auto entry = traces_.find(reply.trace.id);
  if (entry == traces_.end()) return;
  Trace out{.id = entry->first,
            .target = entry->second.target,
            .exact = entry->second.exact,
            .reached = true,
            .took = now - entry->second.since,
            .hops = {}};
  for (const auto& hop : reply.trace.hops) {
    out.hops.push_back({.node = hop.node, .round_trip = {}});
    if (hop.round_trip_us > 0) out.hops.back().round_trip = Duration(hop.round_trip_us);
  }
  traces_.erase(entry);
  finished_traces_.push_back(std::move(out));
}

uint64_t Explorer::start_crawl(Instant now) {
  const uint64_t id = random_.u64();
  if (crawls_.size() >= kMaxExplorations) {
    finished_crawls_.push_back({.id = id, .complete = false, .took = {}, .stops = {}});
    return id;
  }
  Crawling& crawl = crawls_[id];
  crawl.since = now;
  const auto own = own_neighbours(id);
  crawl.stops.push_back({.node = self_,
                         .host = own.host,
                         .successors = own.successors,
                         .predecessors = own.predecessors,
                         .agrees = false});
  crawl.ahead.assign(own.successors.begin(), own.successors.end());
  step(now, id, crawl);
  return id;
}

std::optional<Trace> Explorer::poll_trace() { return pop(finished_traces_); }
std::optional<Crawl> Explorer::poll_crawl() { return pop(finished_crawls_); }

void Explorer::handle_neighbours_request(Instant now, const wire::Routed& envelope,
                                         const wire::NeighboursRequest& request) {
  (void)router_.send(now, Mode::Exact, envelope.source, own_neighbours(request.id));
}

void Explorer::handle_neighbours_reply(Instant now, const wire::Routed& envelope,
                                       const wire::NeighboursReply& reply) {
  const auto entry = crawls_.find(reply.id);
  if (entry == crawls_.end()) return;
  Crawling& crawl = entry->second;
  if (crawl.ahead.empty() || crawl.ahead.front() != envelope.source) return;
  crawl.stops.push_back({.node = envelope.source,
                         .host = reply.host,
                         .successors = reply.successors,
                         .predecessors = reply.predecessors,
                         .agrees = false});
  crawl.ahead.assign(reply.successors.begin(), reply.successors.end());
  crawl.tries = 0;
  step(now, entry->first, crawl);
}

wire::NeighboursReply Explorer::own_neighbours(uint64_t id) const {
  return {.id = id, .host = host_, .successors = ring_.successors(), .predecessors = ring_.predecessors()};
}

/// On to the next stop, unless that is where we started, or the ring goes in circles elsewhere.
void Explorer::step(Instant now, uint64_t id, Crawling& crawl) {
  const bool is_alone = crawl.stops.size() == 1 && crawl.ahead.empty();
  if (is_alone || (!crawl.ahead.empty() && crawl.ahead.front() == self_)) return finish(now, id, true);
  if (crawl.ahead.empty()) return finish(now, id, false);
  const bool is_known = std::any_of(crawl.stops.begin(), crawl.stops.end(), [&](const Crawl::Stop& stop) {
    return stop.node == crawl.ahead.front();
  });
  if (is_known || crawl.stops.size() >= kMaxStops) return finish(now, id, false);
  ask_next(now, id, crawl);
}

void Explorer::ask_next(Instant now, uint64_t id, Crawling& crawl) {
  crawl.retry_at = now + kCrawlRetry;
  ++crawl.tries;
  (void)router_.send(now, Mode::Exact, crawl.ahead.front(), wire::NeighboursRequest{.id = id});
}

void Explorer::finish(Instant now, uint64_t id, bool complete) {
  const auto entry = crawls_.find(id);
  check_agreement(entry->second.stops);
  finished_crawls_.push_back({.id = id,
                              .complete = complete,
                              .took = now - entry->second.since,
                              .stops = std::move(entry->second.stops)});
  crawls_.erase(entry);
}

Instant Explorer::next_timeout() const {
  Instant next = kNever;
  for (const auto& [id, trace] : traces_) next = std::min(next, trace.since + kTracePatience);
  for (const auto& [id, crawl] : crawls_) next = std::min(next, crawl.retry_at);
  return next;
}

void Explorer::handle_timeout(Instant now) {
  for (auto entry = traces_.begin(); entry != traces_.end();) {
    const auto current = entry++;
    if (now < current->second.since + kTracePatience) continue;
    finished_traces_.push_back({.id = current->first,
                                .target = current->second.target,
                                .exact = current->second.exact,
                                .reached = false,
                                .took = kTracePatience,
                                .hops = {}});
    traces_.erase(current);
  }
  for (auto entry = crawls_.begin(); entry != crawls_.end();) {
    const auto current = entry++;
    Crawling& crawl = current->second;
    if (now < crawl.retry_at) continue;
    if (crawl.tries >= kCrawlTries) {  // Silent: perhaps it has just died, and the one behind it knows more.
      crawl.ahead.pop_front();
      crawl.tries = 0;
      if (crawl.ahead.empty()) {
        finish(now, current->first, false);
        continue;
      }
      step(now, current->first, crawl);
    } else {
      ask_next(now, current->first, crawl);
    }
  }
}

}  // namespace ipop
