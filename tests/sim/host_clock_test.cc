#include "overlay/sim/host_clock.h"

#include <gtest/gtest.h>

#include "overlay/base/random.h"

namespace ipop::sim {
namespace {

TEST(HostClock, WithoutDriftIsTheWorldsTime) {
  const HostClock clock;
  EXPECT_EQ(clock.at(Instant(123456789us)), Instant(123456789us));
  EXPECT_EQ(clock.when(Instant(123456789us)), Instant(123456789us));
}

TEST(HostClock, AHundredPartsPerMillionAreAHundredMicrosecondsASecond) {
  EXPECT_EQ(HostClock(100'000).at(Instant(1s)), Instant(1s + 100us));
  EXPECT_EQ(HostClock(-100'000).at(Instant(1s)), Instant(1s - 100us));
}

TEST(HostClock, WhenIsTheFirstInstantAtWhichTheDeadlineHasCome) {
  SeededRandom random(1);
  for (const int64_t rate : {-100'000, -37, 1, 12'345, 100'000}) {
    const HostClock clock(rate);
    for (int i = 0; i < 1000; ++i) {
      const Instant deadline{Duration(random.below(30ull * 86400 * 1'000'000))};
      const Instant world = clock.when(deadline);
      ASSERT_GE(clock.at(world), deadline) << rate;
      ASSERT_LT(clock.at(world - Duration(1)), deadline) << rate;
    }
  }
}

TEST(HostClock, NeverStaysNever) { EXPECT_EQ(HostClock(100'000).when(kNever), kNever); }

}  // namespace
}  // namespace ipop::sim
