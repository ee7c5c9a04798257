#include "overlay/io/queues.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <functional>

namespace ipop {
namespace {

bool is_readable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

TEST(CoreQueue, KeepsOrderAndWakesItsReader) {
  PortCounters counters;
  CoreQueue queue(counters);
  EXPECT_FALSE(is_readable(queue.wakeup().fd()));
  queue.guest_frame(Bytes{1, 2, 3});
  queue.datagram(*Endpoint::parse("192.0.2.1:5"), Bytes{4});
  queue.quiet({});
  queue.too_long(Bytes{5, 6}, 1268);
  EXPECT_TRUE(is_readable(queue.wakeup().fd()));

  const auto entries = queue.take_all();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(std::get<CoreQueue::GuestFrame>(entries[0]).frame, (Bytes{1, 2, 3}));
  EXPECT_EQ(std::get<CoreQueue::Datagram>(entries[1]).from.to_string(), "192.0.2.1:5");
  EXPECT_TRUE(std::holds_alternative<CoreQueue::Quiet>(entries[2]));
  EXPECT_EQ(std::get<CoreQueue::TooLong>(entries[3]).head, (Bytes{5, 6}));
  EXPECT_EQ(std::get<CoreQueue::TooLong>(entries[3]).max_frame, 1268u);
  EXPECT_FALSE(is_readable(queue.wakeup().fd()));
  EXPECT_TRUE(queue.take_all().empty());
}

TEST(CoreQueue, IsBoundedInEntriesAndInOctets) {
  PortCounters counters;
  CoreQueue queue(counters);
  for (size_t i = 0; i < CoreQueue::kMaxEntries + 10; ++i) queue.quiet({});
  EXPECT_EQ(queue.take_all().size(), CoreQueue::kMaxEntries);
  EXPECT_EQ(counters.core_full, 10u);

  const Bytes large(64 * 1024);
  const auto control = [&] { queue.opened(1, {}, wire::Type::Control, large); };
  for (size_t i = 0; i < CoreQueue::kMaxBytes / large.size() + 5; ++i) control();
  EXPECT_EQ(queue.take_all().size(), CoreQueue::kMaxBytes / large.size());
  EXPECT_EQ(counters.core_full, 15u);
  queue.guest_frame(large);
  EXPECT_EQ(queue.take_all().size(), 1u) << "taking makes room";
}

TEST(CoreQueue, WhoeverReadsItDoesNotSleepOnceItStops) {
  PortCounters counters;
  CoreQueue queue(counters);
  EXPECT_FALSE(queue.is_stopping());
  queue.stop();
  queue.take_all();  // The reader had seen that it is not to stop just before.
  EXPECT_TRUE(is_readable(queue.wakeup().fd()));
  EXPECT_TRUE(queue.is_stopping());
}

TEST(CoreQueue, HasAReserveForControlMessages) {
  const Endpoint from = *Endpoint::parse("192.0.2.1:5");
  for (const size_t size : {size_t{16}, size_t{64 * 1024}}) {
    const Bytes bytes(size);
    const size_t most = std::min(CoreQueue::kMaxUnreserved, CoreQueue::kMaxUnreservedBytes / size);
    const auto puts = std::to_array<std::function<void(CoreQueue&)>>({
        [&](CoreQueue& queue) { queue.guest_frame(bytes); },
        [&](CoreQueue& queue) { queue.datagram(from, bytes); },
        [&](CoreQueue& queue) { queue.opened(1, from, wire::Type::Data, bytes); },
    });
    for (const auto& put : puts) {
      PortCounters counters;
      CoreQueue queue(counters);
      for (size_t i = 0; i < most + 7; ++i) put(queue);
      EXPECT_EQ(counters.core_full, 7u);
      queue.opened(1, from, wire::Type::Control, bytes);
      EXPECT_EQ(queue.take_all().size(), most + 1);
    }
  }
}

TEST(GuestQueue, IsReadableExactlyWhileItHoldsFrames) {
  PortCounters counters;
  GuestQueue queue(counters);
  EXPECT_FALSE(queue.take());
  queue.put({1});
  queue.put({2});
  EXPECT_TRUE(is_readable(queue.wakeup_fd()));
  EXPECT_EQ(*queue.take(), Bytes{1});
  EXPECT_TRUE(is_readable(queue.wakeup_fd()));
  EXPECT_EQ(*queue.take(), Bytes{2});
  EXPECT_FALSE(is_readable(queue.wakeup_fd()));
  for (size_t i = 0; i < GuestQueue::kMaxFrames + 3; ++i) queue.put({0});
  EXPECT_EQ(counters.rx_dropped, 3u);
}

}  // namespace
}  // namespace ipop
