#include "overlay/ring/shortcut_draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/ring/testing.h"

namespace ipop {
namespace {

using ring_testing::at;

TEST(WantedShortcuts, AreHalfTheLogarithmOfTheSize) {
  EXPECT_EQ(wanted_shortcuts(1), 0u);
  EXPECT_EQ(wanted_shortcuts(7), 0u) << "three neighbours on each side are the whole ring";
  EXPECT_EQ(wanted_shortcuts(8), 1u);  // log2 8 / 2 = 1.5
  EXPECT_EQ(wanted_shortcuts(15.9), 1u);
  EXPECT_EQ(wanted_shortcuts(16), 2u);      // 2
  EXPECT_EQ(wanted_shortcuts(1024), 5u);    // 5
  EXPECT_EQ(wanted_shortcuts(10'000), 6u);  // 6.64
}

TEST(WantedShortcuts, OfAnAbsurdEstimateAreFew) { EXPECT_LE(wanted_shortcuts(1e18), 30u); }

// Density 1 / (d ln n) on [1/n, 1]: each halving of the distance is drawn equally often.
TEST(DrawShortcut, DrawsEachOctaveEquallyOften) {
  SeededRandom random(1);
  constexpr int kDraws = 100'000;
  constexpr double kSize = 1024;  // Ten octaves, from 2^-10 to 1.
  const NodeId self = at(0xbeef);
  std::map<int, int> octaves;
  for (int i = 0; i < kDraws; ++i) {
    const double d = clockwise_distance(self, draw_shortcut(self, kSize, random)).fraction();
    ++octaves[static_cast<int>(std::floor(std::log2(d)))];
  }
  ASSERT_EQ(octaves.size(), 10u);
  // 10 000 expected in each, standard deviation 95: five of them.
  for (int octave = -10; octave <= -1; ++octave)
    EXPECT_NEAR(octaves[octave], kDraws / 10, 475) << "2^" << octave;
}

TEST(DrawShortcut, GoesClockwiseFromWhereverWeAre) {
  SeededRandom one(3), other(3);
  for (int i = 0; i < 1000; ++i) {
    const NodeId here = at(0xfff0), there = at(0x1234);
    EXPECT_EQ(clockwise_distance(here, draw_shortcut(here, 100, one)),
              clockwise_distance(there, draw_shortcut(there, 100, other)))
        << "the same luck, the same distance";
  }
}

TEST(DrawShortcut, LeavesTheNearestToTheNeighbours) {
  SeededRandom random(5);
  const NodeId self = at(0);
  for (const double size : {8.0, 100.0, 10'000.0}) {
    for (int i = 0; i < 10'000; ++i) {
      const double d = clockwise_distance(self, draw_shortcut(self, size, random)).fraction();
      EXPECT_GE(d, 1 / size * (1 - 1e-9));
      EXPECT_LT(d, 1.0);
    }
  }
}

}  // namespace
}  // namespace ipop
