#include "overlay/sim/svg_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(SvgPlot, TicksAreRoundNumbers) {
  EXPECT_THAT(round_ticks(0, 1, 5), ElementsAre(0, 0.2, 0.4, testing::DoubleEq(0.6), 0.8, 1));
  EXPECT_THAT(round_ticks(3, 47, 5), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(round_ticks(-1, 1, 4), ElementsAre(-1, -0.5, 0, 0.5, 1));
  for (const double to : {1e-6, 0.013, 7.0, 64.0, 99.0, 1e9}) {
    const auto ticks = round_ticks(0, to, 8);
    EXPECT_GE(ticks.size(), 3u) << to;
    EXPECT_LE(ticks.size(), 9u) << to;
  }
}

TEST(SvgPlot, ACdfClimbsFromZeroToOne) {
  EXPECT_THAT(cdf("", {3, 1}).points, ElementsAre(Pair(1, 0), Pair(1, 0.5), Pair(3, 0.5), Pair(3, 1)));
  EXPECT_THAT(cdf("", {}).points, IsEmpty());
}

TEST(SvgPlot, AHistogramHasItsGaps) {
  EXPECT_THAT(histogram("", {1, 1, 3, 3.4}).points, ElementsAre(Pair(1, 0.5), Pair(2, 0), Pair(3, 0.5)));
  EXPECT_THAT(histogram("", {}).points, IsEmpty());
}

TEST(SvgPlot, SaysWhatItShows) {
  const std::string svg = to_svg({.title = "Joins & <leaves>",
                                  .x_label = "seconds",
                                  .y_label = "share",
                                  .series = {cdf("one", {1, 2, 4}), cdf("two", {2, 3, 5})}});
  EXPECT_THAT(svg, testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(svg, HasSubstr("Joins &amp; &lt;leaves>"));
  for (const char* part : {">seconds<", ">share<", ">one<", ">two<", ">0.6<", ">5<"}) {
    EXPECT_THAT(svg, HasSubstr(part));
  }
  EXPECT_EQ(count(svg, "<polyline"), 2u);
}

TEST(SvgPlot, DrawsABarForEachPoint) {
  const std::string svg =
      to_svg({.title = "Hops", .style = Plot::Style::Bars, .series = {histogram("", {2, 3, 3, 4})}});
  EXPECT_EQ(count(svg, "<rect fill=\"#0072b2\""), 3u);
}

TEST(SvgPlot, DrawsNothingMuchOfNothing) {
  for (const Plot& plot : {Plot{}, Plot{.series = {{}}}, Plot{.series = {{"", {{1, 1}}}}}}) {
    const std::string svg = to_svg(plot);
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

}  // namespace
}  // namespace ipop::sim
