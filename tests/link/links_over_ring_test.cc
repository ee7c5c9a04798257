// Links whose datagrams the ring carries.
#include <gtest/gtest.h>

#include "overlay/link/links.h"
#include "tests/support/sites.h"

namespace ipop {
namespace {

using test::all_refused;
using test::Flight;
using test::Pair;

const Endpoint kElsewhere = Endpoint::from_ipv4({0xcb007107}, 4444);

TEST(LinksOverRing, AHandshakeConnectsBothSides) {
  Pair pair;
  pair.call_over_ring(pair.alpha, pair.beta);
  pair.collect();
  ASSERT_EQ(pair.wire.size(), 1u);
  EXPECT_EQ(pair.wire.front().to, Path::over_ring(pair.beta.id()));
  pair.settle();
  for (const auto& [here, there] : {std::pair(&pair.alpha, &pair.beta), std::pair(&pair.beta, &pair.alpha)}) {
    const auto* connected = here->last<Links::Connected>();
    ASSERT_NE(connected, nullptr);
    EXPECT_EQ(connected->path, Path::over_ring(there->id()));
    EXPECT_EQ(here->link_to(*there)->observed(), std::nullopt) << "the ring sees no endpoints";
    EXPECT_EQ(all_refused(here->refused), 0u);
  }
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

TEST(LinksOverRing, TheInternetAndTheRingHaveTheirOwnQueues) {
  Pair pair;
  pair.call_over_ring(pair.alpha, pair.beta);
  EXPECT_LE(pair.alpha.links().next_timeout(), pair.now);
  EXPECT_FALSE(pair.alpha.links().poll_datagram());
  const auto carried = pair.alpha.links().poll_ring_datagram();
  ASSERT_TRUE(carried);
  EXPECT_EQ(carried->to.node, pair.beta.id());
  pair.call(pair.alpha, pair.beta);
  EXPECT_FALSE(pair.alpha.links().poll_ring_datagram());
  EXPECT_EQ(pair.alpha.links().poll_datagram()->to, pair.beta.endpoint);
}

TEST(LinksOverRing, TheFirstDirectDatagramMovesALinkAndNothingMovesItBack) {
  Pair pair;
  pair.connect_over_ring();
  ASSERT_TRUE(pair.beta.links().send_frame(pair.now, pair.alpha.id(), Bytes(60)));
  Flight direct = pair.take();
  Flight forged = direct;
  forged.from = kElsewhere;
  forged.bytes.back() ^= 1;
  pair.arrive(forged);
  EXPECT_FALSE(pair.alpha.link_to(pair.beta)->path().is_direct());
  direct.from = pair.beta.endpoint;
  const uint64_t version = pair.alpha.links().version();
  pair.arrive(direct);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->path(), pair.beta.endpoint);
  EXPECT_GT(pair.alpha.links().version(), version) << "the fast path is to know";
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u) << "it is the same session";

  ASSERT_TRUE(pair.beta.links().send_frame(pair.now, pair.alpha.id(), Bytes(60)));
  const Flight late = pair.take();
  ASSERT_EQ(late.from, Path::over_ring(pair.beta.id())) << "beta has heard nothing directly yet";
  pair.arrive(late);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->path(), pair.beta.endpoint);
  ASSERT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_EQ(pair.beta.link_to(pair.alpha)->path(), pair.alpha.endpoint)
      << "alpha's next one moved beta's end";
}

// The NATs open at the third attempt; until then the ring serves.
TEST(LinksOverRing, ARoutedHandshakeLeavesTheDirectCallAlone) {
  Pair pair;
  int direct = 0;
  pair.loses = [&](const Flight& flight) { return flight.to.is_direct() && ++direct <= 2; };
  pair.call(pair.alpha, pair.beta);
  pair.call_over_ring(pair.alpha, pair.beta);
  pair.settle();
  EXPECT_FALSE(pair.alpha.link_to(pair.beta)->path().is_direct());
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  pair.advance(3s);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->path(), pair.beta.endpoint);
  EXPECT_EQ(pair.beta.link_to(pair.alpha)->path(), pair.alpha.endpoint);
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 1u);
  EXPECT_EQ(pair.alpha.count<Links::Failed>(), 0u);
}

// The ring has lost the first Confirmation, and meanwhile the direct call is over.
TEST(LinksOverRing, ADirectCallThatFailsLeavesTheRoutedHandshakeAlone) {
  Pair pair;
  int confirmations = 0;
  pair.loses = [&](const Flight& flight) {
    return flight.to.is_direct() || (flight.type() == wire::Type::Confirmation && ++confirmations == 1);
  };
  pair.call(pair.alpha, pair.beta, 1s);
  pair.call_over_ring(pair.alpha, pair.beta);
  pair.settle();
  ASSERT_FALSE(pair.can_send(pair.alpha, pair.beta));
  pair.advance(2900ms);
  EXPECT_EQ(pair.alpha.count<Links::Failed>(), 1u) << "of the direct call";
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 0u);
  EXPECT_EQ(confirmations, 2);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
}

TEST(LinksOverRing, ADirectHandshakeEndsTheRoutedCall) {
  Pair pair;
  pair.loses = [&](const Flight& flight) { return !flight.to.is_direct(); };
  pair.call_over_ring(pair.alpha, pair.beta);
  pair.call(pair.alpha, pair.beta);
  pair.settle();
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->path(), pair.beta.endpoint);
  int routed = 0;
  pair.loses = [&](const Flight& flight) {
    if (!flight.to.is_direct()) ++routed;
    return false;
  };
  pair.advance(12s);
  EXPECT_EQ(routed, 0);
  EXPECT_EQ(pair.alpha.count<Links::Failed>(), 0u) << "nobody waits for it any more";
}

TEST(LinksOverRing, ADirectPathThatIsNotFoundHarmsNothing) {
  Pair pair;
  pair.connect_over_ring();
  pair.loses = [](const Flight& flight) { return flight.to.is_direct(); };
  pair.call(pair.alpha, pair.beta, 3s);
  pair.advance(4s);
  ASSERT_EQ(pair.alpha.count<Links::Failed>(), 1u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
}

// Beta has noticed first that the direct path is dead.
TEST(LinksOverRing, ACallOverTheRingTakesTheLinkOffADeadDirectPath) {
  Pair pair;
  pair.connect();
  pair.advance(5s);
  pair.loses = [](const Flight& flight) { return flight.to.is_direct(); };
  pair.beta.links().hang_up(pair.now, pair.alpha.id());
  ASSERT_NE(pair.alpha.link_to(pair.beta), nullptr) << "it has not heard the Goodbye";
  pair.advance(kSilencePatience);
  pair.call_over_ring(pair.beta, pair.alpha);
  pair.settle();
  ASSERT_FALSE(pair.alpha.link_to(pair.beta)->path().is_direct());
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  EXPECT_TRUE(pair.frame_crosses(pair.beta, pair.alpha));
  pair.advance(60s);
  EXPECT_EQ(pair.alpha.count<Links::Disconnected>(), 0u);
}

TEST(LinksOverRing, ALateCallOverTheRingLeavesALivingDirectPathAlone) {
  Pair pair;
  pair.connect();
  pair.call_over_ring(pair.beta, pair.alpha);
  pair.settle();
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->path(), pair.beta.endpoint);
}

// Beta's end is over the ring still, so that what it says arrives, but not what alpha says.
TEST(LinksOverRing, WhatTheRingCarriesIsNoLifeOfADirectPath) {
  Pair pair;
  pair.connect_over_ring();
  ASSERT_TRUE(pair.beta.links().send_frame(pair.now, pair.alpha.id(), Bytes(60)));
  Flight direct = pair.take();
  direct.from = pair.beta.endpoint;
  pair.arrive(direct);
  ASSERT_TRUE(pair.alpha.link_to(pair.beta)->path().is_direct());
  pair.loses = [](const Flight& flight) { return flight.to.is_direct(); };
  pair.wire.clear();
  for (int i = 0; i < 60 && pair.alpha.link_to(pair.beta); ++i) {
    (void)pair.beta.links().send_frame(pair.now, pair.alpha.id(), Bytes(60));
    pair.advance(500ms);
  }
  EXPECT_EQ(pair.alpha.link_to(pair.beta), nullptr);
}

TEST(LinksOverRing, AreRekeyedOverTheRing) {
  Pair pair;
  pair.connect_over_ring();
  ASSERT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  pair.loses = [](const Flight& flight) { return flight.to.is_direct(); };
  pair.advance_to(Instant{10s} + 121s);
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->handshakes(), 2u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
}

// The direct call is as good as the rekey over the ring, which is dropped for it, and then comes to nothing.
TEST(LinksOverRing, ARekeyThatWasDroppedForAnotherCallIsTriedAgain) {
  Pair pair;
  pair.connect_over_ring();
  ASSERT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
  pair.loses = [](const Flight& flight) { return flight.type() == wire::Type::Initiation; };
  pair.advance_to(Instant{10s} + 120s);
  int tried = 0;
  pair.loses = [&](const Flight& flight) {
    tried += flight.type() == wire::Type::Initiation && !(flight.from == Path::over_ring(pair.beta.id()));
    return flight.type() == wire::Type::Confirmation || flight.from == Path::over_ring(pair.beta.id());
  };
  pair.call(pair.alpha, pair.beta);
  pair.settle();
  ASSERT_EQ(tried, 1) << "it is answered";
  pair.loses = [&](const Flight& flight) {
    tried += flight.type() == wire::Type::Initiation && flight.from == pair.alpha.endpoint;
    return flight.type() == wire::Type::Confirmation || flight.type() == wire::Type::Initiation;
  };
  pair.advance(20s);
  EXPECT_GT(tried, 1);
}

TEST(LinksOverRing, AnUncleanRestartIsNoticedByTheNextFrame) {
  Pair pair;
  pair.connect_over_ring();
  pair.advance(5s);
  pair.beta.restart();
  ASSERT_TRUE(pair.alpha.links().send_frame(pair.now, pair.beta.id(), Bytes(60)));
  pair.settle();
  EXPECT_EQ(pair.alpha.count<Links::Connected>(), 2u);
  EXPECT_TRUE(pair.frame_crosses(pair.alpha, pair.beta));
}

}  // namespace
}  // namespace ipop
