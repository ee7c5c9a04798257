// What is going to happen in a simulation, in order: a binary heap of small entries.
//
// Two things at one instant happen in the order in which they were added, so a run depends on nothing but its
// seed.  An entry cannot be taken back: its owner sees that it is out of date when it comes up, and passes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/base/assert.h"
#include "overlay/base/time.h"

namespace ipop::sim {

struct Event {
  enum class Kind : uint32_t {
    Arrival,  ///< `index` is that of a datagram in flight.
    Wake,     ///< `index` is that of a host.
  };

  Instant at;
  uint64_t order;  ///< Filled in by the queue.
  Kind kind;
  uint32_t index;
};

class EventQueue {
 public:
  void push(Instant at, Event::Kind kind, uint32_t index) {
    heap_.push_back({.at = at, .order = next_order_++, .kind = kind, .index = index});
    std::push_heap(heap_.begin(), heap_.end(), IsLater());
  }

  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  /// REQUIRES: !empty().
  const Event& top() const { return heap_.front(); }
  /// REQUIRES: !empty().
  Event pop() {
    IPOP_ASSERT(!heap_.empty());
    std::pop_heap(heap_.begin(), heap_.end(), IsLater());
    const Event event = heap_.back();
    heap_.pop_back();
    return event;
  }

 private:
  /// A type of its own, so that the heap's functions have it inline.
  struct IsLater {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  std::vector<Event> heap_;
  uint64_t next_order_ = 0;
};

}  // namespace ipop::sim
