// Which of two records stays.  Every row of docs/addresses.md's tables.
#include "overlay/dht/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace ipop {
namespace {

using State = wire::DhtRecord::State;

constexpr MacAddress kMac = {{0x52, 0x54, 0, 0, 0, 1}};
constexpr MacAddress kOther = {{0x52, 0x54, 0, 0, 0, 2}};

wire::DhtRecord record(State state, const MacAddress& mac, uint8_t node, uint64_t sequence,
                       uint64_t issued_ms = 1000) {
  wire::DhtRecord out;
  out.state = state;
  out.ip = Ipv4Address{0x0a800105};
  out.mac = mac;
  out.node = {{node}};
  out.sequence = sequence;
  out.issued_ms = issued_ms;
  return out;
}

TEST(Order, TheHigherSequenceWinsThenTheLowerNodeThenTheLater) {
  EXPECT_TRUE(beats(record(State::Bound, kMac, 9, 4), record(State::Bound, kMac, 1, 3)));
  EXPECT_FALSE(beats(record(State::Bound, kMac, 1, 3), record(State::Bound, kMac, 9, 4)));
  EXPECT_TRUE(beats(record(State::Bound, kMac, 1, 3), record(State::Bound, kMac, 9, 3, 2000)));
  EXPECT_TRUE(beats(record(State::Bound, kMac, 1, 3, 1001), record(State::Bound, kMac, 1, 3)));
  EXPECT_FALSE(beats(record(State::Bound, kMac, 1, 3), record(State::Bound, kMac, 1, 3))) << "it is the same";
}

TEST(Order, IsTotal) {
  std::vector<wire::DhtRecord> all;
  for (const State state : {State::Reserved, State::Bound, State::Withdrawn}) {
    for (const MacAddress& mac : {kMac, kOther}) {
      for (const uint8_t node : {uint8_t{1}, uint8_t{2}}) {
        for (const uint64_t sequence : {1, 2}) {
          for (const uint64_t issued : {1000, 2000})
            all.push_back(record(state, mac, node, sequence, issued));
        }
      }
    }
  }
  for (const auto& a : all) {
    for (const auto& b : all) {
      EXPECT_EQ(beats(a, b) || beats(b, a), !(a == b));
      EXPECT_FALSE(beats(a, b) && beats(b, a));
      for (const auto& c : all) EXPECT_TRUE(!(beats(a, b) && beats(b, c)) || beats(a, c));
    }
  }
}

TEST(Replaces, OfOneGuestTheBetterStaysWhateverItsState) {
  for (const State state : {State::Reserved, State::Bound, State::Withdrawn}) {
    EXPECT_TRUE(replaces(record(state, kMac, 1, 4), record(State::Bound, kMac, 2, 3)));
    EXPECT_FALSE(replaces(record(state, kMac, 1, 2), record(State::Bound, kMac, 2, 3)));
  }
}

TEST(Replaces, WhatNobodyGrantedTakesNothingFromAnother) {
  EXPECT_FALSE(replaces(record(State::Reserved, kOther, 1, 9), record(State::Bound, kMac, 2, 3)));
  EXPECT_FALSE(replaces(record(State::Reserved, kOther, 1, 9), record(State::Reserved, kMac, 2, 3)));
  EXPECT_FALSE(replaces(record(State::Withdrawn, kOther, 1, 9), record(State::Bound, kMac, 2, 3)));
}

TEST(Replaces, WhatWasGrantedTakesFromAReservationAndFromAWorseOne) {
  EXPECT_TRUE(replaces(record(State::Bound, kOther, 2, 1), record(State::Reserved, kMac, 1, 9)));
  EXPECT_TRUE(replaces(record(State::Bound, kOther, 1, 3), record(State::Bound, kMac, 2, 3)));
  EXPECT_FALSE(replaces(record(State::Bound, kOther, 2, 3), record(State::Bound, kMac, 1, 3)));
}

TEST(Replaces, AnOlderCopyDoesNotUndoAWithdrawal) {
  EXPECT_FALSE(replaces(record(State::Bound, kMac, 1, 3), record(State::Withdrawn, kMac, 1, 4)));
  EXPECT_FALSE(replaces(record(State::Bound, kOther, 1, 3), record(State::Withdrawn, kMac, 1, 4)));
  EXPECT_TRUE(replaces(record(State::Bound, kOther, 1, 5), record(State::Withdrawn, kMac, 1, 4)));
}

TEST(MayCreate, WhereTheSameGuestOrNobodyIs) {
  EXPECT_TRUE(may_create(record(State::Reserved, kMac, 1, 4), record(State::Bound, kMac, 2, 3)));
  EXPECT_FALSE(may_create(record(State::Reserved, kMac, 1, 3), record(State::Bound, kMac, 2, 4)))
      << "it has to outbid";
  EXPECT_FALSE(may_create(record(State::Reserved, kOther, 1, 9), record(State::Bound, kMac, 2, 3)));
  EXPECT_FALSE(may_create(record(State::Reserved, kOther, 1, 9), record(State::Reserved, kMac, 2, 3)));
  EXPECT_TRUE(may_create(record(State::Reserved, kOther, 1, 5), record(State::Withdrawn, kMac, 2, 4)));
}

TEST(Stamp, TellsVersionsApart) {
  const auto one = record(State::Bound, kMac, 1, 3);
  auto later = one;
  ++later.issued_ms;
  auto resigned = one;
  resigned.signature[0] = 1;
  EXPECT_NE(stamp_of(one), stamp_of(later));
  EXPECT_EQ(stamp_of(one), stamp_of(resigned)) << "what it says is the same";
}

}  // namespace
}  // namespace ipop
