// Links that are set up: rekeys, silence, restarts, moves, ends.
#include <gtest/gtest.h>

#include "overlay/link/links.h"
#include "tests/support/sites.h"

namespace ipop {
namespace {

using test::Flight;
using test::Pair;
using test::Site;

const Endpoint kElsewhere = Endpoint::from_ipv4({0xcb007107}, 4444);

TEST(Links, RekeyLeavesNoUnusableMoment) {
  Pair pair;
  pair.connect();
  std::vector<Duration> rekeys;
  uint64_t handshakes = 1;
  pair.advance_to(Instant{10s} + 500s, [&] {
    ASSERT_TRUE(pair.frame_crosses(pair.alpha, pair.beta)) << pair.now.time_since_epoch().count();
    ASSERT_TRUE(pair.frame_crosses(pair.beta, pair.alpha)) << pair.now.time_since_epoch().count();
    if (pair.alpha.link_to(pair.beta)->handshakes() == handshakes) return;
    handshakes = pair.alpha.link_to(pair.beta)->handshakes();
    rekeys.push_back(pair.now.time_since_epoch());
  });
  EXPECT_EQ(rekeys, (std::vector<Duration>{130s, 250s, 370s, 490s}));
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.beta.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>() + pair.beta.count<Links::Disconnected>(), 0u);
}

TEST(Links, RekeyUnderLossLeavesNoUnusableMoment) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Pair pair({.rekey_after = 24s});
    pair.connect();
    SeededRandom random(seed);
    bool is_probe = false;
    pair.loses = [&](const Flight&) { return !is_probe && random.below(4) == 0; };
    pair.advance_to(Instant{10s} + 300s, [&] {
      is_probe = true;
      ASSERT_TRUE(pair.frame_crosses(pair.alpha, pair.beta)) << "seed " << seed;
      ASSERT_TRUE(pair.frame_crosses(pair.beta, pair.alpha)) << "seed " << seed;
      is_probe = false;
    });
    EXPECT_GE(pair.alpha.link_to(pair.beta)->handshakes(), 8u);
    EXPECT_EQ(pair.alpha.count<Links::Disconnected>() + pair.beta.count<Links::Disconnected>(), 0u);
  }
}

TEST(Links, RekeySurvivesTheLossOfTheInitiator) {  // It does not rekey: the responder does, an eighth later.
  Pair pair;
  pair.connect();
  ASSERT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  pair.loses = [&](const Flight& flight) {
    return flight.type() == wire::Type::Initiation && flight.from == pair.alpha.endpoint;
  };
  pair.advance_to(Instant{10s} + 135s - 1us);
  EXPECT_EQ(pair.beta.link_to(pair.alpha)->handshakes(), 1u);
  pair.advance_to(Instant{10s} + 135s);
  EXPECT_EQ(pair.beta.link_to(pair.alpha)->handshakes(), 2u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

TEST(Links, AReplacedKeypairIsAcceptedForAnotherMinute) {  // Rekeyed after two.
  for (const bool in_time : {true, false}) {
    Pair pair;
    pair.connect();
    ASSERT_TRUE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
    const Flight kept = pair.take();
    pair.advance_to(Instant{10s} + 180s - (in_time ? 1us : 0us));
    pair.arrive(kept);
    EXPECT_EQ(pair.beta.count<Links::Frame>(), in_time ? 1u : 0u);
    EXPECT_EQ(pair.beta.refused.get(Error::UnknownSession), in_time ? 0u : 1u);
  }
}

// Of a link without a round trip to speak of: five pauses, of which the first is the shortest there is, 150
// ms, and each other one a quarter longer than the last.
constexpr Duration kGivenUpAfter = 150'000us + 187'500us + 234'375us + 292'968us + 366'210us;

/// Whoever called waits a fifth longer.
constexpr Duration kCallersKeepalive = 24s;

TEST(Links, ASilentPeerIsDeadSoonAfterItWasAsked) {
  Pair pair;
  pair.connect();
  int pings = 0;
  pair.loses = [&](const Flight& flight) {
    if (flight.from == pair.alpha.endpoint) ++pings;
    return true;
  };
  const Instant dead = Instant{10s} + kCallersKeepalive + kGivenUpAfter;
  pair.advance_to(dead - 1us);
  EXPECT_EQ(pings, 5);
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 0u);
  pair.advance_to(dead);
  for (const Site* site : {&pair.alpha, &pair.beta}) {
    const auto* disconnected = site->last<Links::Disconnected>();
    ASSERT_NE(disconnected, nullptr);
    EXPECT_EQ(disconnected->end, Links::End::Dead);
  }
  EXPECT_EQ(pair.alpha.last<Links::Disconnected>()->node, pair.beta.id());
  EXPECT_EQ(pair.alpha.last<Links::Disconnected>()->path, pair.beta.endpoint);
  EXPECT_TRUE(pair.alpha.links().all().empty());
  EXPECT_FALSE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
  EXPECT_EQ(pair.next_timeout(), kNever) << "nothing is left behind";

  pair.loses = nullptr;
  pair.connect();
}

TEST(Links, OverTheRingDieLikeOthers) {
  Pair pair;
  pair.connect_over_ring();
  pair.loses = [](const Flight&) { return true; };
  pair.advance_to(Instant{10s} + kCallersKeepalive + kGivenUpAfter);
  ASSERT_NE(pair.alpha.last<Links::Disconnected>(), nullptr);
  EXPECT_EQ(pair.alpha.last<Links::Disconnected>()->path, Path::over_ring(pair.beta.id()));
}

TEST(Links, ANeighbourIsAskedAsOftenAsItsOwnerWants) {
  Pair pair;
  pair.connect();
  pair.alpha.links().set_use(pair.now, pair.beta.id(), true, 6s);
  pair.alpha.links().set_use(pair.now, Pair::grid().member(3).id, true, 6s);  // Nobody: nothing happens.
  pair.loses = [](const Flight&) { return true; };
  pair.advance_to(Instant{10s} + 7200ms + kGivenUpAfter);  // Six seconds and a fifth.
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 1u);
  EXPECT_EQ(pair.beta.count<Links::Disconnected>(), 0u) << "the other end has its own reasons";
}

TEST(Links, APeerThatIsDoubtedIsAskedAtOnce) {
  Pair pair;
  pair.connect();
  pair.alpha.links().ask_for_life(pair.now, pair.beta.id());
  pair.alpha.links().ask_for_life(pair.now, pair.beta.id());
  EXPECT_EQ(pair.take().type(), wire::Type::Control);
  EXPECT_TRUE(pair.wire.empty()) << "once, whoever doubts it";
  pair.loses = [](const Flight&) { return true; };
  pair.advance_to(Instant{10s} + kGivenUpAfter);
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 1u);
}

TEST(Links, AQuietPeerThatLivesAnswers) {
  Pair pair;
  pair.connect();
  pair.advance(5s);
  pair.alpha.link_to(pair.beta)->activity()->quiet = true;
  pair.alpha.links().handle_quiet(pair.now, pair.beta.id());
  pair.settle();
  EXPECT_FALSE(pair.alpha.link_to(pair.beta)->activity()->quiet);
  pair.alpha.links().handle_quiet(pair.now, Pair::grid().member(3).id);  // Of nobody: nothing happens.
  pair.advance(60s);
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 0u);
}

TEST(Links, AQuietPeerThatDoesNotIsDeadSoon) {
  Pair pair;
  pair.connect();
  pair.loses = [](const Flight&) { return true; };
  pair.alpha.links().handle_quiet(pair.now, pair.beta.id());
  pair.advance_to(Instant{10s} + kGivenUpAfter - 1us);
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 0u);
  pair.advance_to(Instant{10s} + kGivenUpAfter);
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 1u);
}

TEST(Links, AnUncleanRestartOfThePeerIsNoticedByTheNextFrame) {
  Pair pair;
  pair.connect();
  pair.advance(33s);
  pair.beta.restart();
  pair.beta.events.clear();
  ASSERT_TRUE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
  pair.settle();  // UnknownSession, and then a handshake: no timer was needed.
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 2u)
      << "the new process knows nothing of what we told the old one";
  EXPECT_EQ(pair.beta.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 0u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

TEST(Links, ARestartedPeerThatCallsFirstIsNoticed) {
  Pair pair;
  pair.connect();
  pair.beta.restart();
  pair.call(pair.beta, pair.alpha);
  pair.settle();
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 2u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

// The peer comes back in the last moment before we give it up.
TEST(Links, ARestartRightBeforeDeathCostsNoMoreThanAHandshake) {
  Pair pair;
  pair.connect();
  pair.loses = [](const Flight&) { return true; };
  pair.advance_to(Instant{10s} + kKeepaliveInterval + kGivenUpAfter - 1ms);
  pair.beta.restart();
  pair.loses = nullptr;
  ASSERT_TRUE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
  pair.collect();
  while (pair.wire.front().type() != wire::Type::Confirmation) pair.deliver();
  const Flight confirmation = pair.take();
  pair.now += 2ms;  // The deadline of the last Ping passes while the Confirmation travels.
  pair.visit();
  pair.arrive(confirmation);
  pair.settle();
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 0u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

TEST(Links, ForgedHintsOfARestartChangeNothing) {
  Pair pair;
  pair.connect();
  const uint32_t index = pair.alpha.link_to(pair.beta)->sending()->remote_index();
  pair.arrive({kElsewhere, pair.alpha.endpoint, wire::UnknownSession{.receiver_index = index}.encode()});
  pair.arrive(
      {pair.beta.endpoint, pair.alpha.endpoint, wire::UnknownSession{.receiver_index = index + 1}.encode()});
  EXPECT_EQ(pair.alpha.refused.get(Error::UnexpectedMessage), 2u);
  EXPECT_TRUE(pair.wire.empty());
  // One that is forged well leads to a handshake too many, and that is all.
  for (int i = 0; i < 5; ++i) {
    pair.arrive(
        {pair.beta.endpoint, pair.alpha.endpoint, wire::UnknownSession{.receiver_index = index}.encode()});
  }
  EXPECT_EQ(pair.wire.size(), 1u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  pair.settle();
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u);
}

TEST(Links, FollowAPeerThatMoves) {
  Pair pair;
  pair.connect();
  const uint64_t version = pair.alpha.links().version();
  pair.beta.endpoint = kElsewhere;
  ASSERT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->path(), kElsewhere);
  EXPECT_GT(pair.alpha.links().version(), version);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_EQ(pair.alpha.log.count("moved"), 1u);
}

TEST(Links, DoNotFollowForgedOrReplayedDatagrams) {
  Pair pair;
  pair.connect();
  ASSERT_TRUE(pair.beta.links().send_frame(pair.now, pair.alpha.id(), Bytes(60)));
  Flight genuine = pair.take();
  pair.arrive(genuine);
  Flight replayed = genuine;
  replayed.from = kElsewhere;
  pair.arrive(replayed);
  Flight forged = replayed;
  forged.bytes[15] ^= 1;
  pair.arrive(forged);
  EXPECT_EQ(pair.alpha.refused.get(Error::Replayed), 1u);
  EXPECT_EQ(pair.alpha.refused.get(Error::BadAuthTag), 1u);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->path(), pair.beta.endpoint);
}

TEST(Links, APeerThatMovesAllTheTimeDoesNotFillTheLog) {
  Pair pair;
  pair.connect();
  for (uint16_t i = 0; i < 100; ++i) {
    pair.beta.endpoint.port = static_cast<uint16_t>(2000 + i);
    ASSERT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
  }
  EXPECT_LE(pair.alpha.log.count("moved"), 10u);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->path(), pair.beta.endpoint);
}

TEST(Links, GoodbyeEndsALink) {
  const std::pair<wire::Goodbye::Reason, Links::End> ends[] = {
      {wire::Goodbye::Reason::Stopping, Links::End::Stopped},
      {wire::Goodbye::Reason::Unneeded, Links::End::Unneeded},
  };
  for (const auto& [reason, end] : ends) {
    Pair pair;
    pair.connect();
    pair.alpha.links().send_control(pair.now, pair.beta.id(), wire::Goodbye{.reason = reason});
    pair.settle();
    const auto* disconnected = pair.beta.last<Links::Disconnected>();
    ASSERT_NE(disconnected, nullptr);
    EXPECT_EQ(disconnected->node, pair.alpha.id());
    EXPECT_EQ(disconnected->path, pair.alpha.endpoint);
    EXPECT_EQ(disconnected->end, end);
    EXPECT_TRUE(pair.beta.links().all().empty());
    EXPECT_EQ(pair.beta.links().next_timeout(), kNever);
  }
}

TEST(Links, HangingUpTellsThePeerThatItIsNotNeeded) {
  Pair pair;
  pair.connect();
  const uint64_t version = pair.alpha.links().version();
  pair.alpha.links().hang_up(pair.now, pair.beta.id());
  pair.settle();
  for (const Site* site : {&pair.alpha, &pair.beta}) {
    ASSERT_NE(site->last<Links::Disconnected>(), nullptr);
    EXPECT_EQ(site->last<Links::Disconnected>()->end, Links::End::Unneeded);
    EXPECT_TRUE(site->link_to(pair.alpha) == nullptr && site->link_to(pair.beta) == nullptr);
  }
  EXPECT_GT(pair.alpha.links().version(), version) << "the fast path forgets it, too";
  EXPECT_EQ(pair.next_timeout(), kNever);
  const size_t events = pair.alpha.events.size();
  pair.alpha.links().hang_up(pair.now, pair.beta.id());  // Of nobody: nothing happens.
  pair.settle();
  EXPECT_EQ(pair.alpha.events.size(), events);

  pair.connect();  // And for whoever thinks better of it:
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
}

TEST(Links, BothEndsLearnWhetherTheOtherHasAUseForThem) {
  Pair pair;
  pair.connect();
  EXPECT_TRUE(pair.beta.link_to(pair.alpha)->peer_wants_link());
  pair.alpha.links().set_use(pair.now, pair.beta.id(), false, kKeepaliveInterval);
  pair.advance(kCallersKeepalive);  // The next Ping or Pong says so.
  EXPECT_FALSE(pair.beta.link_to(pair.alpha)->peer_wants_link());
  EXPECT_TRUE(pair.alpha.link_to(pair.beta)->peer_wants_link()) << "its Pong says so";
  pair.beta.links().set_use(pair.now, pair.alpha.id(), false, kKeepaliveInterval);
  pair.advance(kCallersKeepalive);
  EXPECT_FALSE(pair.alpha.link_to(pair.beta)->peer_wants_link());
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 0u) << "closing it is for the owner";
}

TEST(Links, AnIdleLinkIsRekeyedAfterAnHour) {
  Pair pair;
  pair.connect();
  pair.advance_to(Instant{10s} + 3600s - 1us);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->handshakes(), 1u);
  pair.advance_to(Instant{10s} + 3600s + 60s);
  EXPECT_GE(pair.alpha.link_to(pair.beta)->handshakes(), 2u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u);
}

// A rekey under way goes to where the peer was.  It fails, for the peer moves meanwhile; the next one must
// follow.
TEST(Links, ARekeyThatThePeerMovedAwayFromIsTriedAgain) {
  Pair pair;
  pair.connect();
  ASSERT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  pair.loses = [&](const Flight& flight) {
    return flight.type() == wire::Type::Initiation &&
           (flight.from == pair.beta.endpoint || pair.now < Instant{141s});
  };
  pair.advance_to(Instant{131s});  // Alpha has begun at 130 s.
  pair.beta.endpoint = kElsewhere;
  ASSERT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
  pair.advance_to(Instant{150s});  // It gave up at 140 s and looked again at 145 s.
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->handshakes(), 2u);
}

// "The initiator goes first; the responder only if that fails, so that the two do not rekey at once."
TEST(Links, AnIdleLinkIsRekeyedByOneOfItsEnds) {
  Pair pair;
  pair.connect();
  int initiations = 0;
  pair.loses = [&](const Flight& flight) {
    if (flight.type() == wire::Type::Initiation) ++initiations;
    return false;
  };
  pair.advance_to(Instant{10s} + 3600s + 60s);
  EXPECT_EQ(initiations, 1);
}

// Each end may send under the keypair of another handshake than the other end: both have to go on receiving.
TEST(Links, AfterBothHaveCalledAtOnceNothingIsRefused) {
  Pair pair;
  pair.call(pair.alpha, pair.beta);
  pair.call(pair.beta, pair.alpha);
  pair.settle();
  ASSERT_TRUE(pair.can_send(pair.alpha, pair.beta) && pair.can_send(pair.beta, pair.alpha));
  for (int i = 1; i <= 100; ++i) {
    pair.advance_to(Instant{10s} + i * 1s);
    EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta)) << i << " s";
    EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha)) << i << " s";
  }
  EXPECT_EQ(pair.alpha.refused.get(Error::UnknownSession), 0u);
  EXPECT_EQ(pair.beta.refused.get(Error::UnknownSession), 0u);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->handshakes(), 2u) << "nothing was rekeyed before its time";
}

}  // namespace
}  // namespace ipop
