#include "overlay/sim/bindings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace ipop::sim {
namespace {

struct BindingsOnARing : testing::Test {
  explicit BindingsOnARing(size_t nodes = 40) {
    for (size_t i = 0; i < nodes; ++i) population.start(population.make(), 3);
    world.run_for(8min);  // Replicas that have just started would have each claimant ask everybody.
    for (const uint32_t index : population.running()) {
      for (int i = 0; i < 2; ++i) bindings.add_guest(world.host(index));  // Everybody hears of the first.
    }
    world.run_for(30s);
  }
  Bindings::Results finish() {
    for (int i = 0; i < 1000 && !bindings.is_idle(); ++i) {
      world.run_for(10ms);
      bindings.step();
    }
    EXPECT_TRUE(bindings.is_idle());
    return bindings.take_results();
  }

  World world{{.seed = 21}};
  SeededRandom random{21};
  Population population{world, random};
  Bindings bindings{world, population, random, WorldOptions().subnet};
};

TEST_F(BindingsOnARing, EachGuestHasTwoRecordsAtFiveReplicas) {
  EXPECT_EQ(bindings.guests(), 80u);
  EXPECT_EQ(bindings.published(), std::pair(size_t{160}, size_t{160}));
  const auto load = bindings.load();
  EXPECT_EQ(load.records, 160u);
  EXPECT_EQ(load.copies, 800u);
  EXPECT_GE(load.most, 20u) << "the mean";
  EXPECT_LE(load.most, 160u);
}

TEST_F(BindingsOnARing, LookupsOfOtherHostsFindThemAndAreTimed) {
  int asked = 0;
  for (int i = 0; i < 30; ++i) asked += bindings.look_up_random();
  EXPECT_GT(asked, 20);
  const auto results = finish();
  EXPECT_EQ(results.counted, static_cast<size_t>(asked));
  EXPECT_EQ(results.found, results.counted);
  EXPECT_EQ(results.took_s.size(), results.found);
  EXPECT_THAT(results.took_s, testing::Each(testing::AllOf(testing::Ge(0.02), testing::Lt(1))))
      << "one round trip at least";
}

TEST_F(BindingsOnARing, WhoKnowsTheAddressDoesNotAsk) {
  for (int i = 0; i < 40; ++i) {
    bindings.look_up(1);
    finish();
  }
  EXPECT_FALSE(bindings.look_up(1)) << "all have asked by now";
}

TEST_F(BindingsOnARing, ALookupWhoseRepliesAllVanishFindsNothing) {
  ASSERT_TRUE(bindings.look_up(1));
  // The asker is the one that the world hears next: all are cut off from each other.
  for (uint32_t i = 0; i < world.size(); ++i) world.internet().set_group(i, i);
  const auto results = finish();
  EXPECT_EQ(results.counted, 1u);
  EXPECT_EQ(results.found, 0u);
  EXPECT_TRUE(results.took_s.empty());
}

TEST_F(BindingsOnARing, ALookupWhoseAskerDiesIsNotCounted) {
  ASSERT_TRUE(bindings.look_up(1));
  for (const uint32_t index : std::vector(population.running())) population.kill(world.host(index));
  EXPECT_EQ(finish().counted, 0u);
}

TEST_F(BindingsOnARing, SamplesAreApartAndSpareTheirHosts) {
  const auto samples = bindings.draw_samples(3, 1);
  ASSERT_EQ(samples.size(), 3u);
  std::set<const Host*> victims;
  for (const auto& sample : samples) {
    EXPECT_EQ(sample.victims.size(), kReplicas - 1);
    victims.insert(sample.victims.begin(), sample.victims.end());
  }
  EXPECT_EQ(victims.size(), 3 * (kReplicas - 1));
  for (const auto& sample : samples) {
    EXPECT_FALSE(victims.contains(&world.host(static_cast<uint32_t>(sample.guest / 2))))
        << "two guests a host";
  }
  EXPECT_LT(bindings.draw_samples(40, 1).size(), 9u) << "there is no room for more";
}

TEST_F(BindingsOnARing, VictimsAreTheReplicas) {
  const size_t before = bindings.load().copies;
  const auto samples = bindings.draw_samples(1, 0);
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].victims.size(), kReplicas);
  for (Host* victim : samples[0].victims) population.kill(*victim);
  EXPECT_LT(bindings.load().copies, before);
  bindings.look_up(samples[0].guest);
  EXPECT_EQ(finish().found, 0u);
}

}  // namespace
}  // namespace ipop::sim
