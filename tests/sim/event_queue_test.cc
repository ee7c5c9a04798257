#include "overlay/sim/event_queue.h"

#include <gtest/gtest.h>

#include "overlay/base/random.h"

namespace ipop::sim {
namespace {

TEST(EventQueue, YieldsTheEarliestFirstAndAmongEqualsTheOneAddedFirst) {
  EventQueue queue;
  SeededRandom random(1);
  for (uint32_t i = 0; i < 10'000; ++i)
    queue.push(Instant(Duration(random.below(100))), Event::Kind::Arrival, i);
  Event last = queue.pop();
  while (!queue.empty()) {
    const Event next = queue.pop();
    ASSERT_GE(next.at, last.at);
    ASSERT_TRUE(next.at != last.at || next.index > last.index);
    last = next;
  }
}

TEST(EventQueue, TakesNewOnesWhileItIsWorkedOff) {
  EventQueue queue;
  queue.push(Instant(5us), Event::Kind::Wake, 5);
  queue.push(Instant(7us), Event::Kind::Wake, 7);
  EXPECT_EQ(queue.pop().index, 5u);
  queue.push(Instant(6us), Event::Kind::Arrival, 6);
  EXPECT_EQ(queue.pop().index, 6u);
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.top().index, 7u);
}

}  // namespace
}  // namespace ipop::sim
