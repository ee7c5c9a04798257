#include "overlay/link/links.h"

#include <gtest/gtest.h>

#include "tests/support/sites.h"

namespace ipop {
namespace {

using ::ipop::testing::kNow;
using test::all_refused;
using test::Flight;
using test::Pair;
using test::Site;

const Endpoint kElsewhere = Endpoint::from_ipv4({0xcb007107}, 4444);

// --- Setting up

TEST(Links, CallConnectsBothSides) {
  Pair pair;
  pair.call(pair.alpha, pair.beta);
  EXPECT_EQ(pair.take().bytes.size(), wire::Initiation::kSize);
  pair.call(pair.alpha,
            pair.beta);  // The same call twice is one: the first was lost, the second says nothing.
  EXPECT_FALSE(pair.deliver());
  pair.now = pair.next_timeout();
  pair.visit();
  pair.settle();

  for (const auto& [here, there] : {std::pair(&pair.alpha, &pair.beta), std::pair(&pair.beta, &pair.alpha)}) {
    ASSERT_EQ(here->events.size(), 1u);
    const auto* connected = here->last<Links::Connected>();
    ASSERT_NE(connected, nullptr);
    EXPECT_EQ(connected->node, there->id());
    EXPECT_EQ(connected->path, there->endpoint);
    EXPECT_EQ(here->link_to(*there)->host_name(), there->credentials().certificate.host_name());
    EXPECT_EQ(here->link_to(*there)->observed(), here->endpoint);
    EXPECT_EQ(all_refused(here->refused), 0u);
  }
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

TEST(Links, CarryControlMessages) {
  Pair pair;
  pair.connect();
  const wire::Gone gone{.node = Pair::grid().member(3).id};
  EXPECT_TRUE(pair.alpha.links().send_control(pair.now, pair.beta.id(), gone));
  pair.settle();
  const auto* message = pair.beta.last<Links::Message>();
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->from, pair.alpha.id());
  EXPECT_EQ(message->body, wire::ControlMessage(gone));
  EXPECT_EQ(message->path, pair.alpha.endpoint);
}

TEST(Links, SendNothingToStrangers) {
  Pair pair;
  EXPECT_FALSE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
  EXPECT_FALSE(pair.alpha.links().send_control(pair.now, pair.beta.id(), wire::Goodbye{}));
}

TEST(Links, WhoIsCalledAnswersOnceAndWithNoMoreThanThreeTimesAsMuch) {
  Pair pair;
  pair.call(pair.alpha, pair.beta);
  const Flight initiation = pair.take();
  pair.arrive(initiation);
  ASSERT_EQ(pair.wire.size(), 1u);
  EXPECT_EQ(pair.wire.front().type(), wire::Type::Response);
  EXPECT_EQ(pair.wire.front().to, initiation.from);
  EXPECT_LE(pair.wire.front().bytes.size(), 3 * initiation.bytes.size());
}

TEST(Links, InitiatedKeypairWaitsForTheFirstDatagramUnderIt) {
  Pair pair;
  pair.call(pair.alpha, pair.beta);
  pair.deliver();
  pair.deliver();  // The Response: alpha holds keys, beta does not yet.
  ASSERT_NE(pair.alpha.link_to(pair.beta), nullptr);
  EXPECT_NE(pair.alpha.link_to(pair.beta)->unconfirmed(), nullptr);
  EXPECT_FALSE(pair.can_send(pair.alpha, pair.beta));
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 0u);
  EXPECT_FALSE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
  pair.settle();
  EXPECT_TRUE(pair.can_send(pair.alpha, pair.beta));
}

/// The n-th datagram of the wire is lost, and nothing else.
class OneLost : public ::testing::TestWithParam<int> {};

TEST_P(OneLost, IsRepeated) {
  Pair pair;
  int seen = 0;
  pair.loses = [&](const Flight&) { return seen++ == GetParam(); };
  const Instant start = pair.now;
  pair.call(pair.alpha, pair.beta);
  pair.advance_to(start +
                  1100ms);  // The longest first pause is 400 ms, a lost Ping is repeated after one second.
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
  pair.advance(10s);
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.beta.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.alpha.events.size(), 2u);  // With the frame that came first.
}

INSTANTIATE_TEST_SUITE_P(Links, OneLost, ::testing::Range(0, 7));

TEST(Links, ManyLostMessagesOnlyTakeLonger) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair;
    SeededRandom random(seed);
    pair.loses = [&](const Flight&) { return random.below(3) == 0; };
    pair.alpha.links().call(pair.now, {.path = pair.beta.endpoint, .node = {}}, Duration::max());
    pair.advance(20s);
    if (!pair.can_send(pair.alpha,
                       pair.beta)) {  // The Confirmation was lost each time: the owner calls again.
      EXPECT_GT(pair.alpha.count<Links::Failed>() + pair.alpha.count<Links::Disconnected>(), 0u)
          << "seed " << seed;
    }
  }
}

TEST(Links, BothMayCallAtOnce) {
  Pair pair;
  pair.call(pair.alpha, pair.beta);
  pair.call(pair.beta, pair.alpha);
  pair.settle();
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.beta.count<Links::Connected>(), 1u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
  pair.advance(14s);
  EXPECT_EQ(pair.alpha.count<Links::Failed>() + pair.beta.count<Links::Failed>(), 0u);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->handshakes(), 2u);
}

TEST(Links, DuplicatedAndLateHandshakeMessagesAreRefused) {
  Pair pair;
  std::vector<Flight> copies;
  pair.loses = [&](const Flight& flight) {
    copies.push_back(flight);
    return false;
  };
  pair.connect();
  const uint64_t version = pair.alpha.links().version();
  for (int round = 0; round < 3; ++round) {
    for (const Flight& copy : std::vector(copies.rbegin(), copies.rend())) pair.arrive(copy);
    pair.settle();
  }
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.beta.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.alpha.links().version(), version);
  EXPECT_GT(pair.alpha.refused.get(Error::UnexpectedMessage), 0u);  // Responses
  EXPECT_GT(pair.beta.refused.get(Error::UnexpectedMessage), 0u);   // and Confirmations,
  EXPECT_GT(pair.beta.refused.get(Error::Replayed), 0u);            // and the Pings behind them.
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

// --- Ending without a session

TEST(Links, NobodyAnswers) {
  Pair pair;
  pair.loses = [](const Flight&) { return true; };
  pair.call(pair.alpha, pair.beta, 7s);
  pair.advance_to(Instant{10s} + 7s - 1us);
  EXPECT_TRUE(pair.alpha.events.empty());
  pair.advance_to(Instant{10s} + 7s);
  const auto* failed = pair.alpha.last<Links::Failed>();
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->target.path, pair.beta.endpoint);
  EXPECT_EQ(failed->target.node, pair.beta.id());
  EXPECT_EQ(failed->reason, std::nullopt);
  EXPECT_EQ(pair.next_timeout(), kNever);
}

TEST(Links, SomebodyElseAnswers) {
  Pair pair;
  const NodeId carol = Pair::grid().member(3).id;
  pair.alpha.links().call(pair.now, {.path = pair.beta.endpoint, .node = carol}, 10s);
  pair.settle();
  const auto* failed = pair.alpha.last<Links::Failed>();
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->target.node, carol);
  EXPECT_EQ(failed->reason, Error::WrongPeer);
  EXPECT_EQ(pair.alpha.links().all().size(), 0u);
  EXPECT_EQ(pair.beta.events.size(), 0u);
}

TEST(Links, WeAnswerOurselves) {
  Pair pair;
  pair.alpha.links().call(pair.now, {.path = pair.alpha.endpoint, .node = {}}, Duration::max());
  pair.settle();
  const auto* failed = pair.alpha.last<Links::Failed>();
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->reason, Error::Self);
  EXPECT_TRUE(pair.alpha.links().all().empty());
}

// A calls B and M, which both are said to be at one endpoint; B is there.
TEST(Links, ACallToAnotherNodeAtTheSameEndpointStillEnds) {
  Pair pair;
  const NodeId moved = Pair::grid().member(3).id;
  pair.loses = [&](const Flight& flight) {
    return flight.type() == wire::Type::Initiation && pair.wire.size() == 1;
  };
  pair.call(pair.alpha, pair.beta);
  pair.alpha.links().call(pair.now, {.path = pair.beta.endpoint, .node = moved}, 10s);
  pair.collect();
  pair.loses = nullptr;
  pair.advance(11s);
  EXPECT_TRUE(pair.can_send(pair.alpha, pair.beta));
  ASSERT_EQ(pair.alpha.count<Links::Failed>(), 1u) << "or its caller waits for ever";
}

TEST(Links, ALinkThatWasNeverConfirmedEndsWithItsHandshake) {
  Pair pair;
  pair.loses = [](const Flight& flight) { return flight.type() == wire::Type::Confirmation; };
  pair.alpha.links().call(pair.now, {.path = pair.beta.endpoint, .node = {}}, Duration::max());
  pair.advance_to(Instant{10s} + 3s - 1us);
  EXPECT_EQ(pair.alpha.links().all().size(), 1u);
  pair.advance_to(Instant{10s} + 3s);
  EXPECT_TRUE(pair.alpha.links().all().empty());
  EXPECT_EQ(pair.alpha.count<Links::Failed>(), 0u) << "one word is enough";
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 1u);
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 0u);

  pair.loses = nullptr;
  pair.connect();
}

TEST(Links, AForgedResponseDoesNotStopTheGenuineOne) {
  Pair pair;
  pair.call(pair.alpha, pair.beta);
  pair.deliver();
  const Flight genuine = pair.take();
  for (size_t i = 0; i < genuine.bytes.size() - 16; i += 3) {  // mac2 is for those who are under load.
    Flight forged = genuine;
    forged.bytes[i] ^= 0x10;
    pair.arrive(forged);
  }
  // Somebody who holds an invite can make the MAC, too.
  Flight forged = genuine;
  forged.bytes.resize(forged.bytes.size() - 32);
  forged.bytes[60] ^= 1;
  forged.bytes = pair.beta.credentials().keys.finish(forged.bytes, std::nullopt);
  pair.arrive(forged);
  EXPECT_GT(pair.alpha.refused.get(Error::BadMac), 0u);
  EXPECT_EQ(pair.alpha.refused.get(Error::BadAuthTag), 1u);
  pair.arrive(genuine);
  pair.settle();
  EXPECT_TRUE(pair.can_send(pair.alpha, pair.beta));
}

TEST(Links, StrangersWithoutAnInviteGetNoAnswer) {
  Pair pair;
  const test::Grid other(2);
  const Credentials stranger = other.member(1);
  SeededRandom random(1);
  InitiatorHandshake handshake(stranger, 1, random);
  pair.arrive({kElsewhere, pair.beta.endpoint, handshake.initiation()});
  EXPECT_TRUE(pair.wire.empty());
  EXPECT_EQ(pair.beta.refused.get(Error::BadMac), 1u);
}

TEST(Links, RefusedCertificatesAreLoggedButNotWithoutLimit) {
  Pair pair;
  const Credentials mallory = Pair::grid().credentials(testing::identity(1009), test::Grid(2).certificate(9));
  SeededRandom random(1);
  for (int i = 0; i < 30; ++i) {
    InitiatorHandshake handshake(mallory, 1, random);
    pair.arrive({kElsewhere, pair.beta.endpoint, handshake.initiation()});
    const auto response = wire::Response::decode(pair.take().bytes);
    ASSERT_TRUE(response);
    ASSERT_TRUE(handshake.handle_response(*response, kNow));
    pair.arrive({kElsewhere, pair.beta.endpoint, handshake.confirmation()});
  }
  EXPECT_EQ(pair.beta.refused.get(Error::BadCertificate), 30u);
  EXPECT_EQ(pair.beta.log.count("bad_certificate"), 10u);
  EXPECT_TRUE(pair.beta.links().all().empty());
}

// --- With the fast path

TEST(Links, TakeWhatTheFastPathOpened) {
  Pair pair;
  pair.connect();
  const uint32_t index = pair.beta.link_to(pair.alpha)->receiving().front()->local_index();
  pair.beta.links().handle_opened(pair.now, index, kElsewhere, wire::Type::Data, Bytes{1, 2, 3});
  pair.collect();
  ASSERT_NE(pair.beta.last<Links::Frame>(), nullptr);
  EXPECT_EQ(pair.beta.last<Links::Frame>()->from, pair.alpha.id());
  EXPECT_EQ(pair.beta.link_to(pair.alpha)->path(), kElsewhere);

  const size_t events = pair.beta.events.size();
  pair.beta.links().handle_opened(pair.now, index + 1, kElsewhere, wire::Type::Data, Bytes{1, 2, 3});
  pair.beta.links().handle_received(pair.now, index + 1, kElsewhere);
  pair.beta.links().handle_opened(pair.now, index, kElsewhere, wire::Type::Control, Bytes{99});
  pair.collect();
  EXPECT_EQ(pair.beta.events.size(), events)
      << "an index that was retired meanwhile, a message of a later version";
  EXPECT_EQ(pair.beta.refused.get(Error::UnknownType), 1u);
}

TEST(Links, TheFastPathsFirstDatagramConfirms) {
  Pair pair;
  pair.call(pair.alpha, pair.beta);
  pair.deliver();
  pair.deliver();
  pair.deliver();
  pair.wire.clear();  // Beta's Ping is lost; its first frame is opened by alpha's fast path.
  const uint64_t version = pair.alpha.links().version();
  pair.alpha.links().handle_received(pair.now, pair.alpha.link_to(pair.beta)->unconfirmed()->local_index(),
                                     pair.beta.endpoint);
  pair.collect();
  EXPECT_TRUE(pair.can_send(pair.alpha, pair.beta));
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u);
  EXPECT_GT(pair.alpha.links().version(), version);
}

TEST(Links, CountFramesThatTheCoreCarries) {
  Pair pair;
  pair.connect();
  ASSERT_TRUE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
  pair.settle();
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->activity()->tx_frames, 1u);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->activity()->tx_bytes, 60u);
  EXPECT_EQ(pair.beta.link_to(pair.alpha)->activity()->rx_frames, 1u);
  EXPECT_EQ(pair.beta.link_to(pair.alpha)->activity()->rx_bytes, 60u);
}

// --- Noise of the Internet

/// Mostly what a scanner sends; some of it looks like ours.
Bytes garbage(Random& random, uint32_t live_index) {
  Bytes out(random.below(100));
  random.fill(out);
  if (random.below(2) == 0 && out.size() >= 8) {
    out[0] = static_cast<uint8_t>(random.below(9));
    out[1] = out[2] = out[3] = 0;
    if (random.below(4) == 0) {
      for (int i = 0; i < 4; ++i) out[4 + i] = static_cast<uint8_t>(live_index >> (24 - 8 * i));
    }
  }
  if (random.below(500) == 0) {
    out.assign(wire::Initiation::kSize, 0);
    out[0] = 1;
  }
  return out;
}

TEST(Links, AMillionRandomDatagramsLeaveNothingBehind) {
  constexpr uint64_t kCount = 1'000'000;
  Pair pair;
  pair.connect();
  const Link& link = *pair.alpha.link_to(pair.beta);
  const uint32_t index = link.receiving().front()->local_index();
  const uint64_t version = pair.alpha.links().version();
  const Instant deadline = pair.alpha.links().next_timeout();
  const size_t log_lines = pair.alpha.log.lines.size();
  SeededRandom random(1);
  size_t answers = 0;
  for (uint64_t i = 0; i < kCount; ++i) {
    pair.alpha.links().handle_datagram(pair.now, kNow, kElsewhere, garbage(random, index));
    while (const auto answer = pair.alpha.links().poll_datagram()) {
      ASSERT_EQ(*wire::peek_type(answer->bytes), wire::Type::UnknownSession);
      ++answers;
    }
    ASSERT_FALSE(pair.alpha.links().poll_event());
  }
  EXPECT_EQ(all_refused(pair.alpha.refused), kCount) << "each is counted, under one name";
  for (const Error reason : {Error::Malformed, Error::UnknownType, Error::UnknownSession, Error::BadAuthTag,
                             Error::BadMac, Error::UnexpectedMessage}) {
    EXPECT_GT(pair.alpha.refused.get(reason), 100u) << to_string(reason);
  }
  EXPECT_LE(answers, 50u) << "a burst, since no time passes";
  EXPECT_EQ(pair.alpha.links().all().size(), 1u);
  EXPECT_EQ(pair.alpha.links().version(), version);
  EXPECT_EQ(pair.alpha.links().next_timeout(), deadline) << "no timer, so no state, came of it";
  EXPECT_EQ(pair.alpha.log.lines.size(), log_lines);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

TEST(Links, EveryTruncationOfEveryDatagramIsRefused) {
  Pair pair;
  std::vector<Flight> copies;
  pair.loses = [&](const Flight& flight) {
    copies.push_back(flight);
    return false;
  };
  pair.connect();
  ASSERT_TRUE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
  pair.settle();
  const auto events = std::pair(pair.alpha.events.size(), pair.beta.events.size());
  const uint64_t before = all_refused(pair.alpha.refused) + all_refused(pair.beta.refused);
  uint64_t sent = 0;
  for (const Flight& copy : std::vector(copies)) {
    for (size_t n = 0; n < copy.bytes.size(); ++n, ++sent) {
      pair.arrive(
          {copy.from, copy.to, Bytes(copy.bytes.begin(), copy.bytes.begin() + static_cast<ptrdiff_t>(n))});
    }
  }
  EXPECT_EQ(all_refused(pair.alpha.refused) + all_refused(pair.beta.refused), before + sent);
  EXPECT_EQ(std::pair(pair.alpha.events.size(), pair.beta.events.size()), events);
}

}  // namespace
}  // namespace ipop
