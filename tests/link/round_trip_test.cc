#include "overlay/link/round_trip.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

TEST(RoundTrip, BeforeTheFirstSampleIsUnknown) {
  const RoundTrip link;
  EXPECT_EQ(link.smoothed(), std::nullopt);
  EXPECT_EQ(link.retry_timeout(), 1s);  // RFC 6298 (2.1).
}

TEST(RoundTrip, TheFirstSampleIsBelievedWithHalfOfItAsItsVariation) {  // RFC 6298 (2.2).
  RoundTrip link;
  link.add(80ms);
  EXPECT_EQ(link.smoothed(), 80ms);
  EXPECT_EQ(link.retry_timeout(), 240ms);  // 80 + 4 x 40.
}

TEST(RoundTrip, LaterSamplesMoveItByAnEighth) {  // RFC 6298 (2.3): the variation first, with the old mean.
  RoundTrip link;
  link.add(80ms);
  link.add(160ms);
  // Variation 40 + (|80 - 160| - 40) / 4 = 50; mean 80 + (160 - 80) / 8 = 90.
  EXPECT_EQ(link.smoothed(), 90ms);
  EXPECT_EQ(link.retry_timeout(), 290ms);
  link.add(10ms);
  // Variation 50 + (|90 - 10| - 50) / 4 = 57.5; mean 90 + (10 - 90) / 8 = 80.
  EXPECT_EQ(link.smoothed(), 80ms);
  EXPECT_EQ(link.retry_timeout(), 310ms);
}

TEST(RoundTrip, TimeoutHasAFloor) {
  RoundTrip link;
  link.add(0us);
  EXPECT_EQ(link.smoothed(), Duration::zero());
  EXPECT_EQ(link.retry_timeout(), 150ms) << "the peer needs time, too";
  RoundTrip near;
  near.add(50ms);
  EXPECT_EQ(near.retry_timeout(), 150ms);  // 50 + 4 x 25: right on it.
}

TEST(RoundTrip, TimeoutHasACeiling) {
  RoundTrip link;
  link.add(333ms);
  EXPECT_EQ(link.retry_timeout(), 999ms);  // 333 + 4 x 166.5.
  RoundTrip far;
  far.add(334ms);
  EXPECT_EQ(far.retry_timeout(), 1s);
  far.add(30s);
  EXPECT_EQ(far.retry_timeout(), 1s);
}

TEST(RoundTrip, OfASteadyLinkComesCloseToItsMean) {
  RoundTrip link;
  for (int i = 0; i < 50; ++i) link.add(200ms);
  EXPECT_EQ(link.smoothed(), 200ms);
  EXPECT_NEAR(static_cast<double>(link.retry_timeout().count()), 200'000, 100);
}

TEST(RoundTrip, OfAJumpyLinkStaysPatient) {
  RoundTrip link;
  for (int i = 0; i < 100; ++i) link.add(i % 2 == 0 ? 20ms : 100ms);
  EXPECT_GT(link.retry_timeout(), 150ms) << "no sample is a surprise to it";
  EXPECT_LT(link.retry_timeout(), 300ms);
}

}  // namespace
}  // namespace ipop
