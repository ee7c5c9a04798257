// What other members say, and what a host believes of it.
#include <gtest/gtest.h>

#include "overlay/vnet/vnet.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

constexpr Instant kStart = at(1000s);

TEST(VnetMembers, MembersSpeakForThemselvesOnly) {
  Hosts hosts;
  Host& a = hosts.add();
  const auto claim = binding(5, "10.128.0.50", 2, 1, kStart + 1h);
  EXPECT_EQ(a.vnet.handle_announcement(kStart, node(3), claim).error(), Error::NotAllowed);
  EXPECT_EQ(a.vnet.handle_announcement(kStart, a.id, binding(5, "", 1, 1, kStart + 1h)).error(), Error::Self);
  struct {
    Binding binding;
    Error error;
  } cases[] = {{claim, Error::Malformed},  {claim, Error::Malformed},  {claim, Error::Malformed},
               {claim, Error::NotAllowed}, {claim, Error::NotAllowed}, {claim, Error::NotAllowed}};
  cases[0].binding.sequence = 0;
  cases[1].binding.mac = MacAddress::broadcast();
  cases[2].binding.mac = {};
  cases[3].binding.mac = a.vnet.service().mac;
  cases[4].binding.ip = a.vnet.service().ip;
  cases[5].binding.ip = ip("192.168.0.1");
  for (const auto& c : cases) {
    const auto result = a.vnet.handle_announcement(kStart, node(2), c.binding);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), c.error);
  }
  Query query;
  query.ip = ip("10.128.0.9");
  query.asker = claim;
  (void)a.vnet.handle_query(kStart, node(3), query);
  EXPECT_TRUE(a.vnet.bindings().empty());
}

TEST(VnetMembers, NoClaimLastsForever) {
  Hosts hosts;
  Host& a = hosts.add();
  ASSERT_TRUE(a.vnet.handle_announcement(kStart, node(2), binding(5, "10.128.0.50", 2, 1, Instant::max())));
  EXPECT_EQ(a.vnet.map().find_mac(mac(5))->expires, kStart + Vnet::kLongestBinding);
}

TEST(VnetMembers, TheHighestSequenceDoesNotWrap) {
  Hosts hosts;
  Host& a = hosts.add();
  ASSERT_TRUE(a.vnet.handle_announcement(kStart, node(2), binding(5, "", 2, UINT64_MAX, kStart + 1h)));
  (void)a.vnet.handle_guest_frame(kStart, data_frame(MacAddress::broadcast(), mac(5)));
  EXPECT_EQ(a.vnet.map().find_mac(mac(5))->sequence, UINT64_MAX);
  EXPECT_TRUE(a.vnet.map().is_local(mac(5))) << "Node 1 is the lower one.";
}

TEST(VnetMembers, AMembersFrameShowsWhereItsSenderIs) {
  Hosts hosts;
  Host& a = hosts.add();
  const Bytes frame = data_frame(MacAddress::broadcast(), mac(5));
  EXPECT_TRUE(a.vnet.handle_member_frame(kStart, node(2), frame));
  EXPECT_EQ(a.vnet.poll_guest_frame(), frame);
  EXPECT_EQ(a.vnet.map().find_mac(mac(5))->node, node(2));
  EXPECT_TRUE(a.vnet.handle_member_frame(kStart, node(3), frame)) << "Delivered,";
  EXPECT_EQ(a.vnet.map().find_mac(mac(5))->node, node(2)) << "but moving takes an announcement.";
  EXPECT_TRUE(a.vnet.handle_announcement(kStart, node(3), binding(5, "", 3, 1, kStart + 1h)));
  EXPECT_EQ(a.vnet.map().find_mac(mac(5))->node, node(3));
}

TEST(VnetMembers, WhatAGoneMemberAnnouncedIsKept) {
  Hosts hosts;
  Host& a = hosts.add();
  (void)a.vnet.handle_member_frame(kStart, node(2), data_frame(MacAddress::broadcast(), mac(5)));
  (void)a.vnet.handle_announcement(kStart, node(2), binding(6, "", 2, 1, kStart + 1h));
  a.vnet.handle_member_gone(kStart, node(2));
  EXPECT_FALSE(a.vnet.map().find_mac(mac(5)));
  EXPECT_TRUE(a.vnet.map().find_mac(mac(6)));
}

TEST(VnetMembers, AMemberCannotImpersonateOurGuestOrTheService) {
  Hosts hosts;
  Host& a = hosts.add();
  (void)a.vnet.handle_guest_frame(kStart, data_frame(MacAddress::broadcast(), mac(1)));
  const MacAddress service_mac = a.vnet.service().mac;
  EXPECT_EQ(a.vnet.handle_member_frame(kStart, node(2), data_frame(mac(2), mac(1))).error(), Error::Conflict);
  EXPECT_EQ(a.vnet.handle_member_frame(kStart, node(2), data_frame(mac(1), service_mac)).error(),
            Error::NotAllowed);
  EXPECT_EQ(a.vnet.handle_member_frame(kStart, node(2), data_frame(service_mac, mac(2))).error(),
            Error::NotAllowed);
  EXPECT_EQ(a.vnet.poll_guest_frame(), std::nullopt);
}

TEST(VnetMembers, AnAnswerToAnotherQuestionIsNone) {
  Hosts hosts;
  Host& a = hosts.add();
  (void)a.vnet.handle_guest_frame(kStart, arp_frame(MacAddress::broadcast(), mac(1),
                                                    arp_request(1, ip("10.128.0.10"), ip("10.128.0.20"))));
  const auto query = a.vnet.poll_query();
  ASSERT_TRUE(query);
  EXPECT_EQ(a.vnet.handle_answer(kStart, query->id, binding(3, "10.128.0.21", 2, 1, kStart + 1h)).error(),
            Error::Malformed);
  EXPECT_TRUE(a.vnet.handle_answer(kStart, query->id, binding(2, "10.128.0.20", 2, 1, kStart + 1h)));
  EXPECT_EQ(arp_in(*a.vnet.poll_guest_frame())->sender_mac, mac(2));
  EXPECT_EQ(a.vnet.handle_answer(kStart, query->id, std::nullopt).error(), Error::UnexpectedMessage);
  EXPECT_TRUE(a.vnet.handle_answer(kStart, query->id, binding(4, "10.128.0.20", 3, 9, kStart + 1h)))
      << "A late answer still teaches.";
  EXPECT_EQ(a.vnet.map().find_ip(ip("10.128.0.20"))->mac, mac(4));
}

}  // namespace
}  // namespace ipop
