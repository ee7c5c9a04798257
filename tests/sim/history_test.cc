// The checker finds what is planted, and nothing else.
#include "overlay/sim/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Instant kStart{100s};
constexpr Ipv4Address kIp{0x0a800005};
constexpr Ipv4Address kOther{0x0a800006};

TEST(History, GuestsWithAddressesOfTheirOwnAreFine) {
  History history;
  history.observe(kStart, {{1, kIp, 0}, {2, kOther, 0}});
  history.observe(kStart + 1s, {{2, kIp, 0}, {1, kOther, 0}});
  EXPECT_THAT(history.violations(), IsEmpty());
  EXPECT_EQ(history.observations(), 2u);
}

TEST(History, OneGuestSeenAtTwoHostsIsOneGuest) {
  History history;
  history.observe(kStart, {{1, kIp, 0}, {1, kIp, 0}});
  EXPECT_THAT(history.violations(), IsEmpty());
}

TEST(History, TwoGuestsOfOnePartitionWithOneAddressAreFound) {
  History history;
  history.observe(kStart, {{1, kIp, 0}, {2, kIp, 0}});
  EXPECT_THAT(history.violations(), ElementsAre(HasSubstr("10.128.0.5 is held by two guests")));
}

TEST(History, TwoSidesMayDisagreeUntilTheyHaveDecided) {
  History history;
  history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
  history.note_heal(kStart + 1s);
  history.observe(kStart + 2s, {{1, kIp, 0}, {2, kIp, 0}});
  history.observe(kStart + 91s, {{2, kIp, 0}});
  history.observe(kStart + 92s, {{2, kIp, 0}});
  EXPECT_THAT(history.violations(), IsEmpty());
  EXPECT_EQ(history.conflicts(), 1u);
}

TEST(History, BothKeepingItIsFound) {
  History history;
  history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
  history.note_heal(kStart);
  history.observe(kStart + 90s, {{1, kIp, 0}, {2, kIp, 0}});
  EXPECT_THAT(history.violations(), ElementsAre(HasSubstr("still held by both")));
  history.observe(kStart + 91s, {{1, kIp, 0}, {2, kIp, 0}});
  EXPECT_EQ(history.violations().size(), 2u) << "and from then on it is like any other";
}

TEST(History, NeitherKeepingItIsFound) {
  History history;
  history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
  history.note_heal(kStart);
  history.observe(kStart + 90s, {{3, kIp, 0}});
  EXPECT_THAT(history.violations(), ElementsAre(HasSubstr("kept by neither")));
}

/// The parts have met and decided before they count as one.
TEST(History, WhatWasInDisputeOnContactIsToBeKeptByOne) {
  for (const bool is_kept : {true, false}) {
    History history;
    history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
    history.note_contact();
    history.observe(kStart + 1s,
                    is_kept ? std::vector<History::Holding>{{2, kIp, 1}} : std::vector<History::Holding>());
    history.note_heal(kStart + 5s);
    history.observe(kStart + 95s,
                    is_kept ? std::vector<History::Holding>{{2, kIp, 0}} : std::vector<History::Holding>());
    EXPECT_EQ(history.conflicts(), 1u);
    EXPECT_EQ(history.violations().size(), is_kept ? 0u : 1u);
  }
}

TEST(History, WhatBothGiveWhileTheyMeetIsInDisputeToo) {
  History history;
  history.note_contact();
  history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
  history.note_heal(kStart + 5s);
  history.observe(kStart + 6s, {{1, kIp, 0}, {2, kIp, 0}});
  history.observe(kStart + 95s, {{1, kIp, 0}});
  EXPECT_EQ(history.conflicts(), 1u);
  EXPECT_THAT(history.violations(), IsEmpty());
}

/// One of them may have asked the replicas of the other part.
TEST(History, WhatTwoOfOnePartGetWhileThePartsMeetIsInDisputeToo) {
  for (const bool is_decided : {true, false}) {
    History history;
    history.note_contact();
    history.observe(kStart, {{1, kIp, 0}, {2, kIp, 0}});
    history.note_heal(kStart + 5s);
    history.observe(kStart + 94s, {{1, kIp, 0}, {2, kIp, 0}});
    EXPECT_THAT(history.violations(), IsEmpty());
    history.observe(kStart + 95s, is_decided ? std::vector<History::Holding>{{1, kIp, 0}}
                                             : std::vector<History::Holding>{{1, kIp, 0}, {2, kIp, 0}});
    EXPECT_EQ(history.violations().size(), is_decided ? 0u : 1u);
  }
}

TEST(History, AThirdGuestDoesNotGetADisputedAddress) {
  History history;
  history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
  history.note_heal(kStart);
  history.observe(kStart + 5s, {{1, kIp, 0}, {3, kIp, 0}});
  EXPECT_THAT(history.violations(), ElementsAre(HasSubstr("held by two guests")));
}

TEST(History, WhoEndsNeedNotKeepIt) {
  History history;
  history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
  history.note_heal(kStart);
  history.note_end(1);
  history.observe(kStart + 90s, {});
  EXPECT_THAT(history.violations(), IsEmpty());
}

/// Its host may have forgotten it by then; but two cannot have it.
TEST(History, WhoIsSilentNeedNotKeepItEither) {
  for (const bool is_kept_by_both : {false, true}) {
    History history;
    history.note_silence(1);
    history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
    history.note_heal(kStart);
    history.observe(kStart + 90s, is_kept_by_both ? std::vector<History::Holding>{{1, kIp, 0}, {2, kIp, 0}}
                                                  : std::vector<History::Holding>());
    EXPECT_EQ(history.violations().size(), is_kept_by_both ? 1u : 0u);
  }
}

TEST(History, WhoWasSilentBeforeTheLastDecisionIsToKeepIt) {
  History history;
  history.note_silence(1);
  history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
  history.note_heal(kStart);
  history.observe(kStart + 90s, {});
  ASSERT_THAT(history.violations(), IsEmpty());
  history.observe(kStart + 100s, {{1, kIp, 0}, {2, kIp, 1}});
  history.note_heal(kStart + 100s);
  history.observe(kStart + 190s, {});
  EXPECT_THAT(history.violations(), ElementsAre(HasSubstr("kept by neither")));
}

TEST(History, WhoEndsMayBeInTheMapOfItsHostUntilItIsDecided) {
  for (const bool is_decided : {true, false}) {
    History history;
    history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
    history.note_heal(kStart);
    history.note_end(1);
    history.observe(kStart + 10s, {{1, kIp, 0}, {2, kIp, 0}});
    EXPECT_THAT(history.violations(), IsEmpty());
    history.observe(kStart + 90s, is_decided ? std::vector<History::Holding>{{2, kIp, 0}}
                                             : std::vector<History::Holding>{{1, kIp, 0}, {2, kIp, 0}});
    EXPECT_EQ(history.violations().size(), is_decided ? 0u : 1u);
  }
}

/// Each part keeps what it has, and it is decided when they meet again.
TEST(History, PartsThatAreApartAgainDecideAfterTheNextHeal) {
  for (const bool is_decided : {true, false}) {
    History history;
    history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
    history.note_contact();
    history.note_heal(kStart + 5s);
    history.note_split(kStart + 6s);
    history.observe(kStart + 95s, {{1, kIp, 0}, {2, kIp, 1}});
    history.note_contact();
    history.note_heal(kStart + 100s);
    history.observe(kStart + 189s, {{1, kIp, 0}, {2, kIp, 0}});
    EXPECT_THAT(history.violations(), IsEmpty());
    history.observe(kStart + 190s, is_decided ? std::vector<History::Holding>{{2, kIp, 0}}
                                              : std::vector<History::Holding>{{1, kIp, 0}, {2, kIp, 0}});
    EXPECT_EQ(history.violations().size(), is_decided ? 0u : 1u);
  }
}

TEST(History, WhatWasDecidedBeforePartsAreApartAgainIsNotInDisputeAnyMore) {
  for (const Duration apart : {29s, 30s}) {
    History history;
    history.observe(kStart, {{1, kIp, 0}, {2, kIp, 1}});
    history.note_heal(kStart);
    history.observe(kStart + 20s, {{2, kIp, 0}});
    history.note_split(kStart + apart);
    history.observe(kStart + 40s, {{1, kIp, 0}, {2, kIp, 0}});
    EXPECT_EQ(history.violations().size(), apart < History::kDecided ? 0u : 1u);
  }
}

}  // namespace
}  // namespace ipop::sim
