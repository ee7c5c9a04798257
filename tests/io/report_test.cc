#include "overlay/io/report.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "overlay/sim/world.h"

namespace ipop {
namespace {

struct Reports : testing::Test {
  Reports() { world.run_for(2s); }

  PortFacts facts() {
    return {.name = "ipop0",
            .invite = "/etc/ipop/beta.ipop",
            .listen = *Endpoint::parse("[::]:51128"),
            .local_endpoint = std::nullopt,
            .introducers = {alpha.endpoint()},
            .counters = &counters,
            .refused = &beta.node().refused()};
  }
  Report report() { return make_report(beta.node(), world.now()); }

  sim::World world{{.seed = 1}};
  sim::Host& alpha = world.add_host("alpha");
  sim::Host& beta = world.add_host("beta");
  PortCounters counters;
};

TEST_F(Reports, JsonHoldsWhatProgramsNeed) {
  beta.node().refused().add(Error::Replayed, 3);
  const auto json = boost::json::parse(show(report(), facts(), world.now(), true)).as_object();
  EXPECT_EQ(json.at("port"), "ipop0");
  EXPECT_EQ(json.at("network"), "grid");
  EXPECT_EQ(json.at("node").as_string(), beta.id().to_string());
  EXPECT_EQ(json.at("public_endpoint").as_string(), beta.endpoint().to_string());
  EXPECT_TRUE(json.at("local_endpoint").is_null());
  EXPECT_EQ(json.at("counters").as_object().at("peer_replayed").to_number<int>(), 3);

  const auto peers = boost::json::parse(show_peers(report(), world.now(), true)).as_array();
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].at("host"), "alpha");
  EXPECT_EQ(peers[0].at("endpoint").as_string(), alpha.endpoint().to_string());
  EXPECT_TRUE(peers[0].at("up").as_bool());
  EXPECT_GT(peers[0].at("rtt_ms").as_double(), 20.0);
  EXPECT_EQ(boost::json::parse(show_bindings(report(), world.now(), true)).as_array().size(), 0u);
}

TEST_F(Reports, PeopleSeeTheNamesTheyGave) {
  const std::string text = show(report(), facts(), world.now(), false);
  for (const char* part :
       {"network          grid (10.128.0.0/16)", "host             beta",
        "ring             joined, about 2 nodes", "peers            1 connected", "alpha", "AES-256-GCM"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_EQ(text.find("peer_replayed"), std::string::npos) << "zero counters are left out";
}

TEST_F(Reports, EveryCounterHasANameOfItsOwn) {
  std::set<std::string> names;
  for (const auto& counter : all_counters(report(), facts())) {
    EXPECT_TRUE(names.insert(counter.name).second) << counter.name;
    EXPECT_LE(counter.name.size(), 63u) << "Open vSwitch's limit";
  }
}

}  // namespace
}  // namespace ipop
