#include "overlay/sim/watch.h"

#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

struct Watches : testing::Test {
  void add(int nodes) {
    for (int i = 0; i < nodes; ++i) population.start(population.make(), 3);
  }
  void pass(Duration duration) {
    for (const Instant end = world.now() + duration; world.now() < end;) {
      world.run_for(10ms);
      watch.look();
    }
  }
  double figure(const char* name) {
    Figures figures;
    watch.report(figures);
    return figures.get(name).value();
  }

  World world{{.seed = 3}};
  SeededRandom random{3};
  Population population{world, random};
  Watch watch{world, population};
};

TEST_F(Watches, TellsHowLongItTookUntilAllNeighboursWereRight) {
  add(12);
  watch.note_change();
  EXPECT_FALSE(watch.right_after());
  pass(30s);
  ASSERT_TRUE(watch.right_after());
  EXPECT_GT(*watch.right_after(), 40ms) << "two round trips at least";
  EXPECT_LT(*watch.right_after(), 10s);
  EXPECT_LT(watch.history().front().second, 1);
  EXPECT_EQ(watch.history().back().second, 1);
  EXPECT_EQ(figure("invariant_checks"), 30);

  pass(5s);
  const Duration before = *watch.right_after();
  population.kill(population.random_running());
  watch.note_change();
  EXPECT_FALSE(watch.right_after());
  pass(60s);
  ASSERT_TRUE(watch.right_after());
  EXPECT_GT(*watch.right_after(), before) << "a silent death is found out, a join announced";
}

TEST_F(Watches, HasNothingToSayWhenNobodyRuns) {
  watch.note_change();
  pass(2s);
  EXPECT_FALSE(watch.right_after());
  EXPECT_TRUE(watch.history().empty());
}

TEST_F(Watches, GroupsAreJudgedOneByOneAndMergingOnesNotAtAll) {
  for (uint32_t i = 0; i < 12; ++i) {
    Host& host = population.make();
    world.internet().set_group(host.index(), i % 2);
  }
  watch.set_groups(2);
  for (uint32_t i = 0; i < 12; ++i) {
    population.start(world.host(i),
                     i < 2 ? std::vector<Endpoint>() : std::vector{world.host(i % 2).endpoint()});
  }
  watch.note_change();
  pass(30s);
  EXPECT_TRUE(watch.right_after()) << "each is right for its group";
  const double before = figure("violations_several_rings");

  world.internet().heal();
  watch.set_groups(1);
  pass(2s);
  EXPECT_EQ(figure("violations_several_rings"), before + 2) << "nobody has told them of each other";
  watch.set_merging();
  watch.note_change();
  pass(2s);
  EXPECT_EQ(figure("violations_several_rings"), before + 2);
}

}  // namespace
}  // namespace ipop::sim
