#include "overlay/sim/world.h"

#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

TEST(World, DelaysEachDatagramWithinItsBounds) {
  World world({.seed = 1, .latency_min = 20ms, .latency_max = 40ms});
  Host& alpha = world.add_host("alpha");
  Host& beta = world.add_host("beta");
  ASSERT_TRUE(world.run_until([&] { return !alpha.node().links().all().empty(); }, 1s));
  ASSERT_TRUE(
      world.run_until([&] { return beta.node().links().all().at(alpha.id()).round_trip().has_value(); }, 1s));
  const Duration round_trip = *beta.node().links().all().at(alpha.id()).round_trip();
  EXPECT_GE(round_trip, 40ms);
  EXPECT_LE(round_trip, 80ms);
}

TEST(World, LosesTheShareItIsTold) {
  World world({.seed = 2, .loss = 1});
  Host& alpha = world.add_host("alpha");
  world.add_host("beta");
  world.run_for(10s);
  EXPECT_TRUE(alpha.node().links().all().empty());
}

TEST(World, ACutPairHearsNothingOfEachOtherAndOthersDo) {
  World world({.seed = 3});
  Host& alpha = world.add_host("alpha");
  Host& beta = world.add_host("beta");
  Host& gamma = world.add_host("gamma");
  const auto is_direct = [](const Host& from, const Host& to) {  // Over alpha they may well be linked.
    const auto& links = from.node().links().all();
    const auto link = links.find(to.id());
    return link != links.end() && link->second.path().endpoint.has_value();
  };
  world.cut(beta, gamma);
  world.run_for(20s);
  EXPECT_TRUE(is_direct(alpha, beta));
  EXPECT_TRUE(is_direct(alpha, gamma));
  EXPECT_FALSE(is_direct(beta, gamma));
  world.mend(beta, gamma);
  EXPECT_TRUE(world.run_until([&] { return is_direct(gamma, beta); }, 120s));
}

TEST(World, TimePassesWithoutEvents) {
  World world({.seed = 4});
  const Instant before = world.now();
  world.run_for(1h);
  EXPECT_EQ(world.now() - before, 1h);
}

TEST(World, TheLogTellsWhenAndWho) {
  World world({.seed = 5});
  world.add_host("alpha");
  world.add_host("beta");
  world.run_for(2s);
  bool found = false;
  for (const std::string& line : world.log())
    found |= line.find(" ms beta: connected to alpha") != std::string::npos;
  EXPECT_TRUE(found);
}

TEST(World, ALogThatNobodyReadsIsNotKept) {
  World world({.seed = 5, .keeps_log = false});
  world.add_host("alpha");
  world.add_host("beta");
  world.run_for(2s);
  EXPECT_TRUE(world.log().empty());
}

TEST(World, ACallToANodeIsFollowedByWhatItHasToSay) {
  World world({.seed = 6});
  Host& alpha = world.add_host("alpha");
  Host& beta = world.add_host("beta");
  ASSERT_TRUE(world.run_until([&] { return alpha.node().links().all().size() == 1; }, 2s));
  ASSERT_TRUE(world.run_until([&] { return beta.node().links().all().size() == 1; }, 2s));
  alpha.node().handle_shutdown(alpha.now());
  EXPECT_TRUE(world.run_until([&] { return beta.node().links().all().empty(); }, 1s));
}

TEST(World, HostsOfDifferentGroupsMeetWhenThePartitionHeals) {
  World world({.seed = 7});
  Host& alpha = world.add_host("alpha");
  Host& beta = world.make_host("beta", {alpha.endpoint()});
  world.internet().set_group(beta.index(), 1);
  world.start(beta);
  world.run_for(10s);
  EXPECT_TRUE(alpha.node().links().all().empty());
  world.internet().heal();
  EXPECT_TRUE(world.run_until([&] { return alpha.node().links().all().size() == 1; }, 60s));
}

TEST(World, ClocksDriftApartAndNodesDoNotMind) {
  World world({.seed = 8, .drift_ppm = 100});
  Host& alpha = world.add_host("alpha");
  Host& beta = world.add_host("beta");
  world.run_for(1h);
  EXPECT_NE(alpha.now(), beta.now());
  EXPECT_LE(std::chrono::abs(alpha.now() - world.now()), 360ms);
  EXPECT_EQ(alpha.node().links().all().size(), 1u);
}

TEST(World, CountsWhatItsHostsSend) {
  World world({.seed = 9});
  Host& alpha = world.add_host("alpha");
  Host& beta = world.add_host("beta");
  uint64_t tapped = 0;
  world.set_tap([&](const Endpoint&, const Endpoint&, ByteView bytes) { tapped += bytes.size(); });
  const uint64_t before = world.sent().octets;
  world.run_for(1min);
  EXPECT_GT(tapped, 0u);
  EXPECT_EQ(world.sent().octets - before, tapped);
  EXPECT_EQ(world.sent().octets, alpha.sent_bytes() + beta.sent_bytes());
  EXPECT_EQ(world.sent().datagrams, alpha.sent().datagrams + beta.sent().datagrams);
}

}  // namespace
}  // namespace ipop::sim
