// Whom a node calls and when, seen by what it sends.
#include "tests/ring/lone_node.h"

namespace ipop {
namespace {

using CallsTest = test::LoneNode;

TEST_F(CallsTest, WhomItHearsOfIsCalled) {
  alone_.ring->handle_heard_of(now_, {.node = stranger(1), .endpoint = place_of(1)});
  alone_.ring->handle_heard_of(now_, {.node = alone_.id(), .endpoint = place_of(2)});
  const auto calls = calls_until(now_ + 1s);
  EXPECT_EQ(calls.size(), 1u) << "and not ourselves";
  EXPECT_TRUE(calls.contains(place_of(1)));
}

TEST_F(CallsTest, AreBoundedInNumber) {
  for (uint8_t i = 1; i <= 60; ++i)
    alone_.ring->handle_known_peer(now_, {.node = stranger(i), .endpoint = place_of(i)});
  EXPECT_EQ(calls_until(now_ + 1s).size(), kMaxCalls);
}

TEST_F(CallsTest, OfWhoAsksForALinkAreBoundedInNumberAndFollowEachOther) {
  for (uint8_t i = 1; i <= 2 * kMaxCalls; ++i) {
    wire::Routed envelope;
    envelope.source = stranger(i);
    alone_.ring->handle_connect(now_, envelope,
                                {.purpose = wire::Purpose::Shortcut,
                                 .subject = {.node = stranger(i), .endpoint = place_of(i)},
                                 .via = std::nullopt});
  }
  EXPECT_EQ(calls_until(now_ + 1s).size(), kMaxCalls);
  calls_until(now_ + 2s + kRingCallPatience - 100ms);
  EXPECT_EQ(calls_until(now_ + 1s).size(), kMaxCalls) << "the others, when the first have not answered";
}

TEST_F(CallsTest, OfHearsayThatDoesNotAnswerNothingRemains) {
  alone_.ring->handle_heard_of(now_, {.node = stranger(1), .endpoint = place_of(1)});
  EXPECT_TRUE(calls_until(now_ + 1s).contains(place_of(1)));
  calls_until(now_ + 5s);
  EXPECT_EQ(alone_.ring->contacts().find(stranger(1)), nullptr)
      << "whoever is linked to it will speak of it again";
  EXPECT_TRUE(calls_until(now_ + 600s).empty());
  alone_.ring->handle_heard_of(now_, {.node = stranger(1), .endpoint = place_of(1)});
  EXPECT_TRUE(calls_until(now_ + 1s).contains(place_of(1)));
}

TEST_F(CallsTest, ANewEndpointIsNews) {
  alone_.ring->handle_heard_of(now_, {.node = stranger(1), .endpoint = place_of(1)});
  calls_until(now_ + 60s);
  alone_.ring->handle_heard_of(now_, {.node = stranger(1), .endpoint = place_of(1)});
  alone_.ring->handle_heard_of(now_, {.node = stranger(1), .endpoint = place_of(2)});
  EXPECT_TRUE(calls_until(now_ + 1s).contains(place_of(2)) || calls_until(now_ + 10s).contains(place_of(2)));
}

// A peer answers a call and then is not heard of again: its link was never confirmed, so that the call fails
// and the link ends (links_test.cc, ALinkThatWasNeverConfirmedEndsWithItsHandshake).
TEST_F(CallsTest, OfPeersThatVanishInTheHandshakeAreOverOnce) {
  for (uint8_t i = 1; i <= kMaxCalls; ++i) {
    alone_.ring->handle_heard_of(now_, {.node = stranger(i), .endpoint = place_of(i)});
    calls_until(now_ + 500ms);
    ASSERT_TRUE(alone_.ring->contacts().find(stranger(i))->is_calling()) << int{i};
    alone_.ring->handle_failed(now_, {.target = {.path = place_of(i), .node = stranger(i)}, .reason = {}});
    alone_.ring->handle_disconnected(now_,
                                     {.node = stranger(i), .path = place_of(i), .end = Links::End::Dead});
  }
  calls_until(now_ + 300s);
  alone_.ring->handle_heard_of(now_, {.node = stranger(99), .endpoint = place_of(99)});
  EXPECT_TRUE(calls_until(now_ + 5s).contains(place_of(99))) << "no call is under way any more";
}

// Its neighbours need some time to notice, and speak of it until then.
TEST_F(CallsTest, ALostPeerThatOthersSpeakOfTwentySecondsLaterLives) {
  alone_.ring->handle_connected(now_, {.node = stranger(1), .path = place_of(1)});
  alone_.pump(now_);
  const Instant lost_at = now_;
  alone_.ring->handle_disconnected(now_, {.node = stranger(1), .path = place_of(1), .end = Links::End::Dead});
  const Contact contact{.node = stranger(1), .endpoint = place_of(1)};
  calls_until(lost_at + 20s - 1us);
  alone_.ring->handle_heard_of(now_, contact);
  EXPECT_TRUE(alone_.ring->contacts().find(stranger(1))->is_lost);
  calls_until(lost_at + 25s);  // A call of the lost one may be under way.
  alone_.ring->handle_heard_of(now_, contact);
  EXPECT_FALSE(alone_.ring->contacts().find(stranger(1))->is_lost);
  EXPECT_TRUE(calls_until(now_ + kFirstRedial).contains(place_of(1)));
}

// It may be a stale word, or the first of a partition that has just healed.
TEST_F(CallsTest, ALostPeerThatOthersSpeakOfSoonerIsCalledOnceAndStaysLost) {
  alone_.ring->handle_connected(now_, {.node = stranger(1), .path = place_of(1)});
  alone_.pump(now_);
  const Instant lost_at = now_;
  alone_.ring->handle_disconnected(now_, {.node = stranger(1), .path = place_of(1), .end = Links::End::Dead});
  const Contact contact{.node = stranger(1), .endpoint = place_of(1)};
  alone_.ring->handle_heard_of(now_, contact);
  alone_.ring->handle_heard_of(now_, contact);
  EXPECT_EQ(calls_until(now_ + 10ms)[place_of(1)], 1);
  alone_.ring->handle_heard_of(now_, contact);
  EXPECT_TRUE(calls_until(lost_at + kLostCallPatience - 1ms).empty()) << "it has not had time to answer";
  calls_until(lost_at + 5s);
  const KnownNode* entry = alone_.ring->contacts().find(stranger(1));
  ASSERT_NE(entry, nullptr) << "it is not forgotten, as hearsay would be";
  EXPECT_TRUE(entry->is_lost);
}

/// Guests of each send to one of the other at the same time.
TEST_F(CallsTest, WhenBothWantALinkADirectPathIsTriedAtOnce) {
  alone_.ring->want(now_, stranger(1));
  EXPECT_TRUE(calls_until(now_ + 100ms).empty()) << "it is called over the ring";
  const wire::Connect request{.purpose = wire::Purpose::Traffic,
                              .subject = {.node = stranger(1), .endpoint = place_of(1)},
                              .via = std::nullopt};
  wire::Routed envelope;
  envelope.source = stranger(1);
  alone_.ring->handle_connect(now_, envelope, request);
  EXPECT_TRUE(calls_until(now_ + 100ms).contains(place_of(1)));
  calls_until(now_ + kCallPatience);
  ASSERT_NE(alone_.ring->contacts().find(stranger(1)), nullptr);
  EXPECT_TRUE(alone_.ring->contacts().find(stranger(1))->is_calling()) << "the ring may still lead there";
}

// Two hosts between which nothing passed for ten minutes: nobody else would find the one for the other.
TEST_F(CallsTest, WhoIsAloneGoesOnCallingTheLost) {
  for (uint8_t i = 1; i <= 2; ++i)
    alone_.ring->handle_connected(now_, {.node = stranger(i), .path = place_of(i)});
  alone_.pump(now_);
  for (uint8_t i = 1; i <= 2; ++i)
    alone_.ring->handle_disconnected(now_,
                                     {.node = stranger(i), .path = place_of(i), .end = Links::End::Dead});
  calls_until(now_ + 600s);
  const auto calls = calls_until(now_ + 10s);
  EXPECT_TRUE(calls.contains(place_of(1)) && calls.contains(place_of(2)));
}

TEST_F(CallsTest, TheLongerOneIsLostTheMoreSeldomItIsCalled) {
  alone_.ring->handle_connected(now_, {.node = stranger(1), .path = place_of(1)});
  alone_.pump(now_);
  alone_.ring->handle_disconnected(now_, {.node = stranger(1), .path = place_of(1), .end = Links::End::Dead});
  const auto calls_in_an_hour = [&] {
    size_t calls = 0;
    for (const Instant end = now_ + 1h; now_ < end;) calls += !calls_until(now_ + 1s).empty();
    return calls;
  };
  EXPECT_GT(calls_in_an_hour(), 300u);
  (void)calls_until(now_ + 9h);
  const size_t later = calls_in_an_hour();
  EXPECT_GE(later, 12u);
  EXPECT_LE(later, 16u);
  (void)calls_until(now_ + 13h);
  EXPECT_EQ(calls_in_an_hour(), 0u) << "forgotten after a day";
}

TEST_F(CallsTest, ALostPeerThatGuestsTalkToIsCalledAtItsEndpoint) {
  alone_.ring->handle_connected(now_, {.node = stranger(1), .path = place_of(1)});
  alone_.pump(now_);
  alone_.ring->handle_disconnected(now_, {.node = stranger(1), .path = place_of(1), .end = Links::End::Dead});
  int calls = 0;
  for (const Instant end = now_ + 60s; now_ < end;) {
    alone_.ring->want(now_, stranger(1));
    for (const auto& [endpoint, times] : calls_until(now_ + 100ms)) calls += times;
  }
  EXPECT_GE(calls, 15) << "each 4 s or more often";
}

TEST_F(CallsTest, ALostPeerThatGuestsTalkToIsCalledOverTheRingWithPauses) {
  alone_.ring->handle_connected(now_, {.node = stranger(1), .path = place_of(1)});
  alone_.pump(now_);
  alone_.ring->handle_disconnected(now_, {.node = stranger(1), .path = place_of(1), .end = Links::End::Dead});
  int over_ring = 0;
  for (const Instant end = now_ + 160s; now_ < end;) {
    alone_.ring->want(now_, stranger(1));
    using State = KnownNode::State;
    over_ring += alone_.ring->contacts().find(stranger(1))->state == State::CallingOverRing;
    calls_until(now_ + 100ms);
  }
  EXPECT_GE(over_ring, 500);
  EXPECT_LE(over_ring, 640) << "of 1600: 6 s of 16 s, or somewhat more";
}

TEST_F(CallsTest, ThatGuestsWaitForBlockNoOthers) {
  for (uint8_t i = 1; i <= kMaxCalls; ++i) alone_.ring->want(now_, stranger(i));
  alone_.ring->handle_heard_of(now_, {.node = stranger(99), .endpoint = place_of(99)});
  EXPECT_TRUE(calls_until(now_ + 1s).contains(place_of(99)));
}

// "A lost peer gets one Initiation and this long to answer."
TEST_F(CallsTest, OfALostPeerAreOneInitiationEach) {
  alone_.ring->handle_connected(now_, {.node = stranger(1), .path = place_of(1)});
  alone_.pump(now_);
  alone_.ring->handle_disconnected(now_, {.node = stranger(1), .path = place_of(1), .end = Links::End::Dead});
  std::vector<Instant> initiations;
  while (now_ < Instant{1000s} + 1700s) {
    if (!calls_until(now_ + 10ms).empty()) initiations.push_back(now_);
  }
  ASSERT_GT(initiations.size(), 10u);
  size_t repeated = 0;
  for (size_t i = 1; i < initiations.size(); ++i)
    repeated += initiations[i] - initiations[i - 1] < kLostCallPatience;
  EXPECT_EQ(repeated, 0u) << "of " << initiations.size();
}

}  // namespace
}  // namespace ipop
