#include "overlay/io/published.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace ipop {
namespace {

TEST(Published, ReadersSeeTheNewestValue) {
  Published<int> value(std::make_shared<int>(1));
  EXPECT_EQ(value.read(), 1);
  value.publish(std::make_shared<int>(2));
  EXPECT_EQ(value.read(), 2);
  EXPECT_EQ(*value.get(), 2);
}

TEST(Published, AReaderKeepsOneValueAliveAndNoMore) {
  auto first = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = first;
  Published<int> value(std::move(first));
  value.read();
  value.publish(std::make_shared<int>(2));
  EXPECT_FALSE(watched.expired()) << "this thread's reference must stay good until it reads again";
  value.read();
  EXPECT_TRUE(watched.expired());
}

TEST(Published, TwoOfAKindDoNotMixUpInOneThread) {
  Published<int> one(std::make_shared<int>(1));
  EXPECT_EQ(one.read(), 1);
  {
    Published<int> two(std::make_shared<int>(2));
    EXPECT_EQ(two.read(), 2);
  }
  EXPECT_EQ(one.read(), 1);
  Published<int> three(std::make_shared<int>(3));  // Possibly where `two` was.
  EXPECT_EQ(three.read(), 3);
}

TEST(Published, ReadersOnOtherThreadsNeverGoBack) {
  Published<int> value(std::make_shared<int>(0));
  constexpr int kLast = 20000;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      int last = 0;
      while (last < kLast) {
        const int now = value.read();
        ASSERT_GE(now, last);
        last = now;
      }
    });
  }
  for (int i = 1; i <= kLast; ++i) value.publish(std::make_shared<int>(i));
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace ipop
