#include "overlay/ring/contacts.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/ring/testing.h"

namespace ipop {
namespace {

using ring_testing::at;
using State = KnownNode::State;

constexpr Instant kStart{100s};

TEST(Contacts, KnowsANodeFromItsFirstMention) {
  Contacts contacts;
  EXPECT_EQ(contacts.find(at(1)), nullptr);
  KnownNode& entry = contacts.know(kStart, at(1));
  EXPECT_EQ(entry.state, State::Idle);
  EXPECT_EQ(entry.heard_at, kStart);
  EXPECT_EQ(entry.call_at, kStart) << "and may call it at once";
  EXPECT_FALSE(entry.has_endpoint());
  EXPECT_EQ(&contacts.know(kStart + 5s, at(1)), &entry);
  EXPECT_EQ(entry.heard_at, kStart) << "a second mention is its caller's to note";
  EXPECT_EQ(contacts.find(at(1)), &entry);
  contacts.forget(at(1));
  EXPECT_EQ(contacts.find(at(1)), nullptr);
}

TEST(Contacts, PausesBetweenCallsDouble) {
  Contacts contacts;
  SeededRandom random(1);
  KnownNode& entry = contacts.know(kStart, at(1));
  for (const Duration pause : {2s, 4s, 8s, 16s, 32s, 64s, 120s, 120s, 120s}) {
    contacts.put_off(kStart, entry, random);
    EXPECT_GE(entry.call_at - kStart, pause * 2 / 3 - 1us) << "give or take a third";
    EXPECT_LE(entry.call_at - kStart, pause * 4 / 3 + 1us);
  }
}

TEST(Contacts, TwoNodesDoNotStayInStep) {
  Contacts contacts;
  SeededRandom random(1);
  contacts.put_off(kStart, contacts.know(kStart, at(1)), random);
  contacts.put_off(kStart, contacts.know(kStart, at(2)), random);
  EXPECT_NE(contacts.find(at(1))->call_at, contacts.find(at(2))->call_at);
}

/// A node of which nobody speaks any more, and which `describe` describes, is forgotten after `lifetime`.
void expect_lifetime(const std::function<void(KnownNode&)>& describe, Duration lifetime) {
  Contacts contacts;
  describe(contacts.know(kStart, at(1)));
  contacts.tidy(kStart + lifetime - 1us);
  EXPECT_NE(contacts.find(at(1)), nullptr);
  contacts.tidy(kStart + lifetime);
  EXPECT_EQ(contacts.find(at(1)), nullptr);
}

TEST(Contacts, HearsayLivesForTwoMinutes) {
  expect_lifetime([](KnownNode&) {}, 120s);
}

TEST(Contacts, AnAcquaintanceIsRememberedForAnHour) {
  expect_lifetime([](KnownNode& node) { node.is_acquaintance = true; }, 1h);
}

TEST(Contacts, ALostPeerIsRememberedForADay) {
  expect_lifetime([](KnownNode& node) { node.is_lost = true; }, 24h);
}

TEST(Contacts, AcquaintancesMakeRoomForWhatNeighboursTell) {
  Contacts contacts;
  for (uint16_t i = 0; i < 50; ++i) contacts.know(kStart, at(i));
  for (uint16_t i = 100; i < 200; ++i) contacts.know(kStart + i * 1ms, at(i)).is_acquaintance = true;
  contacts.tidy(kStart + 1s);
  EXPECT_EQ(contacts.all().size(), 96u);
  for (uint16_t i = 0; i < 50; ++i) EXPECT_NE(contacts.find(at(i)), nullptr) << i;
  EXPECT_EQ(contacts.find(at(153)), nullptr);
  EXPECT_NE(contacts.find(at(154)), nullptr) << "of whom we heard last";
}

TEST(Contacts, NobodyIsForgottenWhoIsLinkedCalledOrTalkedWith) {
  Contacts contacts;
  contacts.know(kStart, at(1)).state = State::Linked;
  contacts.know(kStart, at(2)).state = State::Calling;
  contacts.know(kStart, at(3)).state = State::CallingOverRing;
  contacts.know(kStart, at(4)).traffic_until = kStart + 3601s;
  contacts.tidy(kStart + 3600s);
  EXPECT_EQ(contacts.all().size(), 4u);
  contacts.tidy(kStart + 3601s);
  EXPECT_EQ(contacts.find(at(4)), nullptr) << "the guests have fallen silent";
}

TEST(Contacts, OfTooManyTheOldestGo) {
  Contacts contacts;
  for (uint16_t i = 0; i < 200; ++i) contacts.know(kStart + i * 1ms, at(i));
  for (uint16_t i = 0; i < 20; ++i)
    contacts.know(kStart + i * 1ms, at(static_cast<uint16_t>(1000 + i))).is_lost = true;
  for (uint16_t i = 0; i < 300; ++i)
    contacts.know(kStart, at(static_cast<uint16_t>(2000 + i))).state = State::Linked;
  contacts.tidy(kStart + 1s);
  EXPECT_EQ(contacts.all().size(), 96u + 12u + 300u);
  EXPECT_EQ(contacts.find(at(103)), nullptr);
  EXPECT_NE(contacts.find(at(104)), nullptr) << "the 96 of whom we heard last are 104 to 199";
  EXPECT_EQ(contacts.find(at(1007)), nullptr);
  EXPECT_NE(contacts.find(at(1008)), nullptr) << "and the 12 that were lost last";
}

}  // namespace
}  // namespace ipop
