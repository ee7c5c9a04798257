#include "overlay/vnet/arp_responder.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

class ArpResponderTest : public ::testing::Test {
 protected:
  ArpResponderTest() {
    (void)map.upsert(at(0s), binding(1, "10.128.0.10", 1, 1, at(1h)));  // A guest of ours,
    (void)map.upsert(at(0s), binding(2, "10.128.0.20", 2, 1, at(1h)));  // and one of a member.
  }
  std::optional<ArpPacket> ask(uint8_t guest, const char* sender, const char* target) {
    EXPECT_TRUE(responder.handle_request(at(0s), arp_request(guest, ip(sender), ip(target))));
    return reply();
  }
  std::optional<ArpPacket> reply() {
    const auto frame = responder.poll_frame();
    return frame ? arp_in(*frame) : std::nullopt;
  }

  const Service network = service();
  AddressMap map{node(1)};
  SeededRandom random{1};
  Resolver resolver{random};
  ArpResponder responder{network, map, resolver};
};

TEST_F(ArpResponderTest, ARemoteGuestIsAnsweredForWithItsRealMac) {
  EXPECT_TRUE(responder.handle_request(at(0s), arp_request(1, ip("10.128.0.10"), ip("10.128.0.20"))));
  const auto bytes = responder.poll_frame();
  ASSERT_TRUE(bytes);
  const auto frame = EthernetFrame::decode(*bytes);
  EXPECT_EQ(frame->header.dst, mac(1));
  EXPECT_EQ(frame->header.src, mac(2));
  EXPECT_EQ(*arp_in(*bytes), (ArpPacket{.operation = ArpPacket::Operation::Reply,
                                        .sender_mac = mac(2),
                                        .sender_ip = ip("10.128.0.20"),
                                        .target_mac = mac(1),
                                        .target_ip = ip("10.128.0.10")}));
  EXPECT_EQ(resolver.poll_query(), std::nullopt);
}

TEST_F(ArpResponderTest, TheServiceAddressIsEverywhere) {
  EXPECT_EQ(ask(1, "10.128.0.10", "10.128.0.1")->sender_mac, network.mac);
}

TEST_F(ArpResponderTest, ALocalGuestSpeaksForItself) {
  EXPECT_EQ(ask(3, "10.128.0.30", "10.128.0.10"), std::nullopt);
  EXPECT_EQ(resolver.poll_query(), std::nullopt);
}

TEST_F(ArpResponderTest, AProbeForAnAddressInUseElsewhereIsAnswered) {  // RFC 5227, section 2.1.1.
  EXPECT_EQ(ask(3, "0.0.0.0", "10.128.0.20")->sender_mac, mac(2));
}

TEST_F(ArpResponderTest, AnAnnouncementOfAnAddressInUseElsewhereIsContradicted) {
  EXPECT_EQ(ask(3, "10.128.0.20", "10.128.0.20")->sender_mac, mac(2));
  EXPECT_EQ(ask(3, "10.128.0.30", "10.128.0.30"), std::nullopt);
  EXPECT_EQ(resolver.poll_query(), std::nullopt) << "It tells, it does not ask.";
}

TEST_F(ArpResponderTest, TheHolderItselfIsNotContradicted) {
  EXPECT_EQ(ask(2, "0.0.0.0", "10.128.0.20"), std::nullopt) << "It has just moved here.";
}

TEST_F(ArpResponderTest, WhatNoGuestMayHaveIsNotAskedFor) {
  for (const char* target : {"10.128.0.0", "10.128.0.255", "10.129.0.1", "0.0.0.0", "8.8.8.8"}) {
    EXPECT_EQ(ask(1, "10.128.0.10", target), std::nullopt) << target;
  }
  EXPECT_EQ(resolver.poll_query(), std::nullopt);
}

TEST_F(ArpResponderTest, AnUnknownAddressIsAskedForAndAnsweredLater) {
  EXPECT_EQ(ask(1, "10.128.0.10", "10.128.0.40"), std::nullopt);
  EXPECT_EQ(ask(3, "0.0.0.0", "10.128.0.40"), std::nullopt);
  const auto query = resolver.poll_query();
  ASSERT_TRUE(query);
  EXPECT_EQ(query->kind, Query::Kind::Ip);
  EXPECT_EQ(query->ip, ip("10.128.0.40"));
  EXPECT_EQ(query->asker->mac, mac(1)) << "So that the answering host knows the way back.";
  EXPECT_EQ(resolver.poll_query(), std::nullopt) << "One question for both guests.";
  responder.handle_answer(*query, binding(4, "10.128.0.40", 3, 1, at(1h)));
  EXPECT_EQ(reply()->target_mac, mac(1));
  EXPECT_EQ(reply()->target_mac, mac(3));
  EXPECT_EQ(responder.pending(), 0u);
}

TEST_F(ArpResponderTest, NobodyKnowsMeansSilence) {
  (void)ask(3, "0.0.0.0", "10.128.0.40");
  responder.handle_answer(*resolver.poll_query(), std::nullopt);
  EXPECT_EQ(reply(), std::nullopt);
  EXPECT_EQ(responder.pending(), 0u);
}

TEST_F(ArpResponderTest, WhatIsOnlyReservedIsNotDefended) {
  (void)ask(3, "0.0.0.0", "10.128.0.40");
  responder.handle_answer(*resolver.poll_query(), binding(4, "10.128.0.40", 3, 0, at(1h)));
  EXPECT_EQ(reply(), std::nullopt);
}

TEST_F(ArpResponderTest, PendingRequestsAreBounded) {
  const AddressMap empty(node(1));
  const Service wide = Service::make("grid", *Ipv4Subnet::parse("10.0.0.0/8"), 1, 1380);
  ArpResponder busy(wide, empty, resolver);
  for (uint32_t i = 0; i < ArpResponder::kMaxPending; ++i) {
    ASSERT_TRUE(busy.handle_request(at(0s), arp_request(1, {}, {0x0a000100 + i})));
  }
  EXPECT_EQ(busy.handle_request(at(0s), arp_request(1, {}, {0x0a010000})).error(), Error::Full);
  EXPECT_TRUE(busy.handle_request(at(0s), arp_request(1, {}, {0x0a000100})))
      << "One that waits may repeat itself.";
  EXPECT_EQ(busy.pending(), ArpResponder::kMaxPending);
}

}  // namespace
}  // namespace ipop
