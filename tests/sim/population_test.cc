#include "overlay/sim/population.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Populations : testing::Test {
  Host& add(size_t introducers = 3) {
    Host& host = population.make();
    population.start(host, introducers);
    return host;
  }

  World world{{.seed = 1}};
  SeededRandom random{1};
  Population population{world, random};
};

TEST_F(Populations, ThoseThatRunAreThoseThatWereStartedAndNotKilled) {
  Host& a = add();
  Host& b = add();
  Host& c = add();
  population.make();
  population.kill(a);
  EXPECT_THAT(population.running(), UnorderedElementsAre(b.index(), c.index()));
  population.kill(c);
  EXPECT_THAT(population.running(), UnorderedElementsAre(b.index()));
  EXPECT_EQ(&population.random_running(), &b);
  population.start(a, 1);
  EXPECT_THAT(population.running(), UnorderedElementsAre(a.index(), b.index()));
  EXPECT_EQ(&population.random_running(a), &b);
}

TEST_F(Populations, ARingFormsThroughRandomIntroducers) {
  for (int i = 0; i < 10; ++i) {
    add();
    world.run_for(100ms);
  }
  ASSERT_TRUE(world.run_until(
      [&] { return population.joined() == 10 && check_ring(population.beliefs(0)).all_right(); }, 30s));
  EXPECT_TRUE(check_ring(population.beliefs(0)).is_valid());
  EXPECT_THAT(population.beliefs(1), IsEmpty());
}

TEST_F(Populations, TheOwnerOfAKeyIsTheNearestThatHasJoined) {
  Host& a = add();
  Host& b = add();
  EXPECT_EQ(population.owner_of(a.id()), nullptr) << "nobody has joined yet";
  ASSERT_TRUE(world.run_until([&] { return population.joined() == 2; }, 30s));
  EXPECT_EQ(population.owner_of(a.id()), &a);
  EXPECT_EQ(population.owner_of(b.id()), &b);
  NodeId beside = a.id();
  beside.bytes.back() ^= 1;
  EXPECT_EQ(population.owner_of(beside), &a);
  population.kill(a);
  EXPECT_EQ(population.owner_of(beside), &b);
}

TEST_F(Populations, TrueNeighboursAreTheNextOnBothSides) {
  Host& a = add();
  EXPECT_THAT(population.true_neighbours(a), IsEmpty());
  Host& b = add();
  EXPECT_THAT(population.true_neighbours(a), UnorderedElementsAre(&b));
  for (int i = 0; i < 6; ++i) add();
  std::vector<const Host*> sorted;
  for (const uint32_t index : population.running()) sorted.push_back(&world.host(index));
  std::sort(sorted.begin(), sorted.end(), [](const Host* x, const Host* y) { return x->id() < y->id(); });
  for (size_t i = 0; i < sorted.size(); ++i) {
    EXPECT_THAT(population.true_neighbours(*sorted[i]),
                UnorderedElementsAre(sorted[(i + 1) % sorted.size()],
                                     sorted[(i + sorted.size() - 1) % sorted.size()]));
  }
}

TEST(PopulationOfTheDeaf, AnInviteNamesSomebodyWithinReach) {
  World world({.seed = 2, .deaf_pairs = 0.7});
  SeededRandom random(2);
  Population population(world, random);
  for (int i = 0; i < 30; ++i) {
    Host& host = population.make();
    bool reaches_somebody = false;
    for (const uint32_t one : population.running())
      reaches_somebody |= world.internet().can_talk(host.index(), one);
    population.start(host, 1);
    world.run_for(5s);
    EXPECT_EQ(!std::as_const(host).node().links().all().empty(), reaches_somebody) << i;
  }
}

}  // namespace
}  // namespace ipop::sim
