#include "overlay/sim/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

using ::testing::HasSubstr;

TEST(Scenario, SaysWhatTheExperimentDoes) {
  const auto scenario = parse_scenario("mine", R"({
    "about": "One of mine.", "latency": "uniform", "loss": 0.01, "deaf_pairs": 0.3, "drift_ppm": 50, "clocks_s": 20, "rekey_s": 60,
    "subnet": "10.64.0.0/12",
    "phases": [
      {"do": "start", "nodes": 600, "per_s": 20, "introducers": 2, "same_introducers": true},
      {"do": "settle", "within_s": 300, "figure": "converged_s"},
      {"do": "run", "s": 1.5, "measure": true},
      {"do": "trace", "traces": 20, "per_s": 5, "exact": true, "after_s": 20, "figure": "delivered"},
      {"do": "kill", "share": 0.5}, {"do": "restart", "within_s": 1}, {"do": "split", "groups": 3}, {"do": "heal"},
      {"do": "join", "nodes": 3}, {"do": "churn", "median_s": 84, "warm_up_s": 180, "s": 600, "per_s": 10},
      {"do": "bind", "guests": 10, "per_s": 1000, "within_s": 60}, {"do": "lookup", "lookups": 70, "per_s": 7},
      {"do": "kill-replicas", "samples": 9, "per_s": 3, "within_s": 90},
      {"do": "kill-replicas", "samples": 9, "per_s": 3, "within_s": 90, "survivors": 2}
    ],
    "plot": {"kind": "cdf", "of": "join_s", "title": "Joins", "x": "seconds", "y": "share"}})");
  ASSERT_TRUE(scenario) << scenario.error().text;
  EXPECT_EQ(scenario->name, "mine");
  EXPECT_EQ(scenario->about, "One of mine.");
  EXPECT_EQ(scenario->world.latency, Latency::Uniform);
  EXPECT_EQ(scenario->world.loss, 0.01);
  EXPECT_EQ(scenario->world.deaf_pairs, 0.3);
  EXPECT_EQ(scenario->world.drift_ppm, 50);
  EXPECT_EQ(scenario->world.clock_spread, 20s);
  EXPECT_EQ(scenario->world.rekey_after, 60s);
  EXPECT_FALSE(scenario->world.keeps_log);
  EXPECT_EQ(scenario->world.subnet, Ipv4Subnet::parse("10.64.0.0/12"));
  ASSERT_EQ(scenario->phases.size(), 14u);
  const Phase& start = scenario->phases[0];
  EXPECT_EQ(start.what, Phase::Do::Start);
  EXPECT_EQ(start.nodes, 600u);
  EXPECT_EQ(start.per_s, 20);
  EXPECT_EQ(start.introducers, 2u);
  EXPECT_TRUE(start.same_introducers);
  EXPECT_EQ(scenario->phases[1].figure, "converged_s");
  EXPECT_EQ(scenario->phases[1].length, 300s);
  EXPECT_EQ(scenario->phases[2].length, 1500ms);
  EXPECT_TRUE(scenario->phases[2].measure);
  EXPECT_TRUE(scenario->phases[3].exact);
  EXPECT_EQ(scenario->phases[3].after, 20s);
  EXPECT_EQ(scenario->phases[9].median, 84s);
  EXPECT_EQ(scenario->phases[9].warm_up, 180s);
  EXPECT_EQ(scenario->phases[10].guests, 10u);
  EXPECT_EQ(scenario->phases[11].lookups, 70u);
  EXPECT_EQ(scenario->phases[12].samples, 9u);
  EXPECT_EQ(scenario->phases[12].survivors, 1u);
  EXPECT_EQ(scenario->phases[13].survivors, 2u);
  ASSERT_TRUE(scenario->plot);
  EXPECT_EQ(scenario->plot->kind, PlotRequest::Kind::Cdf);
  EXPECT_EQ(scenario->plot->of, "join_s");
}

TEST(Scenario, CanBeAboutLeasesInsteadOfPhases) {
  const auto scenario = parse_scenario("l", R"({"subnet": "10.9.0.0/24", "loss": 0.05, "leases":
      {"hosts": 5, "guests": 7, "liars": 1, "statics": 0.5, "sleep_s": 90, "settle_s": 60, "arrival_s": 10, "s": 120, "pause_s": 8}})");
  ASSERT_TRUE(scenario);
  ASSERT_TRUE(scenario->leases);
  EXPECT_EQ(scenario->world.subnet.to_string(), "10.9.0.0/24");
  EXPECT_EQ(scenario->leases->hosts, 5u);
  EXPECT_EQ(scenario->leases->guests, 7u);
  EXPECT_EQ(scenario->leases->liars, 1u);
  EXPECT_EQ(scenario->leases->statics, 0.5);
  EXPECT_EQ(scenario->leases->sleep, 90s);
  EXPECT_EQ(scenario->leases->settle, 60s);
  EXPECT_EQ(scenario->leases->arrival, 10s);
  EXPECT_EQ(scenario->leases->length, 120s);
  EXPECT_EQ(scenario->leases->pause, 8s);
  EXPECT_FALSE(parse_scenario("l", R"({"leases": {"hosts": 5, "phases": 1}})"));
  EXPECT_FALSE(parse_scenario("l", R"({"leases": {}, "phases": [{"do": "start", "nodes": 2}]})"));
  EXPECT_FALSE(parse_scenario("l", R"({"subnet": "10.9.0.1/24", "leases": {}})"));
}

TEST(Scenario, CanBeAboutAGuestThatMoves) {
  const auto scenario = parse_scenario("m", R"({"latency": "uniform", "moves": {"hosts": 9, "talkers": 3,
      "answered": 1, "moves": 7, "places": 4, "settle_s": 60, "pause_s": 0.25, "notice_s": 0.125,
      "per_s": 200}})");
  ASSERT_TRUE(scenario);
  ASSERT_TRUE(scenario->moves);
  EXPECT_EQ(scenario->moves->hosts, 9u);
  EXPECT_EQ(scenario->moves->talkers, 3u);
  EXPECT_EQ(scenario->moves->answered, 1u);
  EXPECT_EQ(scenario->moves->moves, 7u);
  EXPECT_EQ(scenario->moves->places, 4u);
  EXPECT_EQ(scenario->moves->settle, 60s);
  EXPECT_EQ(scenario->moves->pause, 250ms);
  EXPECT_EQ(scenario->moves->notice, 125ms);
  EXPECT_EQ(scenario->moves->interval, 5ms);
  EXPECT_FALSE(parse_scenario("m", R"({"moves": {"hosts": 9, "talkers": 8}})")) << "nowhere to go";
  EXPECT_FALSE(parse_scenario("m", R"({"moves": {"pause_s": 3, "notice_s": 4}})")) << "before the last move";
  EXPECT_EQ(parse_scenario("m", R"({"moves": {}})")->moves->notice, std::nullopt);
  EXPECT_FALSE(parse_scenario("m", R"({"moves": {}, "leases": {}})"));
}

TEST(Scenario, ABadOneIsRefusedWithASentenceThatNamesThePlace) {
  const std::string start = R"({"do": "start", "nodes": 4})";
  const std::pair<std::string, std::string> cases[] = {
      {"", "no JSON"},
      {"{", "no JSON"},
      {"[]", "must be a JSON object"},
      {"{}", "lacks \"phases\""},
      {R"({"phases": []})", R"("phases" must be a list of at least one phase)"},
      {R"({"phases": [7]})", R"("phases" number 1 must be an object)"},
      {R"({"phases": [{}]})", R"("phases" number 1 lacks "do")"},
      {R"({"phases": [{"do": "dance"}]})", R"("phases" number 1 cannot do "dance")"},
      {R"({"phases": [{"do": "heal"}]})", R"(the first phase must be a "start")"},
      {R"({"phases": [)" + start + R"(, {"do": "kill"}]})", R"(number 2 (kill) lacks "share")"},
      {R"({"phases": [)" + start + R"(, {"do": "kill", "share": 2}]})", R"("share" must be between 0 and 1)"},
      {R"({"phases": [)" + start + R"(, {"do": "kill", "share": "2"}]})", R"("share" must be a number)"},
      {R"({"phases": [)" + start + R"(, {"do": "kill", "share": 1, "s": 1}]})", R"("s" is not known here)"},
      {R"({"phases": [{"do": "start", "nodes": 1.5}]})", R"("nodes" must be a whole number)"},
      {R"({"phases": [{"do": "start", "nodes": 4, "same_introducers": 1}]})", "must be true or false"},
      {R"({"phase": []})", R"("phase" is not known here)"},
      {R"({"subnet": "10.64.0.0/31"})", R"("subnet" must be a block of IPv4 addresses)"},
      {R"({"latency": "wormhole"})", R"("latency" must be "plane" or "uniform")"},
      {R"({"about": 7})", R"("about" must be a string)"},
      {R"({"plot": {"kind": "pie"}})", R"("plot" "kind" must be "cdf", "histogram" or "line")"},
  };
  for (const auto& [text, sentence] : cases) {
    const auto scenario = parse_scenario("bad", text);
    ASSERT_FALSE(scenario) << text;
    EXPECT_THAT(scenario.error().text, HasSubstr(sentence)) << text;
  }
}

}  // namespace
}  // namespace ipop::sim
