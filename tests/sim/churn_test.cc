#include <gtest/gtest.h>

#include "overlay/sim/experiment.h"

namespace ipop::sim {
namespace {

TEST(Churn, KeepsTheSizeReplacesTheDeadAndCountsLookups) {
  const auto scenario = parse_scenario("test", R"({"phases": [
      {"do": "start", "nodes": 30, "per_s": 40}, {"do": "settle", "within_s": 60},
      {"do": "churn", "median_s": 40, "warm_up_s": 10, "s": 30, "per_s": 10}]})");
  ASSERT_TRUE(scenario) << scenario.error().text;
  Experiment experiment(*scenario, 1);
  experiment.run();
  const auto figure = [&](const char* name) { return experiment.figures().get(name).value(); };
  EXPECT_EQ(figure("nodes"), 30);
  // 30 nodes, 40 s, a mean of 40 / ln 2 = 58 s: about 21 deaths, give or take 5.
  EXPECT_GT(figure("deaths"), 8);
  EXPECT_LT(figure("deaths"), 45);
  EXPECT_GT(figure("lookups"), 250) << "300, less those whose source died";
  EXPECT_LE(figure("lookups"), 300);
  EXPECT_GT(figure("lookup_ok"), 0.7);
  EXPECT_LE(figure("lookup_ok"), figure("lookup_answered"));
  EXPECT_GT(figure("bytes_per_s"), 100);
}

}  // namespace
}  // namespace ipop::sim
