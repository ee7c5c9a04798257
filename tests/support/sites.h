// Two ends of a link, and the wire between them as the test's own hands: nothing arrives and no time passes
// unless the test says so.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "overlay/link/links.h"
#include "tests/support/grid.h"
#include "tests/support/recorders.h"

namespace ipop::test {

/// Over all reasons.
inline uint64_t all_refused(const ErrorCounters& counters) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kErrorCount; ++i) sum += counters.get(static_cast<Error>(i));
  return sum;
}

/// One process of a member, and where it sends from.
class Site {
 public:
  Site(const Grid& grid, uint64_t member, Endpoint where, Link::Options options)
      : endpoint(where), grid_(grid), member_(member), options_(options), random_(77 + member) {
    start();
  }

  /// The process dies without a word, and another one starts with the same invite.
  void restart() {
    ++incarnation_;
    start();
  }

  Links& links() { return *links_; }
  const NodeId& id() const { return credentials_->id; }
  const Credentials& credentials() const { return *credentials_; }
  const Link* link_to(const Site& other) const {
    const auto entry = links_->all().find(other.id());
    return entry == links_->all().end() ? nullptr : &entry->second;
  }
  /// How many events of this kind there were.
  template <class Event>
  size_t count() const {
    return static_cast<size_t>(std::count_if(events.begin(), events.end(), [](const auto& event) {
      return std::holds_alternative<Event>(event);
    }));
  }
  /// The last event, if it is of this kind.
  template <class Event>
  const Event* last() const {
    return events.empty() ? nullptr : std::get_if<Event>(&events.back());
  }

  Endpoint endpoint;
  LogLines log;
  ErrorCounters refused;
  std::vector<Links::Event> events;

 private:
  void start() {
    links_.reset();
    credentials_.emplace(grid_.member(member_, incarnation_));
    links_.emplace(*credentials_, options_, random_, log, refused);
  }

  const Grid& grid_;
  uint64_t member_;
  uint64_t incarnation_ = 0;
  Link::Options options_;
  SeededRandom random_;
  std::optional<Credentials> credentials_;
  std::optional<Links> links_;
};

/// A datagram on its way: of the Internet, or carried by a ring that is not drawn here.
struct Flight {
  Path from;
  Path to;
  Bytes bytes;

  wire::Type type() const { return *wire::peek_type(bytes); }
};

class Pair {
 public:
  explicit Pair(Link::Options options = {})
      : alpha(grid(), 1, Endpoint::from_ipv4({0xc0000201}, 1001), options),
        beta(grid(), 2, Endpoint::from_ipv4({0xc6336401}, 1002), options) {}

  static const Grid& grid() {
    static const Grid grid;
    return grid;
  }

  /// Puts on the wire what the sites want sent, unless loses() it, and notes their events.
  void collect() {
    for (Site* site : {&alpha, &beta}) {
      while (auto event = site->links().poll_event()) site->events.push_back(std::move(*event));
      while (auto datagram = site->links().poll_datagram()) {
        put({site->endpoint, datagram->to, std::move(datagram->bytes)});
      }
      while (auto datagram = site->links().poll_ring_datagram()) {
        put({Path::over_ring(site->id()), datagram->to, std::move(datagram->bytes)});
      }
    }
  }
  void arrive(const Flight& flight) {
    const UnixSeconds unix_now = testing::kNow + now.time_since_epoch() / 1s;
    for (Site* site : {&alpha, &beta}) {
      if (flight.to == site->endpoint || flight.to == Path::over_ring(site->id()))
        site->links().handle_datagram(now, unix_now, flight.from, flight.bytes);
    }
    collect();
  }
  /// The oldest datagram of the wire, without delivering it.
  Flight take() {
    collect();
    EXPECT_FALSE(wire.empty());
    if (wire.empty()) return {};
    Flight out = std::move(wire.front());
    wire.pop_front();
    return out;
  }
  /// Delivers the oldest datagram; false if there is none.
  bool deliver() {
    collect();
    if (wire.empty()) return false;
    arrive(take());
    return true;
  }
  /// Delivers all, and what comes of it.
  void settle() {
    int n = 0;
    while (deliver()) {
      if (++n > 10'000) {
        ADD_FAILURE() << "the two never stop";
        return;
      }
    }
  }
  Instant next_timeout() { return std::min(alpha.links().next_timeout(), beta.links().next_timeout()); }
  /// Whoever is due is visited, nothing delivered.
  void visit() {
    for (Site* site : {&alpha, &beta}) {
      if (site->links().next_timeout() <= now) site->links().handle_timeout(now);
    }
    collect();
  }
  /// Time passes, and every datagram arrives at once.
  void advance_to(Instant end, const std::function<void()>& at_each_step = {}) {
    settle();
    while (next_timeout() <= end) {
      now = std::max(now, next_timeout());
      visit();
      while (deliver()) {
        if (at_each_step) at_each_step();
      }
      if (at_each_step) at_each_step();
    }
    now = end;
  }
  void advance(Duration duration) { advance_to(now + duration); }

  void call(Site& from, Site& to, Duration patience = 10s) {
    from.links().call(now, {.path = to.endpoint, .node = to.id()}, patience);
  }
  void call_over_ring(Site& from, Site& to, Duration patience = 10s) {
    const Dial::Target target{.path = Path::over_ring(to.id()), .node = to.id(), .first_retry = 2s};
    from.links().call(now, target, patience);
  }
  void connect_over_ring() {
    call_over_ring(alpha, beta);
    settle();
    EXPECT_TRUE(can_send(alpha, beta) && can_send(beta, alpha));
  }
  void connect() {
    call(alpha, beta);
    settle();
    EXPECT_TRUE(can_send(alpha, beta) && can_send(beta, alpha));
  }
  bool can_send(const Site& from, const Site& to) const {
    const Link* link = from.link_to(to);
    return link != nullptr && link->sending() != nullptr;
  }
  /// A frame crosses right now, overtaking whatever is on the wire.
  ::testing::AssertionResult frame_crosses(Site& from, Site& to) {
    collect();
    const Bytes frame = {static_cast<uint8_t>(++frames_), 2, 3};
    if (!from.links().send_frame(now, to.id(), frame)) return ::testing::AssertionFailure() << "cannot send";
    const size_t events = to.events.size();
    collect();
    const Flight flight = wire.back();
    wire.pop_back();
    arrive(flight);
    for (size_t i = events; i < to.events.size(); ++i) {
      const auto* arrived = std::get_if<Links::Frame>(&to.events[i]);
      if (arrived && arrived->from == from.id() && arrived->frame == frame)
        return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "not opened";
  }

  Site alpha, beta;
  Instant now{10s};
  std::deque<Flight> wire;
  std::function<bool(const Flight&)> loses;

 private:
  void put(Flight flight) {
    if (!loses || !loses(flight)) wire.push_back(std::move(flight));
  }

  int frames_ = 0;
};

}  // namespace ipop::test
