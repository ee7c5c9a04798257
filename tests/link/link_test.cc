#include "overlay/link/link.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/grid.h"
#include "tests/support/keypairs.h"

namespace ipop {
namespace {

using test::Grid;
using Event = Link::Event;

const Endpoint kHome = Endpoint::from_ipv4({0xc6336401}, 1002);
const Endpoint kAway = Endpoint::from_ipv4({0xc6336402}, 1003);

/// Between Pings that are not answered: one second before any sample, then each a quarter longer than the
/// last.
constexpr Duration kPause = 1s;

/// A link to member 2 that is told of handshakes by hand.  Local index i belongs to remote index 1000 + i.
class LinkTest : public ::testing::Test {
 protected:
  void establish(Instant now, uint32_t local_index, Link::Origin origin, uint8_t process = 1,
                 const Path& from = kHome) {
    Established established{.keys = {},
                            .local_index = local_index,
                            .remote_index = 1000 + local_index,
                            .peer = peer_,
                            .remote_static = {}};
    established.keys.send.fill(static_cast<uint8_t>(local_index));
    established.remote_static.fill(process);
    link_.handle_established(now, established, origin, from);
  }
  std::vector<Event> events() {
    std::vector<Event> out;
    while (const auto event = link_.poll_event()) {
      out.push_back(*event);
      if (*event == Event::Dead) break;  // Stays so.
    }
    return out;
  }
  /// Visits at `at`, which is the deadline that the link itself named.
  std::vector<Event> visit(Instant at) {
    EXPECT_EQ(link_.next_timeout(), at);
    link_.handle_timeout(at);
    return events();
  }
  /// The peer, asked at `asked`, stays silent until it is given up.
  void fall_silent(Instant asked) {
    Instant at = asked;
    for (int i = 0; i < 4; ++i) EXPECT_EQ(visit(at += kPause), (std::vector{Event::Ping})) << i;
    EXPECT_EQ(visit(at += kPause), (std::vector{Event::Dead}));
  }
  /// A frame of a guest passes; the switch's threads count it.
  void frame() { link_.activity()->tx_frames.fetch_add(1); }
  uint32_t sending_index() const { return link_.sending() ? link_.sending()->local_index() : 0; }

  Certificate peer_ = Grid().certificate(2);
  SeededRandom random_{9};
  Link link_{peer_.node_id(), "host2", {}, random_};
};

TEST_F(LinkTest, WaitsForNothingBeforeTheFirstHandshake) {
  EXPECT_EQ(link_.next_timeout(), kNever);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(link_.sending(), nullptr);
}

TEST_F(LinkTest, AcceptedIsUsedAtOnceAndSaysSo) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  EXPECT_EQ(sending_index(), 1u);
  EXPECT_EQ(link_.path(), kHome);
  EXPECT_EQ(link_.connected_since(), Instant{100s});
  EXPECT_LT(link_.next_timeout(), Instant{100s}) << "there is something to poll";
  EXPECT_EQ(events(), (std::vector{Event::Connected, Event::Ping}))
      << "the initiator waits for a first datagram";
}

TEST_F(LinkTest, InitiatedIsUsedWhenTheFirstDatagramArrives) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  EXPECT_EQ(link_.sending(), nullptr);
  ASSERT_NE(link_.unconfirmed(), nullptr);
  EXPECT_NE(link_.find(1), nullptr) << "but received with";
  EXPECT_TRUE(events().empty());

  EXPECT_TRUE(link_.handle_received(Instant{100s} + 40ms, 1, kHome));
  EXPECT_EQ(sending_index(), 1u);
  EXPECT_EQ(link_.unconfirmed(), nullptr);
  EXPECT_EQ(events(), (std::vector{Event::Connected, Event::Ping}));
  EXPECT_FALSE(link_.handle_received(Instant{100s} + 50ms, 1, kHome)) << "nothing new for the fast path";
}

TEST_F(LinkTest, RekeyGoesOnWithTheOldKeypairUntilTheNewIsConfirmed) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  establish(Instant{220s}, 2, Link::Origin::Initiated);
  EXPECT_EQ(sending_index(), 1u);
  EXPECT_FALSE(link_.handle_received(Instant{220s}, 1, kHome)) << "the old one confirms nothing";
  EXPECT_EQ(sending_index(), 1u);
  EXPECT_TRUE(link_.handle_received(Instant{221s}, 2, kHome));
  EXPECT_EQ(sending_index(), 2u);
  EXPECT_NE(link_.find(1), nullptr) << "what is still on its way can be opened";
}

TEST_F(LinkTest, ConnectedComesOncePerProcessOfThePeer) {
  establish(Instant{100s}, 1, Link::Origin::Accepted, 1);
  EXPECT_EQ(events().front(), Event::Connected);
  establish(Instant{110s}, 2, Link::Origin::Accepted, 1);
  EXPECT_EQ(events(), (std::vector{Event::Ping}));

  establish(Instant{120s}, 3, Link::Origin::Accepted, 2);  // It restarted: its keys are gone.
  EXPECT_EQ(link_.find(1), nullptr);
  EXPECT_EQ(link_.find(2), nullptr);
  EXPECT_EQ(sending_index(), 3u);
  EXPECT_EQ(link_.connected_since(), Instant{120s});
  EXPECT_EQ(events(), (std::vector{Event::Connected, Event::Ping}));
}

TEST_F(LinkTest, RestartSeenByTheInitiatorConnectsWhenConfirmed) {
  establish(Instant{100s}, 1, Link::Origin::Accepted, 1);
  events();
  establish(Instant{110s}, 2, Link::Origin::Initiated, 2);
  EXPECT_EQ(link_.sending(), nullptr) << "nobody holds the old keys any more";
  EXPECT_TRUE(events().empty());
  link_.handle_received(Instant{111s}, 2, kHome);
  EXPECT_EQ(events().front(), Event::Connected);
}

TEST_F(LinkTest, KeepsFourKeypairsTheNewestFirst) {
  for (uint32_t i = 1; i <= 6; ++i) establish(Instant{100s} + i * 1s, i, Link::Origin::Accepted);
  ASSERT_EQ(link_.receiving().size(), 4u);
  for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(link_.receiving()[i]->local_index(), 6 - i);
  EXPECT_EQ(link_.find(2), nullptr);
  EXPECT_EQ(link_.handshakes(), 6u);
}

TEST_F(LinkTest, MeasuresTheRoundTrip) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  EXPECT_EQ(link_.retry_timeout(), 1s);
  uint64_t token = link_.start_ping(Instant{100s}).token;
  link_.handle_pong(Instant{100s} + 80ms, {.token = token, .wants_link = true, .observed = kAway});
  EXPECT_EQ(link_.round_trip(), 80ms);
  EXPECT_EQ(link_.retry_timeout(), 240ms);  // 80 + 4 x 40.
  EXPECT_EQ(link_.observed(), kAway);
  token = link_.start_ping(Instant{101s}).token;
  link_.handle_pong(Instant{101s} + 160ms, {.token = token, .wants_link = true, .observed = std::nullopt});
  EXPECT_EQ(link_.round_trip(), 90ms);  // 80 + (160 - 80) / 8.
  EXPECT_EQ(link_.observed(), kAway) << "a Pong that does not say so takes nothing back";
  link_.handle_pong(Instant{105s}, {.token = token, .wants_link = true, .observed = kHome});
  EXPECT_EQ(link_.round_trip(), 90ms) << "a second answer counts for nothing";
  link_.start_ping(Instant{110s});
  link_.handle_pong(Instant{115s}, {.token = token, .wants_link = true, .observed = kHome});
  EXPECT_EQ(link_.round_trip(), 90ms) << "nor does one to an older Ping";
  EXPECT_EQ(link_.observed(), kAway);
}

TEST_F(LinkTest, AsksWhereItIsUntilItKnows) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  const wire::Ping ping = link_.start_ping(Instant{100s});
  EXPECT_TRUE(ping.asks_endpoint);
  link_.handle_pong(Instant{100s}, {.token = ping.token, .wants_link = true, .observed = kAway});
  EXPECT_FALSE(link_.start_ping(Instant{101s}).asks_endpoint);
}

TEST_F(LinkTest, OverTheRingHasNoEndpointToAskFor) {
  establish(Instant{100s}, 1, Link::Origin::Accepted, 1, Path::over_ring(peer_.node_id()));
  EXPECT_FALSE(link_.start_ping(Instant{100s}).asks_endpoint);
}

TEST_F(LinkTest, EachEndSaysWhetherItHasAUseForTheLink) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  EXPECT_TRUE(link_.wants_link());
  EXPECT_TRUE(link_.peer_wants_link());
  wire::Ping ping = link_.start_ping(Instant{100s});
  EXPECT_TRUE(ping.wants_link);
  link_.set_use(Instant{101s}, false, kKeepaliveInterval);
  ping = link_.start_ping(Instant{101s});
  EXPECT_FALSE(ping.wants_link);

  link_.handle_ping(false);
  EXPECT_FALSE(link_.peer_wants_link());
  link_.handle_pong(Instant{101s}, {.token = ping.token, .wants_link = true, .observed = {}});
  EXPECT_TRUE(link_.peer_wants_link());
  link_.handle_pong(Instant{102s}, {.token = ping.token + 1, .wants_link = false, .observed = {}});
  EXPECT_FALSE(link_.peer_wants_link()) << "an answer to an older Ping says it as well as any";
}

class ConnectedLinkTest : public LinkTest {
 protected:
  ConnectedLinkTest() {
    establish(Instant{100s}, 1, Link::Origin::Accepted);
    link_.handle_received(Instant{100s}, 1, kHome);
    events();
  }
};

TEST_F(ConnectedLinkTest, AsksAnIdlePeerAfterTwentySeconds) {
  EXPECT_EQ(visit(Instant{120s}), (std::vector{Event::Ping}));
  link_.handle_received(Instant{120s} + 30ms, 1, kHome);
  EXPECT_EQ(visit(Instant{140s} + 30ms), (std::vector{Event::Ping}));
}

TEST_F(ConnectedLinkTest, AsksANeighbourAsOftenAsItsOwnerWants) {
  link_.set_use(Instant{101s}, true, 6s);
  EXPECT_EQ(visit(Instant{106s}), (std::vector{Event::Ping}));
  link_.handle_received(Instant{106s} + 30ms, 1, kHome);
  EXPECT_EQ(visit(Instant{112s} + 30ms), (std::vector{Event::Ping}));
  link_.handle_received(Instant{112s} + 60ms, 1, kHome);
  link_.set_use(Instant{113s}, true, kKeepaliveInterval);
  EXPECT_EQ(visit(Instant{132s} + 60ms), (std::vector{Event::Ping}));
}

TEST_F(ConnectedLinkTest, AskedForShorterKeepalivesMakesUpForIt) {
  link_.set_use(Instant{115s}, true, 6s);  // Nothing was heard for 15 s.
  EXPECT_EQ(visit(Instant{115s}), (std::vector{Event::Ping}));
}

TEST_F(ConnectedLinkTest, TellsThePeerAtOnceThatItHasAUseAfterAll) {
  link_.set_use(Instant{101s}, true, kKeepaliveInterval);
  EXPECT_TRUE(events().empty()) << "nothing new";
  link_.set_use(Instant{101s}, false, kKeepaliveInterval);
  EXPECT_TRUE(events().empty()) << "that can wait for the next Ping";
  link_.set_use(Instant{102s}, false, kKeepaliveInterval);
  EXPECT_TRUE(events().empty());
  link_.set_use(Instant{103s}, true, kKeepaliveInterval);
  EXPECT_EQ(events(), (std::vector{Event::Ping}));
}

TEST_F(ConnectedLinkTest, TakesDataThatTheFastPathSawForAnAnswer) {
  link_.activity()->last_received = Instant{112s}.time_since_epoch().count();
  EXPECT_TRUE(visit(Instant{120s}).empty());
  EXPECT_EQ(visit(Instant{132s}), (std::vector{Event::Ping}));
  link_.activity()->last_received = (Instant{132s} + 400ms).time_since_epoch().count();
  link_.activity()->quiet = true;
  EXPECT_TRUE(visit(Instant{133s}).empty());
  EXPECT_FALSE(link_.activity()->quiet);
  EXPECT_EQ(link_.next_timeout(), Instant{152s});
}

TEST_F(ConnectedLinkTest, DiesAfterFiveUnansweredPings) {
  EXPECT_EQ(visit(Instant{120s}), (std::vector{Event::Ping}));
  fall_silent(Instant{120s});
}

// "A peer 100 ms away is given up after some 2 s."
TEST_F(ConnectedLinkTest, PausesByTheRoundTripOfItsLink) {
  for (int i = 0; i < 30; ++i) {
    const Instant at = Instant{100s} + i * 500ms;
    link_.handle_pong(at + 100ms, {.token = link_.start_ping(at).token, .wants_link = true, .observed = {}});
    link_.handle_received(at + 100ms, 1, kHome);
  }
  EXPECT_EQ(link_.retry_timeout(), 150ms);  // Nothing varies: the floor.
  const Instant asked = Instant{120s};
  link_.handle_quiet(asked);
  EXPECT_EQ(events(), (std::vector{Event::Ping}));
  Instant at = asked;
  for (const Duration pause : {150'000us, 187'500us, 234'375us, 292'968us}) {
    EXPECT_EQ(visit(at += pause), (std::vector{Event::Ping}));
  }
  EXPECT_EQ(visit(at += 366'210us), (std::vector{Event::Dead}));
}

TEST_F(ConnectedLinkTest, DiesSevenSecondsAfterATalkativePeerFellSilent) {
  // The fast path notices two seconds of silence.
  link_.handle_quiet(Instant{102s});
  EXPECT_EQ(events(), (std::vector{Event::Ping}));
  link_.handle_quiet(Instant{102s} + 500ms);
  EXPECT_TRUE(events().empty()) << "a second notice asks nothing that is not asked already";
  fall_silent(Instant{102s});
}

TEST_F(ConnectedLinkTest, OneAnswerStartsTheCountAnew) {
  link_.handle_quiet(Instant{102s});
  events();
  Instant at{102s};
  for (int i = 0; i < 4; ++i) visit(at += kPause);
  link_.handle_received(Instant{106s}, 1, kHome);
  EXPECT_EQ(visit(Instant{126s}), (std::vector{Event::Ping}));
  fall_silent(Instant{126s});
}

// The peer restarted while we were about to give it up: its handshake is word from it.
TEST_F(ConnectedLinkTest, AHandshakeProvesLife) {
  for (const auto origin : {Link::Origin::Initiated, Link::Origin::Accepted}) {
    link_.handle_received(Instant{100s}, 1, kHome);
    link_.handle_quiet(Instant{102s});
    events();
    Instant at{102s};
    for (int i = 0; i < 4; ++i) visit(at += kPause);
    establish(Instant{106s}, origin == Link::Origin::Initiated ? 2 : 3, origin,
              origin == Link::Origin::Initiated ? 2 : 3);
    events();
    link_.handle_timeout(Instant{106s} + 300ms);
    for (const Event event : events()) EXPECT_NE(event, Event::Dead);
  }
}

TEST_F(ConnectedLinkTest, FollowsThePeerToItsNewEndpoint) {
  EXPECT_TRUE(link_.handle_received(Instant{101s}, 1, kAway));
  EXPECT_EQ(link_.path(), kAway);
  EXPECT_FALSE(link_.handle_received(Instant{102s}, 1, kAway));
}

TEST_F(LinkTest, OverTheRingMovesToTheFirstDirectPathAndNotBackWhileThatLives) {
  const Path ring = Path::over_ring(peer_.node_id());
  establish(Instant{100s}, 1, Link::Origin::Accepted, 1, ring);
  EXPECT_EQ(link_.path(), ring);
  EXPECT_FALSE(link_.handle_received(Instant{101s}, 1, ring));
  EXPECT_TRUE(link_.handle_received(Instant{102s}, 1, kHome));
  EXPECT_EQ(link_.path(), kHome);
  EXPECT_FALSE(link_.handle_received(Instant{103s}, 1, ring)) << "a late one";
  EXPECT_EQ(link_.path(), kHome);
  establish(Instant{102s} + kSilencePatience - 1us, 2, Link::Origin::Accepted, 1, ring);
  EXPECT_EQ(link_.path(), kHome) << "nor does a handshake over the ring move it back";
  establish(Instant{102s} + kSilencePatience, 3, Link::Origin::Initiated, 1, ring);
  EXPECT_EQ(link_.path(), kHome) << "nobody waits for our Ping";
  establish(Instant{102s} + kSilencePatience, 4, Link::Origin::Accepted, 1, ring);
  EXPECT_EQ(link_.path(), ring) << "nothing came directly for a while";
  EXPECT_TRUE(link_.handle_received(Instant{105s}, 2, kAway));
  EXPECT_EQ(link_.path(), kAway);
}

TEST_F(LinkTest, OverTheRingMovesWithADirectHandshake) {
  establish(Instant{100s}, 1, Link::Origin::Accepted, 1, Path::over_ring(peer_.node_id()));
  establish(Instant{101s}, 2, Link::Origin::Accepted, 1, kHome);
  EXPECT_EQ(link_.path(), kHome);
}

// Nothing is known of how to reach it directly: it may be another host by now.
TEST_F(LinkTest, AnotherProcessIsWhereItsHandshakeCameFrom) {
  establish(Instant{100s}, 1, Link::Origin::Accepted, 1, kHome);
  establish(Instant{110s}, 2, Link::Origin::Accepted, 2, Path::over_ring(peer_.node_id()));
  EXPECT_FALSE(link_.path().is_direct());
}

TEST_F(LinkTest, AnotherProcessIsAskedAnewWhatItWants) {
  establish(Instant{100s}, 1, Link::Origin::Accepted, 1);
  link_.handle_ping(false);
  establish(Instant{110s}, 2, Link::Origin::Accepted, 1);
  EXPECT_FALSE(link_.peer_wants_link()) << "a rekey says nothing of that";
  establish(Instant{120s}, 3, Link::Origin::Accepted, 2);
  EXPECT_TRUE(link_.peer_wants_link());
}

TEST_F(ConnectedLinkTest, KnowsWhenTheLastFramePassed) {
  link_.look(Instant{101s});
  EXPECT_EQ(link_.last_frame(), Instant{}) << "control messages do not count";
  link_.activity()->tx_frames = 1;
  link_.look(Instant{102s});
  EXPECT_EQ(link_.last_frame(), Instant{102s});
  link_.look(Instant{103s});
  EXPECT_EQ(link_.last_frame(), Instant{102s});
  link_.activity()->rx_frames = 1;
  link_.look(Instant{104s});
  EXPECT_EQ(link_.last_frame(), Instant{104s});
}

TEST_F(ConnectedLinkTest, AsksWhatHasArrivedWhileTrainsAreSent) {
  link_.activity()->tx_frames = 100;
  EXPECT_FALSE(link_.look(Instant{101s})) << "one by one";
  EXPECT_FALSE(link_.start_ping(Instant{101s}).asks_received);
  TrainTrial::Change change{};
  for (uint64_t i = 2; i <= 2 + TrainTrial::kInARow; ++i) {
    EXPECT_EQ(change, TrainTrial::Change::None) << i;
    const Instant now = Instant{100s} + i * 1s;
    link_.activity()->tx_frames = 100 * i;
    link_.activity()->tx_joined = 90 * i;
    EXPECT_TRUE(link_.look(now));
    EXPECT_EQ(events(), (std::vector{Event::Ping})) << i;
    const wire::Ping ping = link_.start_ping(now);
    EXPECT_TRUE(ping.asks_received);
    change = link_.handle_pong(now, {.token = ping.token, .wants_link = true, .observed = {}, .received = 7});
  }
  EXPECT_EQ(change, TrainTrial::Change::Suspected);
  EXPECT_FALSE(link_.trains().allows_trains());
}

TEST_F(ConnectedLinkTest, AsksForAHandshakeOnAHintOnce) {
  link_.handle_unknown_session(Instant{101s});
  link_.handle_unknown_session(Instant{101s});
  EXPECT_EQ(events(), (std::vector{Event::Rekey}));
  EXPECT_EQ(sending_index(), 1u) << "a hint is no proof";
  link_.handle_unknown_session(Instant{103s});
  EXPECT_TRUE(events().empty()) << "one handshake at a time";
  link_.handle_handshake_failed(2);
  EXPECT_TRUE(events().empty()) << "a live session survives it";
  link_.handle_unknown_session(Instant{103s} + kHintInterval - 1us);
  EXPECT_TRUE(events().empty()) << "too soon after the last one";
  link_.handle_unknown_session(Instant{103s} + kHintInterval);
  EXPECT_EQ(events(), (std::vector{Event::Rekey}));
}

/// Keeps the peer alive, so that only the timers of keys matter.
class AgeingLinkTest : public LinkTest {
 protected:
  /// Everything but Ping until `end`.
  std::vector<std::pair<Event, Duration>> run_until(Duration end) {
    std::vector<std::pair<Event, Duration>> out;
    while (link_.next_timeout() <= Instant{end}) {
      now_ = std::max(now_, link_.next_timeout());
      link_.handle_timeout(now_);
      for (const Event event : events()) {
        if (event == Event::Ping) {
          if (!link_.receiving().empty())
            link_.handle_received(now_, link_.receiving().back()->local_index(), kHome);
          continue;
        }
        out.push_back({event, now_.time_since_epoch()});
        if (event == Event::Dead) return out;
      }
    }
    return out;
  }
  Instant now_{100s};
};

using Times = std::vector<std::pair<Event, Duration>>;

TEST_F(AgeingLinkTest, InitiatorRekeysAUsedKeypairAfterTwoMinutes) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  link_.handle_received(Instant{100s}, 1, kHome);
  frame();
  EXPECT_EQ(run_until(230s), (Times{{Event::Connected, 100s}, {Event::Rekey, 220s}}));
  // While that handshake is under way nothing is asked for; when it failed, the next try is due at 235 s.
  link_.handle_handshake_failed(2);
  EXPECT_EQ(run_until(249s), (Times{{Event::Rekey, 235s}}));
}

TEST_F(AgeingLinkTest, ResponderWaitsAnEighthLonger) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  frame();
  EXPECT_EQ(run_until(249s), (Times{{Event::Connected, 100s}, {Event::Rekey, 235s}}));
}

TEST_F(AgeingLinkTest, FramesThatAreReceivedUseAKeypairToo) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  link_.activity()->rx_frames = 1;
  EXPECT_EQ(run_until(249s), (Times{{Event::Connected, 100s}, {Event::Rekey, 235s}}));
}

TEST_F(AgeingLinkTest, AnIdleKeypairLastsForAnHour) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  link_.handle_received(Instant{100s}, 1, kHome);
  EXPECT_EQ(run_until(100s + 3600s), (Times{{Event::Connected, 100s}, {Event::Rekey, 3700s}}));
}

TEST_F(AgeingLinkTest, TheFirstFrameOfALongIdleKeypairIsNoticedWithinFifteenSeconds) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  link_.handle_received(Instant{100s}, 1, kHome);
  EXPECT_EQ(run_until(1000s), (Times{{Event::Connected, 100s}}));
  frame();
  EXPECT_EQ(run_until(1029s), (Times{{Event::Rekey, 1015s}})) << "the looks are at 220 s, 235 s, ... 1015 s";
}

TEST_F(AgeingLinkTest, FramesUnderTheLastKeypairDoNotUseTheNext) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  link_.handle_received(Instant{100s}, 1, kHome);
  frame();
  run_until(220s);
  establish(Instant{220s}, 2, Link::Origin::Initiated);
  link_.handle_received(Instant{220s}, 2, kHome);
  EXPECT_EQ(run_until(220s + 3600s), (Times{{Event::Rekey, 3820s}}));
}

TEST_F(AgeingLinkTest, DiesWhenItsLastKeypairExpires) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  frame();
  const auto times = run_until(400s);
  ASSERT_FALSE(times.empty());
  // The rekey was due at 235 s and came to nothing: 60 s more.
  EXPECT_EQ(times.back(), (std::pair<Event, Duration>{Event::Dead, 295s}));
  EXPECT_EQ(link_.sending(), nullptr);
  EXPECT_EQ(link_.find(1), nullptr);
}

// Wake-ups are late by a little, so that the looks come after the end of the keypair that they look at.
TEST_F(AgeingLinkTest, OutlivesTheKeypairItSendsWithUntilTheNextRunsOut) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  link_.handle_received(Instant{100s}, 1, kHome);
  ASSERT_EQ(run_until(3699s), (Times{{Event::Connected, 100s}}));
  const Instant due = Instant{3700s} + 1ms;
  const auto wake_at = [&](Instant now) {
    link_.handle_received(now, 1, kHome);
    link_.handle_timeout(now);
  };
  wake_at(due);
  establish(due + 10ms, 2, Link::Origin::Initiated);
  for (int i = 1; i <= 3; ++i) wake_at(due + i * (15s + 1ms));
  wake_at(due + 60s);
  EXPECT_EQ(link_.sending(), nullptr);
  EXPECT_EQ(link_.receiving().size(), 1u);
  wake_at(due + 60s + 3ms);
  EXPECT_EQ(link_.receiving().size(), 1u);
  wake_at(due + 60s + 10ms);
  EXPECT_EQ(link_.poll_event(), Event::Dead);
}

TEST_F(LinkTest, KeepsTheKeypairItSendsWithHoweverManyAreNeverConfirmed) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  link_.handle_received(Instant{100s}, 1, kHome);
  for (uint32_t index = 2; index < 10; ++index) establish(Instant{101s}, index, Link::Origin::Initiated);
  EXPECT_EQ(link_.receiving().size(), 4u);
  ASSERT_TRUE(link_.sending());
  EXPECT_EQ(link_.sending()->local_index(), 1u);
  EXPECT_EQ(link_.find(1), link_.sending());
}

TEST_F(AgeingLinkTest, AnIdleOneDiesAMinuteAfterItsHour) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  link_.handle_received(Instant{100s}, 1, kHome);
  const auto times = run_until(4000s);
  ASSERT_FALSE(times.empty());
  EXPECT_EQ(times.back(), (std::pair<Event, Duration>{Event::Dead, 3760s}));
}

TEST_F(AgeingLinkTest, OldKeypairsExpireBehindNewOnes) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  run_until(220s);
  establish(Instant{220s}, 2, Link::Origin::Accepted);
  run_until(279s);
  EXPECT_NE(link_.find(1), nullptr);
  run_until(280s);
  EXPECT_EQ(link_.find(1), nullptr);
  EXPECT_NE(link_.find(2), nullptr);
  EXPECT_EQ(sending_index(), 2u);
}

TEST_F(AgeingLinkTest, AKeypairThatIsNeverConfirmedExpiresAMinuteLater) {
  establish(Instant{100s}, 1, Link::Origin::Accepted);
  establish(Instant{220s}, 2, Link::Origin::Initiated);
  run_until(280s - 1us);
  EXPECT_NE(link_.find(2), nullptr);
  run_until(280s);
  EXPECT_EQ(link_.find(2), nullptr);
  EXPECT_EQ(link_.unconfirmed(), nullptr);
  EXPECT_EQ(sending_index(), 1u) << "the one in use is as good as before";
}

// It was dropped for another of the same peer, perhaps.
TEST_F(AgeingLinkTest, AHandshakeOfWhichNothingIsHeardIsStartedAgain) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  link_.handle_received(Instant{100s}, 1, kHome);
  frame();
  EXPECT_EQ(run_until(240s), (Times{{Event::Connected, 100s}, {Event::Rekey, 220s}, {Event::Rekey, 235s}}));
}

TEST_F(AgeingLinkTest, AnUnconfirmedFirstKeypairEndsWithItsHandshake) {
  establish(Instant{100s}, 1, Link::Origin::Initiated);
  EXPECT_TRUE(events().empty());
  link_.handle_handshake_failed(1);
  EXPECT_EQ(events(), (std::vector{Event::Dead}));
}

// Its Pongs are lost, or late; its frames are not.  The fast path saw one since the last Ping.
TEST_F(ConnectedLinkTest, AFrameSinceTheLastPingIsAnAnswer) {
  link_.handle_quiet(Instant{102s});
  events();
  Instant at{102s};
  for (int i = 0; i < 4; ++i) visit(at += kPause);
  link_.activity()->last_received = (at + 500ms).time_since_epoch().count();
  EXPECT_TRUE(visit(at += kPause).empty()) << "it spoke half a second ago, after we asked";
  EXPECT_NE(link_.sending(), nullptr);
}

}  // namespace
}  // namespace ipop
