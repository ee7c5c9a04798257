// A guest that moves while others talk to it, in whole nodes; and that what goes wrong is seen.
#include "overlay/sim/moves.h"

#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

double figure(const Moves& moves, const char* name) { return moves.figures().get(name).value_or(-1); }

TEST(Moves, AllTalkersFollowWithinTwoRoundTripsAndNothingSentLaterIsLost) {
  Moves moves({.world = {.seed = 1, .latency = Latency::Plane, .keeps_log = false},
               .hosts = 16,
               .talkers = 4,
               .answered = 2,
               .moves = 60,
               .settle = 440s});
  moves.run();
  EXPECT_EQ(figure(moves, "moves"), 60);
  EXPECT_EQ(figure(moves, "frozen"), 0);
  EXPECT_EQ(figure(moves, "lost_after"), 0);
  EXPECT_GT(figure(moves, "sent_after"), 30000);
  // Who has to learn from the replicas how far others have counted waits for these, too.
  EXPECT_GT(figure(moves, "known"), 30);
  EXPECT_LE(figure(moves, "switch_known_rtt_max"), 2);
}

/// As by the hook of a live migration: wherever it comes from, its new host knows it, and has a link there.
TEST(Moves, OneThatIsExpectedIsFollowedWithinTwoRoundTripsByAll) {
  Moves moves({.world = {.seed = 5, .latency = Latency::Plane, .keeps_log = false},
               .hosts = 30,
               .talkers = 8,
               .moves = 40,
               .settle = 440s,
               .notice = 1s});
  moves.run();
  EXPECT_EQ(figure(moves, "moves"), 40);
  EXPECT_EQ(figure(moves, "known"), 40);
  EXPECT_EQ(figure(moves, "frozen"), 0);
  EXPECT_EQ(figure(moves, "lost_after"), 0);
  EXPECT_LE(figure(moves, "switch_rtt_max"), 2);
}

/// There is no damping.  Nobody is answered: the guest says nothing but that it has arrived.
TEST(Moves, TwoHundredBackAndForthFreezeNobodyAtAnyRate) {
  for (const Duration pause : {1000ms, 500ms, 250ms}) {
    Moves moves({.world = {.seed = 2, .keeps_log = false},
                 .hosts = 8,
                 .talkers = 3,
                 .answered = 0,
                 .moves = 200,
                 .places = 2,
                 .pause = pause});
    moves.run();
    EXPECT_EQ(figure(moves, "moves"), 200);
    EXPECT_EQ(figure(moves, "frozen"), 0) << pause.count();
    EXPECT_EQ(figure(moves, "lost_after"), 0) << pause.count();
    EXPECT_LE(figure(moves, "switch_rtt_max"), 2) << pause.count();
  }
}

TEST(Moves, ALostWordIsMadeUpFor) {
  Moves moves({.world = {.seed = 3, .loss = 0.05, .keeps_log = false},
               .hosts = 12,
               .talkers = 3,
               .answered = 1,
               .moves = 50});
  moves.run();
  EXPECT_EQ(figure(moves, "frozen"), 0);
}

TEST(Moves, SaysSoIfATalkerDoesNotFollow) {
  Moves moves({.world = {.seed = 4, .keeps_log = false}, .hosts = 8, .talkers = 2, .moves = 4});
  moves.world().internet().set_group(7, 1);  // The last host is a talker's.
  moves.run();
  EXPECT_EQ(figure(moves, "frozen"), 4);
  EXPECT_GT(figure(moves, "lost_after"), 0);
  EXPECT_GT(figure(moves, "lost_before"), 0);
  EXPECT_GT(figure(moves, "switch_rtt_max"), 20);
  for (const Moves::Result& result : moves.results()) {
    EXPECT_TRUE(result.is_frozen);
    EXPECT_LE(result.switched, 3s);
    EXPECT_EQ(result.round_trip, 40ms);
    EXPECT_NEAR(static_cast<double>(result.lost_after), static_cast<double>(result.sent_after) / 2, 10);
  }
}

TEST(Moves, TheSameSeedGivesTheSameRun) {
  const auto run = [] {
    Moves moves({.world = {.seed = 5, .keeps_log = false}, .hosts = 6, .talkers = 2, .moves = 5});
    moves.run();
    return moves.figures().to_json("moves", 5);
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace ipop::sim
