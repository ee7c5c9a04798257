#include "overlay/io/text.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

TEST(Text, PutsTimesForPeople) {
  EXPECT_EQ(milliseconds(1234us), "1.2 ms");
  EXPECT_EQ(milliseconds(std::nullopt), "-");
  EXPECT_EQ(roughly(119s), "119 s");
  EXPECT_EQ(roughly(120s), "2 min");
  EXPECT_EQ(roughly(7199s), "119 min");
  EXPECT_EQ(roughly(7200s), "2 h");
  EXPECT_EQ(roughly(172800s), "2 d");
  EXPECT_EQ(whole_seconds(1999ms), 1);
  EXPECT_EQ(or_dash(""), "-");
  EXPECT_EQ(or_dash("x"), "x");
}

TEST(Text, CutsALineThatIsTooLong) { EXPECT_EQ(format("%600s", "x").size(), 511u); }

}  // namespace
}  // namespace ipop
