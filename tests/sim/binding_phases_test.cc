#include <gtest/gtest.h>

#include "overlay/sim/experiment.h"

namespace ipop::sim {
namespace {

Figures figures_of(const std::string& kill, uint64_t seed = 1) {
  const auto scenario = parse_scenario("test", R"({"subnet": "10.64.0.0/20", "phases": [
      {"do": "start", "nodes": 60, "per_s": 20}, {"do": "run", "s": 430},
      {"do": "bind", "guests": 3, "per_s": 60, "within_s": 60},
      {"do": "lookup", "lookups": 100, "per_s": 50}, )" +
                                                   kill + "]}");
  EXPECT_TRUE(scenario) << scenario.error().text;
  Experiment experiment(*scenario, seed);
  experiment.run();
  return experiment.figures();
}

TEST(BindingPhases, WhatIsBoundIsFoundAndOutlivesFourOfFiveReplicas) {
  const Figures figures = figures_of(R"({"do": "kill-replicas", "samples": 4, "per_s": 10, "within_s": 60})");
  const auto figure = [&](const char* name) { return figures.get(name).value(); };
  EXPECT_EQ(figure("bindings"), 180);
  EXPECT_EQ(figure("published"), 1);
  EXPECT_EQ(figure("records"), 360);
  EXPECT_NEAR(figure("copies_mean"), 5, 0.01);
  EXPECT_GT(figure("load_max_over_mean"), 1.2);
  EXPECT_LT(figure("load_max_over_mean"), 5);
  EXPECT_GT(figure("lookups"), 80) << "100, less those that found nobody to ask";
  EXPECT_EQ(figure("lookup_found"), 1);
  EXPECT_GT(figure("lookup_rtt_p50"), 0.3);
  EXPECT_LT(figure("lookup_rtt_p50"), 1.5);
  EXPECT_LE(figure("lookup_rtt_p50"), figure("lookup_rtt_p99"));
  EXPECT_NEAR(figure("lookup_direct_p50") * figure("direct_rtt_ms"),
              figure("lookup_rtt_p50") * figure("ring_rtt_ms"), 1e-6);
  EXPECT_GT(figure("ring_rtt_ms"), figure("direct_rtt_ms"));
  EXPECT_EQ(figure("killed"), 4 * figure("sampled"));
  EXPECT_GE(figure("sampled"), 3);
  EXPECT_GT(figure("handed_over_s"), 1);
  EXPECT_EQ(figure("lost"), 0);
  EXPECT_EQ(figure("copies_least"), 5);
  EXPECT_EQ(figure("not_answered"), 0);
}

/// With this seed no holder is a neighbour of those that die: it would have new neighbours, and write it
/// again.
TEST(BindingPhases, WhatAllFiveHadIsLost) {
  const Figures figures =
      figures_of(R"({"do": "kill-replicas", "samples": 2, "survivors": 0, "per_s": 10, "within_s": 60})", 2);
  const auto figure = [&](const char* name) { return figures.get(name).value(); };
  EXPECT_EQ(figure("killed"), 10);
  EXPECT_EQ(figure("sampled"), 2);
  EXPECT_EQ(figure("lost"), 2);
  EXPECT_EQ(figure("copies_least"), 0);
  EXPECT_EQ(figure("not_answered"), 2);
}

}  // namespace
}  // namespace ipop::sim
