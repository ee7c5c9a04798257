// Several members, each with its links, its router and perhaps its place on a ring, and the wires between
// them as the test's own hands: nothing arrives and no time passes unless the test says so.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "overlay/ring/distance.h"
#include "overlay/ring/ring.h"
#include "overlay/ring/router.h"
#include "overlay/ring/trace.h"
#include "tests/support/grid.h"
#include "tests/support/recorders.h"

namespace ipop::test {

/// The part of a node that is told of in overlay/ring: what it hears goes where node/node.cc would take it.
class Place {
 public:
  Place(const Grid& grid, uint64_t member, Instant now, bool has_ring)
      : endpoint(Endpoint::from_ipv4({static_cast<uint32_t>(0xc0000200 + member)}, 1000)),
        credentials_(grid.member(member)),
        random_(500 + member),
        links(credentials_, {}, random_, log, refused),
        router(credentials_.id, links, random_, refused) {
    if (!has_ring) return;
    ring = std::make_unique<Ring>(id(), now, links, router, random_, log);
    explorer = std::make_unique<Explorer>(id(), "host" + std::to_string(member), *ring, router, random_);
  }
  Place(const Place&) = delete;

  const NodeId& id() const { return credentials_.id; }
  bool is_linked(const Place& other) const {
    const auto link = links.all().find(other.id());
    return link != links.all().end() && link->second.sending() != nullptr;
  }
  Instant next_timeout() const {
    Instant next = std::min(links.next_timeout(), router.next_timeout());
    if (ring) next = std::min({next, ring->next_timeout(), explorer->next_timeout()});
    return next;
  }
  void handle_timeout(Instant now) {
    links.handle_timeout(now);
    router.handle_timeout(now);
    pump(now);
    if (ring) ring->handle_timeout(now);
    if (explorer) explorer->handle_timeout(now);
    pump(now);
  }
  void pump(Instant now) {
    for (bool busy = true; busy;) {
      busy = false;
      while (const auto event = links.poll_event()) {
        handle_event(now, *event);
        busy = true;
      }
      while (const auto datagram = links.poll_ring_datagram()) {
        (void)router.send(now, wire::Routed::Mode::Exact, datagram->to.node, wire::Carried{datagram->bytes});
        busy = true;
      }
      while (auto message = router.poll_delivered()) {
        handle_delivered(now, std::move(*message));
        busy = true;
      }
    }
  }
  /// The control messages of this kind that have arrived, in their order.
  template <class Kind>
  std::vector<std::pair<NodeId, Kind>> heard() const {
    std::vector<std::pair<NodeId, Kind>> out;
    for (const auto& message : messages) {
      if (const auto* body = std::get_if<Kind>(&message.body)) out.emplace_back(message.from, *body);
    }
    return out;
  }

  Endpoint endpoint;
  LogLines log;
  ErrorCounters refused;
  std::vector<Links::Message> messages;      ///< All that arrived from peers.
  std::vector<Router::Delivered> delivered;  ///< All that the router had for us.
  std::vector<Links::Disconnected> lost;
  std::vector<Links::Frame> frames;

 private:
  void handle_event(Instant now, const Links::Event& event) {
    if (const auto* connected = std::get_if<Links::Connected>(&event)) {
      if (ring) ring->handle_connected(now, *connected);
    } else if (const auto* disconnected = std::get_if<Links::Disconnected>(&event)) {
      lost.push_back(*disconnected);
      if (ring) {
        ring->handle_disconnected(now, *disconnected);
      } else {
        router.handle_disconnected(now, disconnected->node);
      }
    } else if (const auto* failed = std::get_if<Links::Failed>(&event)) {
      if (ring) ring->handle_failed(now, *failed);
    } else if (const auto* frame = std::get_if<Links::Frame>(&event)) {
      frames.push_back(*frame);
    } else if (const auto* message = std::get_if<Links::Message>(&event)) {
      messages.push_back(*message);
      handle_message(now, *message);
    }
  }
  void handle_message(Instant now, const Links::Message& message) {
    if (const auto* routed = std::get_if<wire::Routed>(&message.body)) {
      router.handle_routed(now, message.from, *routed);
    } else if (const auto* ack = std::get_if<wire::Ack>(&message.body)) {
      router.handle_ack(now, message.from, *ack);
    } else if (!ring) {
      return;
    } else if (const auto* members = std::get_if<wire::Members>(&message.body)) {
      ring->handle_members(now, message.from, *members);
    } else if (const auto* gone = std::get_if<wire::Gone>(&message.body)) {
      ring->handle_gone(now, *gone);
    }
  }
  void handle_delivered(Instant now, Router::Delivered message) {
    const wire::Routed& envelope = message.envelope;
    if (const auto* carried = std::get_if<wire::Carried>(&message.message)) {
      const UnixSeconds unix_now = testing::kNow + now.time_since_epoch() / 1s;
      links.handle_datagram(now, unix_now, Path::over_ring(envelope.source), carried->datagram);
    } else if (!ring) {
      // Only noted.
    } else if (const auto* connect = std::get_if<wire::Connect>(&message.message)) {
      ring->handle_connect(now, envelope, *connect);
    } else if (const auto* reply = std::get_if<wire::ConnectReply>(&message.message)) {
      ring->handle_connect_reply(now, *reply);
    } else if (const auto* trace = std::get_if<wire::TraceRequest>(&message.message)) {
      explorer->handle_trace_request(now, envelope, *trace);
    } else if (const auto* traced = std::get_if<wire::TraceReply>(&message.message)) {
      explorer->handle_trace_reply(now, *traced);
    } else if (const auto* asked = std::get_if<wire::NeighboursRequest>(&message.message)) {
      explorer->handle_neighbours_request(now, envelope, *asked);
    } else if (const auto* neighbours = std::get_if<wire::NeighboursReply>(&message.message)) {
      explorer->handle_neighbours_reply(now, envelope, *neighbours);
    } else if (const auto* sample = std::get_if<wire::Members>(&message.message)) {
      ring->handle_sample(now, *sample);
    }
    delivered.push_back(std::move(message));
  }

  Credentials credentials_;
  SeededRandom random_;

 public:
  Links links;
  Router router;
  std::unique_ptr<Ring> ring;
  std::unique_ptr<Explorer> explorer;
};

/// The places in the order of the ring: circle[0] has the lowest identifier.
class Circle {
 public:
  enum class Kind { RoutersOnly, Rings };

  Circle(size_t size, Kind kind) {
    for (uint64_t member = 1; member <= size; ++member) {
      places_.push_back(std::make_unique<Place>(grid(), member, now, kind == Kind::Rings));
    }
    std::sort(places_.begin(), places_.end(), [](const auto& a, const auto& b) { return a->id() < b->id(); });
  }

  static const Grid& grid() {
    static const Grid grid;
    return grid;
  }

  size_t size() const { return places_.size(); }
  Place& operator[](size_t i) { return *places_[i % places_.size()]; }
  size_t index_of(const NodeId& node) const {
    for (size_t i = 0; i < places_.size(); ++i) {
      if (places_[i]->id() == node) return i;
    }
    return places_.size();
  }
  /// All identifiers, in ascending order.
  std::vector<NodeId> ids() const {
    std::vector<NodeId> out;
    for (const auto& place : places_) out.push_back(place->id());
    return out;
  }
  /// Those that still run.
  std::vector<NodeId> living() const {
    std::vector<NodeId> out;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (!dead.contains(i)) out.push_back(places_[i]->id());
    }
    return out;
  }
  /// Of these places, the one nearest to `goal` on the circle.
  size_t nearest(const NodeId& goal, const std::vector<size_t>& among) const {
    return *std::min_element(among.begin(), among.end(), [&](size_t a, size_t b) {
      return ring_distance(places_[a]->id(), goal) < ring_distance(places_[b]->id(), goal);
    });
  }

  struct Flight {
    size_t from;
    size_t to;
    Bytes bytes;
    Instant arrives;
  };

  /// Puts on the wire what the places want sent, unless loses() it.
  void collect() {
    for (size_t i = 0; i < places_.size(); ++i) {
      if (!dead.contains(i)) places_[i]->pump(now);
      while (auto datagram = places_[i]->links.poll_datagram()) {
        const size_t to = at(*datagram->to.endpoint);
        if (to == places_.size() || dead.contains(i) || dead.contains(to)) continue;
        if (loses && loses(i, to)) continue;
        wire.push_back({i, to, std::move(datagram->bytes), now + delay});
      }
    }
  }
  /// Delivers the oldest datagram; false if there is none that has come this far.
  bool deliver() {
    collect();
    if (wire.empty() || wire.front().arrives > now) return false;
    const Flight flight = std::move(wire.front());
    wire.pop_front();
    if (!dead.contains(flight.to)) {
      const UnixSeconds unix_now = testing::kNow + now.time_since_epoch() / 1s;
      Place& place = *places_[flight.to];
      place.links.handle_datagram(now, unix_now, places_[flight.from]->endpoint, flight.bytes);
      place.pump(now);
    }
    collect();
    return true;
  }
  void settle() {
    for (int n = 0; deliver(); ++n) {
      if (n > 100'000) {
        ADD_FAILURE() << "they never stop";
        return;
      }
    }
  }
  /// Time passes, and every datagram arrives when it should.
  void advance_to(Instant end) {
    settle();
    for (;;) {
      Instant next = wire.empty() ? kNever : wire.front().arrives;
      for (size_t i = 0; i < places_.size(); ++i) {
        if (!dead.contains(i)) next = std::min(next, places_[i]->next_timeout());
      }
      if (next > end) break;
      now = std::max(now, next);
      for (size_t i = 0; i < places_.size(); ++i) {
        if (!dead.contains(i) && places_[i]->next_timeout() <= now) places_[i]->handle_timeout(now);
      }
      settle();
    }
    now = end;
  }
  void advance(Duration duration) { advance_to(now + duration); }
  /// Time passes until `done`; false if `patience` ends first.
  bool advance_until(const std::function<bool()>& done, Duration patience) {
    for (const Instant end = now + patience; !done(); advance(100ms)) {
      if (now >= end) return false;
    }
    return true;
  }

  /// Links two places, directly, at once.
  void link(size_t a, size_t b) {
    Place& from = (*this)[a];
    Place& to = (*this)[b];
    from.links.call(now, {.path = to.endpoint, .node = to.id()}, 10s);
    const Duration usual = std::exchange(delay, Duration::zero());
    settle();
    delay = usual;
    EXPECT_TRUE(from.is_linked(to) && to.is_linked(from));
  }
  void link(const std::vector<std::pair<size_t, size_t>>& pairs) {
    for (const auto& [a, b] : pairs) link(a, b);
  }

  Instant now{1000s};
  Duration delay{};  ///< Of each datagram.
  std::deque<Flight> wire;
  std::function<bool(size_t from, size_t to)> loses;
  std::set<size_t> dead;  ///< Processes that ended without a word.

 private:
  size_t at(const Endpoint& endpoint) const {
    for (size_t i = 0; i < places_.size(); ++i) {
      if (places_[i]->endpoint == endpoint) return i;
    }
    return places_.size();
  }

  std::vector<std::unique_ptr<Place>> places_;
};

}  // namespace ipop::test
