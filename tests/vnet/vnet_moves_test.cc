// Guests that move from host to host, and what their hosts and those of their peers say to each other then.
#include <gtest/gtest.h>

#include "overlay/vnet/vnet.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

constexpr Instant kStart = at(1000s);

TEST(Vnet, AMovedGuestIsFollowed) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  Host& c = hosts.add();
  const auto address = *hosts.lease(kStart, a, 1);
  const uint64_t sequence = b.vnet.map().find_mac(mac(1))->sequence;
  // What QEMU sends in its name on arrival: a RARP request (RFC 903).
  const Bytes rarp = arp_frame(MacAddress::broadcast(), mac(1),
                               {.operation = ArpPacket::Operation::ReverseRequest,
                                .sender_mac = mac(1),
                                .sender_ip = {},
                                .target_mac = mac(1),
                                .target_ip = {}});
  const auto frames = hosts.frame(kStart + 10s, b, rarp);
  ASSERT_EQ(frames.size(), 1u);
  const auto question = arp_in(frames[0]);
  ASSERT_TRUE(question);
  EXPECT_EQ(EthernetFrame::decode(frames[0])->header.dst, mac(1));
  EXPECT_EQ(question->target_ip, address) << "does it still use it?";
  for (Host* host : {&a, &b, &c}) {
    const auto binding = host->vnet.map().find_ip(address);
    ASSERT_TRUE(binding);
    EXPECT_EQ(binding->node, b.id);
    EXPECT_EQ(binding->sequence, sequence + 1);
  }
  EXPECT_EQ(a.vnet.leases().find(mac(1)), nullptr) << "The lease is the other host's now.";
}

/// It may be here after all, and then keeps what it has only if it answers soon.
TEST(Vnet, AGuestThatIsSaidToHaveLeftIsAskedHoweverMuchIsAsked) {
  Hosts hosts;
  Host& here = hosts.add();
  const auto address = *hosts.lease(kStart, here, 1);
  for (uint32_t i = 0; i < 300; ++i) {
    const Query query{.id = i,
                      .kind = Query::Kind::Ip,
                      .ip = Ipv4Address{address.value + 1 + i % 100},
                      .mac = {},
                      .claim = {},
                      .asker = {}};
    (void)here.vnet.handle_query(kStart + 10s, node(9), query);
  }
  size_t asked = 0;
  while (here.vnet.poll_guest_frame()) ++asked;
  ASSERT_GT(asked, 50u);
  ASSERT_LT(asked, 200u) << "these are limited,";
  ASSERT_TRUE(here.vnet.handle_announcement(
      kStart + 10s, node(9),
      {.ip = {}, .mac = mac(1), .node = node(9), .sequence = 9, .expires = kStart + 1h, .name = {}}));
  bool is_asked = false;
  while (const auto frame = here.vnet.poll_guest_frame()) {
    const auto request = arp_in(*frame);
    is_asked |=
        request && request->operation == ArpPacket::Operation::Request && request->target_ip == address;
  }
  EXPECT_TRUE(is_asked) << "and this is not among them.";
}

/// In the other part of a network that host knew the guest once, and has another one with its address.
TEST(Vnet, AGuestThatIsCalledAwayInErrorHasItsAddressWhenItAnswers) {
  for (const bool is_back : {true, false}) {
    Hosts hosts;
    Host& here = hosts.add();
    const auto address = *hosts.lease(kStart, here, 1);
    const Instant now = kStart + 10s;
    (void)here.vnet.handle_announcement(now, node(9), binding(1, "", 9, 9, now + 1h));
    ASSERT_FALSE(here.vnet.map().is_local(mac(1)));
    const Binding other = binding(2, address.to_string().c_str(), 9, 9, now + 1h);
    EXPECT_FALSE(here.vnet.handle_announcement(now, node(9), other));
    const Instant later = is_back ? now + 1s : now + Movers::kReturnTime;
    if (is_back) {
      (void)here.vnet.handle_guest_frame(
          later, arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, address, address)));
    }
    EXPECT_EQ(here.vnet.handle_announcement(later, node(9), other).has_value(), !is_back);
    EXPECT_EQ(here.vnet.map().find_ip(address)->mac, mac(is_back ? 1 : 2));
  }
}

TEST(Vnet, AGuestMayMoveBackAndForthForever) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const auto address = *hosts.lease(kStart, a, 1);
  Instant now = kStart;
  for (int move = 0; move < 200; ++move) {
    now += 1s;
    Host& here = move % 2 == 0 ? b : a;
    (void)hosts.frame(now, here, data_frame(MacAddress::broadcast(), mac(1)));
    for (Host* host : {&a, &b}) ASSERT_EQ(host->vnet.map().find_ip(address)->node, here.id) << move;
  }
}

TEST(Vnet, AGuestThatInventsMacsKeepsNobodyFromMovingIn) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  (void)hosts.lease(kStart, a, 1);
  for (uint32_t i = 0; i < 2000; ++i) {
    const MacAddress invented{{2, 0, 0, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}};
    (void)b.vnet.handle_guest_frame(kStart, data_frame(MacAddress::broadcast(), invented));
  }
  ASSERT_GT(b.vnet.errors().get(Error::RateLimited), 0u);
  (void)hosts.frame(kStart, b, data_frame(MacAddress::broadcast(), mac(1)));
  EXPECT_TRUE(b.vnet.map().is_local(mac(1)));
}

/// The new host has never heard of it; the network has.
TEST(Vnet, AGuestThatIsExpectedCountsOnAtOnce) {
  Hosts hosts;
  Host& a = hosts.add();
  for (int move = 0; move < 4; ++move) (void)hosts.lease(kStart, a, 1);
  a.vnet.raise_sequence(kStart, mac(1), 40);
  Host& b = hosts.add();
  EXPECT_EQ(b.vnet.expect(kStart, b.vnet.service().mac).error(), Error::NotAllowed);
  ASSERT_TRUE(b.vnet.expect(kStart, mac(1)));
  hosts.run(kStart);
  EXPECT_EQ(b.vnet.poll_host_of_expected(), a.id);
  (void)hosts.frame(kStart + 5s, b, data_frame(MacAddress::broadcast(), mac(1)));
  for (Host* host : {&a, &b}) {
    EXPECT_EQ(host->vnet.map().find_mac(mac(1))->node, b.id);
    EXPECT_EQ(host->vnet.map().find_mac(mac(1))->sequence, 41u);
  }
  b.vnet.handle_timeout(kStart + 5min);
  EXPECT_FALSE(b.vnet.poll_query()) << "it has come";
}

/// Three hosts that hear nothing of each other but by the test's hand: guest 1 was at `old`, and has just
/// sent its first frame at `young`; guest 3, of `talker`, talks with it.
struct AMove : testing::Test {
  AMove() {
    (void)old.vnet.handle_guest_frame(kStart, data_frame(mac(3), mac(1)));
    const auto here = old.vnet.poll_announcement();
    (void)talker.vnet.handle_guest_frame(kStart, data_frame(mac(1), mac(3)));
    (void)old.vnet.handle_announcement(kStart, talker.id, *talker.vnet.poll_announcement());
    for (Host* host : {&young, &talker}) (void)host->vnet.handle_announcement(kStart, old.id, *here);
    while (talker.vnet.poll_outgoing()) {
    }
    old.vnet.raise_sequence(kStart, mac(1), 1);
    (void)young.vnet.handle_guest_frame(kNow, data_frame(mac(3), mac(1)));
    while (old.vnet.poll_guest_frame() || old.vnet.poll_outgoing()) {
    }
  }
  static NodeId place(Host& host) { return host.vnet.map().find_mac(mac(1))->node; }
  static uint64_t sequence(Host& host) { return host.vnet.map().find_mac(mac(1))->sequence; }

  static constexpr Instant kNow = kStart + 10min;
  Hosts hosts;
  Host& old = hosts.add();
  Host& young = hosts.add();
  Host& talker = hosts.add();
};

TEST_F(AMove, IsToldToTheOldHostAndByItToThoseItIsLinkedTo) {
  auto notice = young.vnet.poll_notice();
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->to, old.id);
  EXPECT_EQ(notice->binding.sequence, 2u);
  EXPECT_TRUE(old.vnet.handle_announcement(kNow, young.id, notice->binding));
  notice = old.vnet.poll_notice();
  ASSERT_TRUE(notice);
  EXPECT_FALSE(notice->to) << "all of them";
  EXPECT_TRUE(talker.vnet.handle_announcement(kNow, old.id, notice->binding));
  EXPECT_EQ(place(talker), young.id);
  EXPECT_TRUE(young.vnet.handle_announcement(kNow, old.id, notice->binding)) << "which is no news,";
  EXPECT_EQ(place(young), young.id);
  EXPECT_FALSE(talker.vnet.poll_notice()) << "and goes no further.";
}

TEST_F(AMove, IsRememberedByTheOldHostUntilTheGuestIsBack) {
  EXPECT_TRUE(old.vnet.movers().departed().empty());
  (void)old.vnet.handle_announcement(kNow, young.id, young.vnet.poll_notice()->binding);
  EXPECT_EQ(old.vnet.movers().departed(), std::vector{mac(1)});
  EXPECT_TRUE(young.vnet.movers().departed().empty());
  (void)old.vnet.handle_guest_frame(kNow, data_frame(mac(3), mac(1)));
  EXPECT_TRUE(old.vnet.movers().departed().empty());
}

TEST_F(AMove, WhatStillArrivesIsPassedOnAndItsSenderTold) {
  (void)old.vnet.handle_announcement(kNow, young.id, young.vnet.poll_notice()->binding);
  (void)old.vnet.poll_notice();
  const auto rarp = old.vnet.poll_guest_frame();
  ASSERT_TRUE(rarp) << "The old switch hears the guest at our port,";
  const auto frame = EthernetFrame::decode(*rarp);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.src, mac(1));
  EXPECT_EQ(frame->header.ethertype, kEtherTypeRarp);
  EXPECT_TRUE(old.vnet.handle_member_frame(kNow, talker.id, data_frame(mac(1), mac(3))));
  EXPECT_FALSE(old.vnet.poll_guest_frame()) << "and gets no more of what is for it.";
  const auto outgoing = old.vnet.poll_outgoing();
  ASSERT_TRUE(outgoing);
  EXPECT_EQ(outgoing->to, young.id);
  EXPECT_EQ(outgoing->frame, data_frame(mac(1), mac(3)));
  const auto notice = old.vnet.poll_notice();
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->to, talker.id);
  EXPECT_EQ(notice->binding.node, young.id);
  EXPECT_EQ(counter(old, "passed_on"), 1u);
}

TEST_F(AMove, NothingIsPassedOnTwiceOrBack) {
  (void)old.vnet.handle_announcement(kNow, young.id, young.vnet.poll_notice()->binding);
  (void)old.vnet.handle_member_frame(kNow, node(9), data_frame(mac(1), mac(3)));
  EXPECT_FALSE(old.vnet.poll_outgoing()) << "It is not from the host of its sender,";
  (void)old.vnet.handle_member_frame(kNow, young.id, data_frame(mac(1), mac(8)));
  EXPECT_FALSE(old.vnet.poll_outgoing()) << "or from where it would go.";
}

TEST_F(AMove, OnlyWhereAGuestWasMaySayWhereItHasGone) {
  const auto says = [&](const NodeId& who, uint64_t sequence) {
    return talker.vnet.handle_announcement(kNow, who, binding(1, "10.128.0.66", 7, sequence, kNow + 1h));
  };
  EXPECT_TRUE(young.vnet.movers().is_newcomer(kNow, mac(1)));
  EXPECT_EQ(says(node(9), 5).error(), Error::NotAllowed);
  EXPECT_EQ(says(old.id, 1).error(), Error::NotAllowed) << "no later than what we know";
  EXPECT_EQ(place(talker), old.id);
  EXPECT_TRUE(says(old.id, 2));
  EXPECT_EQ(place(talker), node(7));
  EXPECT_FALSE(talker.vnet.map().find_ip(ip("10.128.0.66"))) << "of addresses it cannot speak";
  EXPECT_EQ(says(old.id, 3).error(), Error::NotAllowed) << "it is not there any more";
  EXPECT_EQ(talker.vnet.handle_announcement(kNow, old.id, binding(3, "", 7, 99, kNow + 1h)).error(),
            Error::NotAllowed)
      << "our own guest never was";
}

/// The new host counts on from what it knows, which may be old or nothing.
TEST_F(AMove, AClaimThatIsOlderThanANewcomerIsOutbid) {
  (void)young.vnet.poll_notice();
  (void)young.vnet.poll_announcement();
  const auto older = binding(1, "", 5, 8, kNow + 1h);
  EXPECT_EQ(young.vnet.handle_announcement(kNow, node(5), older).error(), Error::Conflict);
  EXPECT_EQ(place(young), young.id);
  EXPECT_EQ(sequence(young), 9u);
  EXPECT_EQ(young.vnet.poll_announcement()->sequence, 9u);
  const auto notice = young.vnet.poll_notice();
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->to, node(5));
  EXPECT_EQ(notice->binding.sequence, 9u);
  // By whoever knows more; what then follows on ours is not older.
  EXPECT_TRUE(young.vnet.handle_announcement(kNow, node(9), binding(1, "", 6, 20, kNow + 1h)));
  EXPECT_EQ(sequence(young), 21u);
  EXPECT_EQ(young.vnet.poll_notice()->to, node(6));
  EXPECT_TRUE(young.vnet.handle_announcement(kNow, node(4), binding(1, "", 4, 22, kNow + 1h)));
  EXPECT_EQ(place(young), node(4));
}

TEST_F(AMove, ANewcomerIsNoneOnceTheNetworkKnowsItOrAfterAWhile) {
  young.vnet.raise_sequence(kNow, mac(1), 3);
  EXPECT_FALSE(young.vnet.movers().is_newcomer(kNow, mac(1)));
  EXPECT_TRUE(young.vnet.handle_announcement(kNow, node(5), binding(1, "", 5, 8, kNow + 1h)));
  EXPECT_EQ(place(young), node(5));
  (void)young.vnet.handle_guest_frame(kNow, data_frame(mac(3), mac(1)));
  const Instant later = kNow + Movers::kNewcomerTime;
  EXPECT_TRUE(young.vnet.handle_announcement(later, node(5), binding(1, "", 5, 18, later + 1h)));
  EXPECT_EQ(place(young), node(5));
}

TEST_F(AMove, TwoHostsThatClaimANewcomerDoNotQuarrelForever) {
  for (uint64_t claim = 8; claim < 8 + 20 * Movers::kMaxOutbid; claim += 20) {
    EXPECT_EQ(young.vnet.handle_announcement(kNow, node(5), binding(1, "", 5, claim, kNow + 1h)).error(),
              Error::Conflict);
  }
  EXPECT_TRUE(young.vnet.handle_announcement(kNow, node(5), binding(1, "", 5, 900, kNow + 1h)));
}

TEST_F(AMove, WhatTheNetworkTookTheGuestIsHere) {
  (void)young.vnet.handle_announcement(kNow, node(5), binding(1, "", 5, 3, kNow + 1h));
  ASSERT_EQ(sequence(young), 4u) << "The next after ours by chance,";
  (void)young.vnet.handle_announcement(kNow, node(5), binding(1, "", 5, 5, kNow + 1h));
  ASSERT_EQ(place(young), node(5)) << "but hardly twice.";
  young.vnet.raise_sequence(kNow, mac(1), 6);
  EXPECT_EQ(place(young), young.id);
  EXPECT_EQ(sequence(young), 6u);
  young.vnet.raise_sequence(kNow, mac(1), 5);
  EXPECT_EQ(sequence(young), 6u);
}

TEST_F(AMove, WhoCountsOnFromAnOldPlaceIsToldOfTheLatest) {
  (void)talker.vnet.handle_announcement(kNow, node(5), binding(1, "", 5, 7, kNow + 1h));
  EXPECT_EQ(talker.vnet.handle_announcement(kNow, young.id, young.vnet.poll_notice()->binding).error(),
            Error::Conflict);
  const auto notice = talker.vnet.poll_notice();
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->to, young.id);
  EXPECT_EQ(notice->binding.node, node(5));
  EXPECT_EQ(notice->binding.sequence, 7u);
}

}  // namespace
}  // namespace ipop
