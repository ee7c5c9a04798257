#include "overlay/link/path_mtu.h"

#include <gtest/gtest.h>

#include <vector>

namespace ipop {
namespace {

constexpr Duration kRoundTrip = 40ms, kPatience = 200ms;

/// A path that loses what is larger than `carries`, and says nothing.
struct PathMtuTest : testing::Test {
  /// Sends what is due, and lets time pass up to the answers and time-outs, until the search rests.
  void settle() {
    for (int i = 0; i < 1000; ++i) {
      if (mtu.is_probe_due()) {
        const auto probe = mtu.start_probe(now, kPatience);
        sizes.push_back(probe.size);
        if (probe.size <= carries) {
          now += kRoundTrip;
          mtu.handle_answer(now, probe.token);
        }
      } else if (mtu.next_timeout() != kNever) {
        now = mtu.next_timeout();
        mtu.handle_timeout(now);
      } else {
        return;
      }
    }
    ADD_FAILURE() << "it never rests";
  }

  PathMtu mtu;
  Instant now{100s};
  size_t carries = 1500;
  std::vector<size_t> sizes;  ///< Of the probes.
};

TEST_F(PathMtuTest, NobodyProbesWhatNobodyWants) {
  EXPECT_EQ(mtu.max_datagram(), 1200u);
  now += 1h;
  mtu.note_use(now);
  EXPECT_FALSE(mtu.is_probe_due());
  EXPECT_FALSE(mtu.is_found());
  EXPECT_EQ(mtu.next_timeout(), kNever);
}

TEST_F(PathMtuTest, AnOrdinaryPathTakesOneProbe) {
  mtu.want(now);
  EXPECT_EQ(mtu.max_datagram(), 1200u) << "nothing is taken for granted";
  EXPECT_FALSE(mtu.is_found());
  settle();
  EXPECT_TRUE(mtu.is_found());
  EXPECT_EQ(sizes, std::vector<size_t>{1452});
  EXPECT_EQ(mtu.max_datagram(), 1452u);
}

TEST_F(PathMtuTest, FindsTheLargestOfItsSizesThatPasses) {
  for (const size_t size : {1200, 1231, 1232, 1260, 1300, 1399, 1412, 1420, 1451, 1452, 9000}) {
    mtu = {};
    sizes.clear();
    carries = size;
    const Instant start = now;
    mtu.want(now);
    settle();
    EXPECT_TRUE(mtu.is_found());
    EXPECT_LE(mtu.max_datagram(), size);
    EXPECT_LE(sizes.size(), 5u * PathMtu::kMaxProbes) << size;
    EXPECT_LE(now - start, 5 * PathMtu::kMaxProbes * kPatience) << size;
    // The next larger one did not pass.
    for (const size_t larger : {1232, 1252, 1300, 1352, 1372, 1392, 1412, 1432, 1452}) {
      EXPECT_TRUE(larger <= mtu.max_datagram() || larger > size) << larger << " of " << size;
    }
  }
}

TEST_F(PathMtuTest, ALostProbeIsRepeatedAndALateAnswerCounts) {
  mtu.want(now);
  const auto first = mtu.start_probe(now, kPatience);
  now += kPatience;
  mtu.handle_timeout(now);
  ASSERT_TRUE(mtu.is_probe_due());
  EXPECT_EQ(mtu.start_probe(now, kPatience).size, first.size);
  mtu.handle_answer(now, first.token);
  EXPECT_EQ(mtu.max_datagram(), 1452u);
  EXPECT_EQ(mtu.next_timeout(), kNever);
}

TEST_F(PathMtuTest, AnswersToSomethingElseMeanNothing) {
  mtu.handle_answer(now, 0);
  mtu.handle_answer(now, 1);
  EXPECT_EQ(mtu.max_datagram(), 1200u);
  mtu.want(now);
  const auto probe = mtu.start_probe(now, kPatience);
  mtu.handle_answer(now, probe.token + 1);
  EXPECT_EQ(mtu.max_datagram(), 1200u);
}

TEST_F(PathMtuTest, WhatIsUsedIsProbedAgain) {
  mtu.want(now);
  settle();
  sizes.clear();
  mtu.note_use(now + PathMtu::kConfirmInterval - 1us);
  EXPECT_FALSE(mtu.is_probe_due());
  now += PathMtu::kConfirmInterval;
  mtu.note_use(now);
  settle();
  EXPECT_EQ(sizes, std::vector<size_t>{1452});
  EXPECT_EQ(mtu.max_datagram(), 1452u);
}

TEST_F(PathMtuTest, APathThatHasBecomeSmallerIsFoundOut) {
  mtu.want(now);
  settle();
  carries = 1372;
  now += PathMtu::kConfirmInterval;
  const Instant start = now;
  mtu.note_use(now);
  settle();
  EXPECT_EQ(mtu.max_datagram(), 1372u);
  EXPECT_LE(now - start, 6 * PathMtu::kMaxProbes * kPatience);
}

TEST_F(PathMtuTest, MoreIsTriedAfterAWhileIfThatIsWanted) {
  carries = 1300;
  mtu.want(now);
  settle();
  EXPECT_EQ(mtu.max_datagram(), 1300u);
  carries = 1500;
  sizes.clear();
  mtu.want(now + PathMtu::kRaiseInterval / 2);
  EXPECT_FALSE(mtu.is_probe_due());
  now += PathMtu::kRaiseInterval;
  mtu.want(now);
  EXPECT_EQ(mtu.max_datagram(), 1300u) << "meanwhile what is known holds";
  settle();
  EXPECT_EQ(mtu.max_datagram(), 1452u);
  EXPECT_EQ(sizes, std::vector<size_t>{1452});
  mtu.want(now + 2 * PathMtu::kRaiseInterval);
  EXPECT_FALSE(mtu.is_probe_due()) << "there is no more";
}

TEST_F(PathMtuTest, AnotherPathIsAnotherSearch) {
  mtu.want(now);
  settle();
  carries = 1252;
  mtu.handle_new_path(now);
  EXPECT_EQ(mtu.max_datagram(), 1200u);
  settle();
  EXPECT_EQ(mtu.max_datagram(), 1252u);

  PathMtu unused;
  unused.handle_new_path(now);
  EXPECT_FALSE(unused.is_probe_due()) << "nobody has wanted more";
}

TEST_F(PathMtuTest, AnAnswerThatComesByTheOldPathMeansNothing) {
  mtu.want(now);
  const auto old = mtu.start_probe(now, kPatience);
  mtu.handle_new_path(now);
  mtu.handle_answer(now, old.token);
  EXPECT_EQ(mtu.max_datagram(), 1200u);
}

}  // namespace
}  // namespace ipop
