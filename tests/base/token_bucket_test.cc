#include "overlay/base/token_bucket.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

constexpr Instant at(Duration since_epoch) { return Instant(since_epoch); }

int take_all(TokenBucket& bucket, Instant now) {
  int taken = 0;
  while (bucket.take(now)) ++taken;
  return taken;
}

TEST(TokenBucket, StartsFull) {
  TokenBucket bucket(100ms, 5);
  EXPECT_EQ(take_all(bucket, at(0ms)), 5);
}

TEST(TokenBucket, EarnsOneEachInterval) {
  TokenBucket bucket(100ms, 5);
  take_all(bucket, at(1000s));
  EXPECT_FALSE(bucket.take(at(1000s + 99ms)));
  EXPECT_TRUE(bucket.take(at(1000s + 100ms)));
  EXPECT_FALSE(bucket.take(at(1000s + 199ms)));
  EXPECT_EQ(take_all(bucket, at(1000s + 400ms)), 3);
}

TEST(TokenBucket, PartsOfAnIntervalAreNotLost) {
  TokenBucket bucket(100ms, 5);
  take_all(bucket, at(1000s));
  EXPECT_TRUE(bucket.take(at(1000s + 150ms)));
  EXPECT_TRUE(bucket.take(at(1000s + 200ms))) << "The 50 ms left over count.";
}

TEST(TokenBucket, NeverHoldsMoreThanTheBurst) {
  TokenBucket bucket(100ms, 5);
  take_all(bucket, at(1000s));
  EXPECT_EQ(take_all(bucket, at(2000s)), 5);
  EXPECT_EQ(take_all(bucket, at(2000s + 450ms)), 4);
}

TEST(TokenBucket, LongRunRateIsTheInterval) {
  TokenBucket bucket(10ms, 3);
  int taken = 0;
  for (Duration t = 1000s; t < 1010s; t += 1ms) taken += bucket.take(at(t)) ? 1 : 0;
  EXPECT_NEAR(taken, 1000, 3);
}

}  // namespace
}  // namespace ipop
