#include "overlay/link/train_trial.h"

#include <gtest/gtest.h>

#include <vector>

namespace ipop {
namespace {

/// A peer to which a share of what leaves in trains arrives, and a share of what leaves singly.
struct TrainTrialTest : testing::Test {
  using Change = TrainTrial::Change;

  /// A second of traffic, and a question if one is due.
  Change second(uint64_t datagrams = 1000) {
    now += 1s;
    const bool in_trains = trial.allows_trains();
    sent += datagrams;
    if (in_trains) joined += datagrams * 9 / 10;
    received += datagrams * (in_trains ? trains_arrive : singles_arrive) / 100;
    if (!trial.is_due(sent, joined)) return Change::None;
    ++questions;
    trial.note_asked(sent, joined);
    return trial.handle_answer(now, received);
  }

  TrainTrial trial;
  Instant now{1000s};
  uint64_t sent = 0, joined = 0, received = 0;
  uint64_t trains_arrive = 100, singles_arrive = 100;  // Percent.
  int questions = 0;
};

TEST_F(TrainTrialTest, WhatArrivesIsLeftAlone) {
  for (const uint64_t percent : {100, 95, 70}) {
    trains_arrive = percent;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(second(), Change::None) << percent;
  }
  EXPECT_TRUE(trial.allows_trains());
  EXPECT_EQ(questions, 300);
}

TEST_F(TrainTrialTest, WhoSendsNoTrainsIsNotAsked) {
  sent = 1000;
  EXPECT_FALSE(trial.is_due(sent, 0));
  EXPECT_FALSE(trial.is_due(TrainTrial::kLeastSent - 1, 20));
  EXPECT_TRUE(trial.is_due(TrainTrial::kLeastSent, 1));
}

TEST_F(TrainTrialTest, TrainsThatAreLostAreGivenUpAndTriedAgain) {
  trains_arrive = 0;
  int seconds = 0;
  while (trial.allows_trains() && seconds < 100) second(), ++seconds;
  EXPECT_LE(seconds, TrainTrial::kInARow + 1) << "the first answer has nothing to be compared with";
  std::vector<Change> changes;
  for (int i = 0; i < 500; ++i, ++seconds) {
    if (const Change change = second(); change != Change::None) changes.push_back(change);
  }
  EXPECT_EQ(changes, std::vector{Change::Convicted});
  EXPECT_FALSE(trial.allows_trains());
  EXPECT_EQ(trial.convictions(), 1u);
  trains_arrive = 100;  // Another kernel, another path.
  while (!trial.allows_trains() && seconds < 1000) second(), ++seconds;
  EXPECT_NEAR(seconds, TrainTrial::kVerdictTime / 1s, 20);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(second(), Change::None);
  EXPECT_EQ(trial.convictions(), 1u);
}

/// A guest's TCP sends little then: a train now and then, and what it sends again.
TEST_F(TrainTrialTest, ACrawlIsNoticed) {
  trains_arrive = 50;
  int seconds = 0;
  while (trial.allows_trains() && seconds < 100) second(8), ++seconds;
  EXPECT_LE(seconds, 20);
}

TEST_F(TrainTrialTest, WhereItDoesNotHelpTheTrainsWereNotToBlame) {
  trains_arrive = singles_arrive = 10;
  int without = 0;
  for (int i = 0; i < 590; ++i) {
    second();
    without += !trial.allows_trains();
  }
  EXPECT_TRUE(trial.allows_trains());
  EXPECT_EQ(trial.convictions(), 0u);
  EXPECT_EQ(without, TrainTrial::kInARow);
}

/// What is on its way when the peer is asked is missing once, and too much the next time.
TEST_F(TrainTrialTest, WhatIsOnItsWayIsNoLoss) {
  for (int i = 0; i < 100; ++i) {
    now += 1s;
    sent += 100;
    joined += 90;
    trial.note_asked(sent, joined);
    EXPECT_EQ(trial.handle_answer(now, i % 2 == 0 ? sent - 60 : sent), Change::None) << i;
  }
  EXPECT_TRUE(trial.allows_trains());
}

TEST_F(TrainTrialTest, APeerThatStartsAnewHasLostNothing) {
  for (int i = 0; i < 20; ++i) {
    if (i % 10 == 0) received = 0;
    EXPECT_EQ(second(), Change::None) << i;
  }
  EXPECT_TRUE(trial.allows_trains());
}

}  // namespace
}  // namespace ipop
