#include "overlay/sim/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

struct Tracers : testing::Test {
  Tracers() {
    for (int i = 0; i < 16; ++i) population.start(population.make(), 3);
    world.run_for(30s);
  }
  void finish() {
    for (int i = 0; i < 3000 && !tracer.is_idle(); ++i) {
      world.run_for(10ms);
      tracer.step();
    }
    EXPECT_TRUE(tracer.is_idle());
  }

  World world{{.seed = 4}};
  SeededRandom random{4};
  Population population{world, random};
  Tracer tracer{world, population, random};
};

TEST_F(Tracers, ExactOnesReachTheirTarget) {
  for (int i = 0; i < 100; ++i) tracer.ask_random_exact();
  finish();
  const auto results = tracer.take_results();
  EXPECT_EQ(results.counted, 100u);
  EXPECT_EQ(results.reached, 100u);
  EXPECT_EQ(results.right, 100u);
  EXPECT_THAT(results.hops, testing::Each(testing::Ge(1)));
  EXPECT_EQ(results.took_s.size(), 100u);
  EXPECT_THAT(results.took_s, testing::Each(testing::Ge(0.02))) << "10 ms a hop, there and back";
  EXPECT_EQ(tracer.take_results().counted, 0u) << "taken";
}

TEST_F(Tracers, KeysAreAnsweredByTheirOwners) {
  for (int i = 0; i < 100; ++i) tracer.ask_random_key();
  finish();
  const auto results = tracer.take_results();
  EXPECT_EQ(results.counted, 100u);
  EXPECT_EQ(results.right, 100u);
}

TEST_F(Tracers, TheDeadDoNotAnswer) {
  Host& dead = population.random_running();
  population.kill(dead);
  tracer.ask_exact(population.random_running(), dead);
  finish();
  const auto results = tracer.take_results();
  EXPECT_EQ(results.counted, 1u);
  EXPECT_EQ(results.reached, 0u);
}

TEST_F(Tracers, AQuestionWhoseSourceDiesIsNotCounted) {
  Host& from = population.random_running();
  Host& other = population.random_running(from);
  tracer.ask_exact(from, population.random_running(from));
  tracer.ask_exact(from, population.random_running(from));
  tracer.ask_exact(other, from);
  world.run_for(1ms);
  population.kill(from);
  finish();
  EXPECT_EQ(tracer.take_results().counted, 1u);
}

TEST(Tracer, AsksNothingWhereNobodyIs) {
  World world({.seed = 5});
  SeededRandom random(5);
  Population population(world, random);
  Tracer tracer(world, population, random);
  tracer.ask_random_exact();
  tracer.ask_random_key();
  EXPECT_TRUE(tracer.is_idle());
}

}  // namespace
}  // namespace ipop::sim
