#include "overlay/sim/internet.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ipop::sim {
namespace {

Internet internet_of(uint32_t hosts, InternetOptions options) {
  Internet out(options);
  for (uint32_t i = 0; i < hosts; ++i) EXPECT_EQ(out.add_host(), i);
  return out;
}

std::vector<Duration> round_trips(uint64_t seed) {
  constexpr uint32_t kHosts = 1000;
  Internet internet = internet_of(kHosts, {.seed = seed, .latency = Latency::Plane});
  SeededRandom random(seed);
  std::vector<Duration> out;
  while (out.size() < 50'000) {
    const auto a = static_cast<uint32_t>(random.below(kHosts));
    const auto b = static_cast<uint32_t>(random.below(kHosts));
    if (a != b) out.push_back(*internet.carry(a, b) + *internet.carry(b, a));
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Internet, RoundTripsOnThePlaneAreThoseOfTheInternet) {
  for (const uint64_t seed : {1, 2, 3, 4, 5}) {
    const auto sorted = round_trips(seed);
    const auto share = [&](double q) { return sorted[static_cast<size_t>(q * double(sorted.size()))]; };
    EXPECT_GE(share(0.5), 80ms) << seed;
    EXPECT_LE(share(0.5), 100ms) << seed;
    EXPECT_GE(share(0.01), 10ms) << seed;
    EXPECT_GE(share(0.99), 300ms) << seed;
    EXPECT_LE(share(0.99), 600ms) << seed;
    EXPECT_GE(share(0.998), 400ms) << seed;
    EXPECT_LE(sorted.back(), 1200ms) << seed;
  }
}

TEST(Internet, OnThePlaneDatagramsOvertakeEachOtherByALittle) {
  Internet internet = internet_of(2, {.latency = Latency::Plane});
  bool overtakes = false;
  Duration last = 0us;
  for (int i = 0; i < 1000; ++i) {
    const Duration now = *internet.carry(0, 1);
    EXPECT_GE(now, internet.delay(0, 1));
    EXPECT_LE(now, internet.delay(0, 1) + 20ms);
    overtakes |= now < last;
    last = now;
  }
  EXPECT_TRUE(overtakes);
}

TEST(Internet, WhereAHostIsDoesNotDependOnWhatWasCarried) {
  const InternetOptions options{.seed = 3, .latency = Latency::Plane};
  Internet a = internet_of(3, options);
  Internet b(options);
  b.add_host();
  b.add_host();
  b.carry(0, 1);
  b.add_host();
  EXPECT_EQ(a.delay(0, 2), b.delay(0, 2));
  EXPECT_EQ(a.delay(0, 2), a.delay(2, 0));
}

TEST(Internet, UniformLatencyKeepsItsBounds) {
  Internet internet = internet_of(2, {.latency_min = 5ms, .latency_max = 6ms});
  for (int i = 0; i < 1000; ++i) {
    const Duration now = *internet.carry(0, 1);
    EXPECT_GE(now, 5ms);
    EXPECT_LE(now, 6ms);
  }
}

TEST(Internet, LosesTheShareItIsTold) {
  Internet internet = internet_of(2, {.loss = 0.25});
  int lost = 0;
  for (int i = 0; i < 10'000; ++i) lost += !internet.carry(0, 1);
  EXPECT_NEAR(lost, 2500, 150);
}

TEST(Internet, DeafPairsAreTheShareItIsToldBothWaysAndForGood) {
  Internet internet = internet_of(200, {.seed = 4, .deaf_pairs = 0.3});
  int deaf = 0;
  for (uint32_t a = 0; a < 200; ++a) {
    for (uint32_t b = 0; b < a; ++b) {
      deaf += !internet.can_talk(a, b);
      EXPECT_EQ(internet.can_talk(a, b), internet.can_talk(b, a));
      EXPECT_EQ(internet.carry(a, b).has_value(), internet.can_talk(a, b));
    }
    EXPECT_TRUE(internet.can_talk(a, a));
  }
  EXPECT_NEAR(deaf, 0.3 * 199 * 100, 300);
}

TEST(Internet, GroupsAreCutFromEachOtherUntilHealed) {
  Internet internet = internet_of(4, {});
  internet.set_group(2, 1);
  internet.set_group(3, 1);
  EXPECT_TRUE(internet.can_talk(0, 1));
  EXPECT_TRUE(internet.can_talk(2, 3));
  EXPECT_FALSE(internet.can_talk(1, 2));
  EXPECT_FALSE(internet.carry(0, 3).has_value());
  internet.heal();
  EXPECT_TRUE(internet.carry(0, 3).has_value());
}

TEST(Internet, ACutEndsWithTheMending) {
  Internet internet = internet_of(3, {});
  internet.cut(2, 0);
  EXPECT_FALSE(internet.can_talk(0, 2));
  EXPECT_TRUE(internet.can_talk(0, 1));
  internet.mend(0, 2);
  EXPECT_TRUE(internet.can_talk(2, 0));
}

}  // namespace
}  // namespace ipop::sim
