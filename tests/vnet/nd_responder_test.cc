#include "overlay/vnet/nd_responder.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

const Service kService = service();  // Its prefix is fd00::/64: the hash 0x1234 begins with zeros.
const Ipv6Address kTarget = ip6("fd00::7");

Binding bound(uint8_t guest, const Ipv6Address& address, uint8_t host) {
  Binding out = binding(guest, "", host, 1, at(1h));
  out.ip = address;
  return out;
}

struct Fixture : testing::Test {
  Result<Done> ask(uint8_t guest, const Ipv6Address& src, const Ipv6Address& target) {
    return nd.handle_solicitation(at(0s), mac(guest), src, {.target = target, .source_mac = {}});
  }
  SeededRandom random{1};
  AddressMap map{node(1)};
  Resolver resolver{random};
  NdResponder nd{kService, map, resolver};
};
using NdResponderTest = Fixture;

TEST_F(NdResponderTest, TheServiceHasItsAddresses) {
  for (const Ipv6Address& own : {kService.ipv6, kService.link_local}) {
    ASSERT_TRUE(ask(1, link_local(1), own));
    const auto frame = nd.poll_frame();
    ASSERT_TRUE(frame);
    EXPECT_EQ(*advertisement_in(*frame), (NeighbourAdvertisement{.is_router = false,
                                                                 .is_solicited = true,
                                                                 .overrides = true,
                                                                 .target = own,
                                                                 .target_mac = kService.mac}));
    EXPECT_EQ(ipv6_in(*frame)->dst, link_local(1));
    EXPECT_EQ(ipv6_in(*frame)->src, own);
    EXPECT_EQ(EthernetFrame::decode(*frame)->header.dst, mac(1));
    EXPECT_EQ(EthernetFrame::decode(*frame)->header.src, kService.mac);
  }
}

TEST_F(NdResponderTest, AnAddressElsewhereIsAnsweredWithItsRealMac) {
  (void)map.upsert(at(0s), bound(7, kTarget, 2));
  ASSERT_TRUE(ask(1, ip6("fd00::1:1"), kTarget));
  const auto frame = nd.poll_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(advertisement_in(*frame)->target_mac, mac(7));
  EXPECT_EQ(ipv6_in(*frame)->src, kTarget);
  EXPECT_EQ(EthernetFrame::decode(*frame)->header.src, mac(7)) << "that is where the switch is to send";
  EXPECT_EQ(resolver.pending(), 0u);
}

TEST_F(NdResponderTest, AGuestOfThisHostAnswersForItself) {
  (void)map.upsert(at(0s), bound(7, kTarget, 1));
  EXPECT_TRUE(ask(1, link_local(1), kTarget));
  EXPECT_FALSE(nd.poll_frame());
  EXPECT_EQ(resolver.pending(), 0u);
}

TEST_F(NdResponderTest, AnUnknownAddressIsAskedForOnce) {
  EXPECT_TRUE(ask(1, link_local(1), kTarget));
  EXPECT_TRUE(ask(1, link_local(1), kTarget));
  EXPECT_TRUE(ask(2, link_local(2), kTarget));
  const auto query = resolver.poll_query();
  ASSERT_TRUE(query);
  EXPECT_EQ(query->ip, IpAddress(kTarget));
  EXPECT_FALSE(resolver.poll_query());
  EXPECT_EQ(nd.pending(), 2u);
  nd.handle_answer(*query, bound(7, kTarget, 2));
  for (const uint8_t guest : std::initializer_list<uint8_t>{1, 2}) {
    const auto frame = nd.poll_frame();
    ASSERT_TRUE(frame);
    EXPECT_EQ(ipv6_in(*frame)->dst, link_local(guest));
    EXPECT_EQ(advertisement_in(*frame)->target_mac, mac(7));
  }
  EXPECT_EQ(nd.pending(), 0u);
  EXPECT_FALSE(nd.poll_claim());
}

TEST_F(NdResponderTest, NobodysAddressIsAnsweredBySilence) {
  EXPECT_TRUE(ask(1, link_local(1), kTarget));
  nd.handle_answer(*resolver.poll_query(), std::nullopt);
  EXPECT_FALSE(nd.poll_frame());
  EXPECT_FALSE(nd.poll_claim()) << "it asked, it did not probe";
  EXPECT_EQ(nd.pending(), 0u);
}

TEST_F(NdResponderTest, AProbeForAnAddressElsewhereIsContradicted) {  // RFC 4862, section 5.4.4.
  (void)map.upsert(at(0s), bound(7, kTarget, 2));
  EXPECT_TRUE(ask(1, {}, kTarget));
  const auto frame = nd.poll_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(ipv6_in(*frame)->dst, kAllNodes) << "it has no address to be answered at";
  EXPECT_FALSE(advertisement_in(*frame)->is_solicited);
  EXPECT_EQ(EthernetFrame::decode(*frame)->header.dst, mac(1)) << "and no other guest need hear it";
  EXPECT_FALSE(nd.poll_claim());
}

TEST_F(NdResponderTest, WhoProbesForAFreeAddressHasIt) {
  EXPECT_TRUE(ask(1, {}, kTarget));
  EXPECT_FALSE(nd.poll_claim()) << "before anybody could say no";
  nd.handle_answer(*resolver.poll_query(), std::nullopt);
  const auto claim = nd.poll_claim();
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->mac, mac(1));
  EXPECT_EQ(claim->ip, kTarget);
  EXPECT_FALSE(nd.poll_frame());
}

TEST_F(NdResponderTest, WhoProbesForItsOwnAddressKeepsIt) {  // Its link was down, or it is at a new host.
  (void)map.upsert(at(0s), bound(1, kTarget, 2));
  EXPECT_TRUE(ask(1, {}, kTarget));
  EXPECT_FALSE(nd.poll_frame());
  ASSERT_TRUE(nd.poll_claim());
}

TEST_F(NdResponderTest, AProbeForTheServicesAddressIsContradicted) {
  EXPECT_TRUE(ask(1, {}, kService.ipv6));
  EXPECT_EQ(advertisement_in(*nd.poll_frame())->target_mac, kService.mac);
  EXPECT_FALSE(nd.poll_claim());
}

TEST_F(NdResponderTest, AnAnnouncementEndsTheWaiting) {
  EXPECT_TRUE(ask(1, link_local(1), kTarget));
  nd.handle_binding(bound(7, kTarget, 2));
  EXPECT_TRUE(nd.poll_frame());
  EXPECT_EQ(nd.pending(), 0u);
}

TEST_F(NdResponderTest, WhatWaitsIsBounded) {
  for (uint16_t i = 0; i < 256; ++i) {
    EXPECT_TRUE(ask(1, link_local(1),
                    Ipv6Address{{0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, static_cast<uint8_t>(i)}}));
  }
  EXPECT_EQ(ask(1, link_local(1), kTarget).error(), Error::Full);
  EXPECT_EQ(nd.pending(), 256u);
}

}  // namespace
}  // namespace ipop
