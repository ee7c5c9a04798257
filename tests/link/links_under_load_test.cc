// Handshakes of many at once: who has to prove an address, and how many one may have.
#include "overlay/link/links.h"

#include <gtest/gtest.h>

#include "tests/support/sites.h"

namespace ipop {
namespace {

using ::ipop::testing::kNow;
using test::Pair;

/// Members' Initiations from as many addresses as we like.
class LinksUnderLoad : public ::testing::Test {
 protected:
  static Endpoint address(size_t i) {
    return Endpoint::from_ipv4({static_cast<uint32_t>(0x0b000000 + i)}, 5000);
  }
  /// Sends beta an Initiation and returns its answer; nothing if there was none.
  std::optional<Bytes> knock(const Endpoint& from, const Bytes& initiation) {
    pair_.arrive({from, pair_.beta.endpoint, initiation});
    if (pair_.wire.empty()) return std::nullopt;
    EXPECT_EQ(pair_.wire.front().to, from);
    return pair_.take().bytes;
  }
  InitiatorHandshake handshake(size_t i) { return {carol_, static_cast<uint32_t>(i), random_}; }
  void fill(size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      InitiatorHandshake one = handshake(i);
      const auto answer = knock(address(i), one.initiation());
      ASSERT_TRUE(answer && *wire::peek_type(*answer) == wire::Type::Response) << i;
    }
  }

  Pair pair_;
  Credentials carol_ = Pair::grid().member(3);
  SeededRandom random_{8};
};

TEST_F(LinksUnderLoad, DemandsACookieFromTheSixtyFifth) {
  fill(0, kBusyResponders);
  InitiatorHandshake late = handshake(900);
  const Bytes plain = late.initiation();
  const auto demanded = knock(address(900), plain);
  ASSERT_TRUE(demanded);
  EXPECT_EQ(*wire::peek_type(*demanded), wire::Type::CookieReply);
  EXPECT_EQ(pair_.beta.refused.get(Error::CookieRequired), 1u);
  ASSERT_TRUE(late.handle_cookie(*wire::CookieReply::decode(*demanded)));

  const Bytes with_cookie = late.initiation();
  const auto stolen = knock(address(901), with_cookie);
  ASSERT_TRUE(stolen);
  EXPECT_EQ(*wire::peek_type(*stolen), wire::Type::CookieReply) << "the cookie was for another address";

  const auto answer = knock(address(900), with_cookie);
  ASSERT_TRUE(answer);
  ASSERT_EQ(*wire::peek_type(*answer), wire::Type::Response);
  ASSERT_TRUE(late.handle_response(*wire::Response::decode(*answer), kNow));
  pair_.arrive({address(900), pair_.beta.endpoint, late.confirmation()});
  EXPECT_EQ(pair_.beta.count<Links::Connected>(), 1u);
}

TEST_F(LinksUnderLoad, StillConnectsAGenuinePeer) {
  fill(0, kBusyResponders);
  pair_.connect();
  EXPECT_EQ(pair_.beta.refused.get(Error::CookieRequired), 1u);
  EXPECT_EQ(pair_.now, Instant{10s}) << "in one more round trip, not after a pause";
}

TEST_F(LinksUnderLoad, HoldsABoundedNumberOfHandshakes) {
  fill(0, kBusyResponders);
  for (size_t i = kBusyResponders; i < kMaxResponders + 20; ++i) {
    InitiatorHandshake one = handshake(i);
    const auto demanded = knock(address(i), one.initiation());
    ASSERT_TRUE(demanded);
    ASSERT_TRUE(one.handle_cookie(*wire::CookieReply::decode(*demanded)));
    EXPECT_EQ(knock(address(i), one.initiation()).has_value(), i < kMaxResponders) << i;
  }
  EXPECT_EQ(pair_.beta.refused.get(Error::Full), 20u);

  pair_.advance(kResponderPatience);  // Whoever does not confirm is forgotten.
  EXPECT_EQ(pair_.beta.links().next_timeout(), kNever);
  pair_.connect();
}

TEST_F(LinksUnderLoad, OneHostHoldsAShareOfThem) {
  fill(0, kBusyResponders);
  const auto has_room = [&](size_t i, const Endpoint& from) {
    InitiatorHandshake one = handshake(i);
    EXPECT_TRUE(one.handle_cookie(*wire::CookieReply::decode(*knock(from, one.initiation()))));
    return knock(from, one.initiation()).has_value();
  };
  Endpoint greedy = address(900);
  Endpoint greedy6 = *Endpoint::parse("[2001:db8::1]:5000");
  for (size_t i = 0; i < kMaxRespondersOfOne + 5; ++i) {
    ++greedy.port;
    ++greedy6.address[15];  // Who has one address of a /64 has all.
    EXPECT_EQ(has_room(100 + i, greedy), i < kMaxRespondersOfOne) << i;
    EXPECT_EQ(has_room(200 + i, greedy6), i < kMaxRespondersOfOne) << i;
  }
  EXPECT_EQ(pair_.beta.refused.get(Error::Full), 10u);
  EXPECT_TRUE(has_room(300, address(901)));
  EXPECT_TRUE(has_room(301, *Endpoint::parse("[2001:db8:0:1::1]:5000")));
}

TEST_F(LinksUnderLoad, ACookieVouchesForANodeOnTheRing) {
  fill(0, kBusyResponders);
  pair_.connect_over_ring();
  EXPECT_EQ(pair_.beta.refused.get(Error::CookieRequired), 1u);
  EXPECT_EQ(pair_.now, Instant{10s});
}

}  // namespace
}  // namespace ipop
