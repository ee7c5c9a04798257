// Small experiments; what large ones find out is in docs/results.
#include "overlay/sim/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

Scenario scenario_of(const std::string& phases, const std::string& more = "") {
  auto scenario = parse_scenario("test", "{" + more + "\"phases\": [" + phases + "]}");
  EXPECT_TRUE(scenario) << scenario.error().text;
  return *scenario;
}

const std::string kRing = R"({"do": "start", "nodes": 24, "per_s": 20}, {"do": "settle", "within_s": 60})";

struct Outcome {
  Figures figures;
  std::string json;
  std::string svg;
  double operator[](const char* name) const {
    const auto value = figures.get(name);
    EXPECT_TRUE(value) << name;
    return value.value_or(-1);
  }
};

Outcome outcome_of(const Scenario& scenario, uint64_t seed = 1, Gauges gauges = {}) {
  Experiment experiment(scenario, seed, std::move(gauges));
  experiment.run();
  return {experiment.figures(), experiment.figures().to_json(scenario.name, seed), to_svg(experiment.plot())};
}

TEST(Experiment, TheSameSeedGivesTheSameFiguresAndTheSameDatagrams) {
  const Scenario scenario = scenario_of(
      R"({"do": "start", "nodes": 32, "per_s": 50}, {"do": "run", "s": 3},
         {"do": "trace", "traces": 20, "per_s": 100, "figure": "lookup_ok"},
         {"do": "churn", "median_s": 20, "s": 2, "per_s": 10}, {"do": "restart", "within_s": 1})",
      R"("loss": 0.01, "drift_ppm": 50, "deaf_pairs": 0.05, )");
  const Outcome first = outcome_of(scenario, 7);
  const Outcome second = outcome_of(scenario, 7);
  EXPECT_EQ(first.json, second.json);
  EXPECT_EQ(first["digest"], second["digest"]);
  EXPECT_NE(first["digest"], outcome_of(scenario, 8)["digest"]);
}

TEST(Experiment, GaugesSeeTheRunAndDoNotChangeIt) {
  const Scenario scenario = scenario_of(kRing + R"(, {"do": "run", "s": 5, "measure": true})");
  int calls = 0;
  const Outcome watched = outcome_of(scenario, 1,
                                     {.heap = [] { return 1 << 20; },
                                      .progress =
                                          [&](const Gauges::Progress& progress) {
                                            ++calls;
                                            EXPECT_EQ(progress.phases, 3u);
                                            EXPECT_LE(progress.running, 24u);
                                          }});
  EXPECT_GE(calls, 5);
  EXPECT_EQ(watched["heap_kb_mean"], 0) << "the gauge stands still";
  const Outcome alone = outcome_of(scenario);
  EXPECT_EQ(watched["digest"], alone["digest"]);
  EXPECT_FALSE(alone.figures.get("heap_kb_mean"));
}

TEST(Experiment, ASteadyRingIsMeasured) {
  const Outcome outcome = outcome_of(scenario_of(
      kRing +
      R"(, {"do": "run", "s": 30}, {"do": "trace", "traces": 100, "per_s": 100, "figure": "lookup_ok"},
                 {"do": "run", "s": 30, "measure": true})"));
  EXPECT_EQ(outcome["nodes"], 24);
  EXPECT_GT(outcome["idle_bytes_per_s"], 10);
  EXPECT_LT(outcome["idle_bytes_per_s"], 10'000);
  EXPECT_GE(outcome["links_mean"], 6);
  EXPECT_LE(outcome["links_mean"], 23);
  EXPECT_EQ(outcome["lookup_ok"], 1);
  EXPECT_EQ(outcome["traces"], 100);
  EXPECT_GT(outcome["hops_mean"], 0.5);
  EXPECT_LT(outcome["hops_mean"], 4);
  EXPECT_GT(outcome["virtual_s"], 61);
  EXPECT_GT(outcome["events"], 1000);
}

TEST(Experiment, SingleJoinsAreTimedAndDrawn) {
  const Outcome outcome = outcome_of(
      scenario_of(kRing + R"(, {"do": "join", "nodes": 10})",
                  R"("plot": {"kind": "cdf", "of": "join_s", "title": "Joins", "x": "s", "y": "share"},)"));
  EXPECT_EQ(outcome["joins"], 10);
  EXPECT_EQ(outcome["join_failed"], 0);
  EXPECT_EQ(outcome["join_trace_failed"], 0);
  EXPECT_GT(outcome["join_s_p50"], 0.05);
  EXPECT_LE(outcome["join_s_p50"], outcome["join_s_p99"]);
  EXPECT_LE(outcome["join_s_p99"], outcome["join_s_max"]);
  EXPECT_LT(outcome["join_s_max"], 10);
  EXPECT_EQ(outcome["nodes"], 24) << "each has left";
  EXPECT_THAT(outcome.svg, testing::HasSubstr("<polyline"));
}

TEST(Experiment, AColdStartOfAllAtOnceConverges) {
  const Outcome outcome = outcome_of(scenario_of(R"({"do": "start", "nodes": 16, "same_introducers": true},
                               {"do": "settle", "within_s": 60, "figure": "converged_s"})"));
  EXPECT_GT(outcome["converged_s"], 0.1);
  EXPECT_LT(outcome["converged_s"], 30);
}

TEST(Experiment, ARingHealsAfterDeaths) {
  const Outcome outcome = outcome_of(scenario_of(kRing + R"(, {"do": "kill", "share": 0.25},
         {"do": "trace", "traces": 50, "per_s": 100, "exact": true, "after_s": 20, "figure": "delivered"},
         {"do": "settle", "within_s": 60, "figure": "repaired_s"})"));
  EXPECT_EQ(outcome["nodes"], 18);
  EXPECT_GT(outcome["repaired_s"], 1);
  EXPECT_EQ(outcome["delivered"], 1);
}

TEST(Experiment, WhatDoesNotSettleInTimeNeverHappened) {
  const Outcome outcome = outcome_of(scenario_of(
      R"({"do": "start", "nodes": 8}, {"do": "settle", "within_s": 0.02, "figure": "converged_s"})"));
  EXPECT_FALSE(outcome.figures.get("converged_s"));
  EXPECT_THAT(outcome.json, testing::HasSubstr("\"converged_s\": null"));
}

TEST(Experiment, AllRestartWithTheirMemoriesAlone) {
  const Outcome outcome =
      outcome_of(scenario_of(kRing + R"(, {"do": "run", "s": 20}, {"do": "restart", "within_s": 1},
         {"do": "settle", "within_s": 60, "figure": "converged_s"})"));
  EXPECT_EQ(outcome["nodes"], 24);
  EXPECT_GT(outcome["converged_s"], 0.1);
}

TEST(Experiment, PartsOfTheInternetKeepTheirRingsAndMergeThem) {
  const Outcome outcome = outcome_of(
      scenario_of(kRing + R"(, {"do": "run", "s": 20}, {"do": "split", "groups": 2}, {"do": "run", "s": 60},
                 {"do": "settle", "within_s": 0, "figure": "split_s"},
                 {"do": "heal"}, {"do": "settle", "within_s": 300, "figure": "merged_s"})"));
  EXPECT_GT(outcome["split_s"], 1);
  EXPECT_GT(outcome["merged_s"], 0.1);
}

}  // namespace
}  // namespace ipop::sim
