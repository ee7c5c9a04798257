#include "overlay/vnet/vnet.h"

#include <gtest/gtest.h>

#include <set>

#include "overlay/wire/nd.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Type = DhcpMessage::Type;

constexpr Instant kStart = at(1000s);

TEST(Vnet, GuestsAtThreeHostsGetAddressesAndFindEachOther) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  Host& c = hosts.add();
  const auto ip1 = hosts.lease(kStart, a, 1);
  const auto ip2 = hosts.lease(kStart, b, 2);
  const auto ip3 = hosts.lease(kStart, c, 3);
  ASSERT_TRUE(ip1 && ip2 && ip3);
  EXPECT_EQ((std::set<Ipv4Address>{*ip1, *ip2, *ip3}).size(), 3u);
  EXPECT_EQ(a.vnet.bindings().size(), 3u);

  b.to_guests.clear();
  const auto heard =
      hosts.frame(kStart, a, arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, *ip1, *ip2)));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(arp_in(heard[0])->sender_mac, mac(2));
  EXPECT_TRUE(b.to_guests.empty()) << "No ARP request crosses the network.";
}

TEST(Vnet, AnAddressIsGivenOnce) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  std::set<Ipv4Address> given;
  for (uint8_t guest = 1; guest <= 120; ++guest) {
    const auto address = hosts.lease(kStart, guest % 2 == 0 ? a : b, guest);
    ASSERT_TRUE(address) << int{guest};
    EXPECT_TRUE(given.insert(*address).second) << address->to_string();
  }
}

TEST(Vnet, AGuestKeepsItsAddressAtAnotherHost) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const auto address = hosts.lease(kStart, a, 1);
  EXPECT_EQ(hosts.lease(kStart + 60s, b, 1), address) << "Started again there at once,";
  EXPECT_TRUE(b.vnet.map().is_local(mac(1)));
  EXPECT_FALSE(a.vnet.map().is_local(mac(1)));
  hosts.timeouts(kStart + 3h);
  EXPECT_EQ(hosts.lease(kStart + 3h, a, 1), address) << "or long after its lease.";
}

TEST(Vnet, RestartingAHostCallsNobodyBack) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  (void)hosts.lease(kStart, a, 1);
  (void)hosts.lease(kStart, a, 2);
  const std::string saved = a.vnet.save_leases(kStart, 5000);
  (void)hosts.frame(kStart + 1s, b, data_frame(MacAddress::broadcast(), mac(1)));  // Guest 1 moves meanwhile.

  SeededRandom random(9);
  TestLog log;
  Vnet restarted(
      {.network_name = "grid", .subnet = subnet(), .network_hash = 0x1234, .own = a.id, .mtu = 1380}, random,
      log);
  ASSERT_TRUE(restarted.load_leases(saved, at(0s), 5010));
  EXPECT_TRUE(restarted.map().is_local(mac(1)));
  for (const Binding& binding : restarted.local_bindings()) {
    (void)b.vnet.handle_announcement(kStart + 10s, a.id, binding);
  }
  EXPECT_EQ(b.vnet.map().find_mac(mac(1))->node, b.id);
  EXPECT_EQ(b.vnet.map().find_mac(mac(2))->node, a.id);
  const auto defence = b.vnet.poll_announcement();
  ASSERT_TRUE(defence) << "The restarted host is told what it missed.";
  EXPECT_TRUE(restarted.handle_announcement(at(10s), b.id, *defence));
  EXPECT_FALSE(restarted.map().is_local(mac(1)));
  EXPECT_TRUE(restarted.map().is_local(mac(2)));
}

TEST(Vnet, AForeignLeaseFileIsRefused) {
  Hosts hosts;
  Host& a = hosts.add();
  EXPECT_FALSE(a.vnet.load_leases("ipop-leases 1\n52:54:00:00:00:01 192.168.0.2 9000 1 -\n", kStart, 5000));
  EXPECT_FALSE(a.vnet.load_leases("garbage", kStart, 5000));
  EXPECT_TRUE(a.vnet.bindings().empty());
}

TEST(Vnet, TheFirstFrameToAnUnknownMacIsNotLost) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  (void)b.vnet.handle_guest_frame(kStart, data_frame(MacAddress::broadcast(), mac(2), "I am here"));
  while (b.vnet.poll_announcement()) {
  }  // Lost: host a was not connected yet.
  while (b.vnet.poll_outgoing()) {
  }
  (void)hosts.frame(kStart, a, data_frame(mac(2), mac(1), "one"));
  ASSERT_EQ(b.to_guests.size(), 1u);
  EXPECT_EQ(b.to_guests[0], data_frame(mac(2), mac(1), "one"));
  EXPECT_EQ(b.vnet.map().find_mac(mac(1))->node, a.id) << "The question told who asked.";
}

TEST(Vnet, FramesForAMacThatNobodyHasWaitAndAreDropped) {
  Hosts hosts;
  Host& a = hosts.add();
  constexpr size_t kMore = FrameHold<MacAddress>::kMaxFramesPerKey + 4;
  for (size_t i = 0; i < kMore; ++i) (void)a.vnet.handle_guest_frame(kStart, data_frame(mac(9), mac(1)));
  EXPECT_EQ(a.vnet.errors().get(Error::Full), 4u);
  for (Instant now = kStart; now <= kStart + 4s; now += 1s) a.vnet.handle_timeout(now);
  EXPECT_FALSE(a.vnet.poll_outgoing());
  EXPECT_EQ(counter(a, "hold_expired"), FrameHold<MacAddress>::kMaxFramesPerKey);
}

TEST(Vnet, GroupFramesGoToAllMembersWithinTheirRate) {
  Hosts hosts;
  Host& a = hosts.add();
  const Bytes frame = data_frame({{0x01, 0, 0x5e, 0, 0, 0xfb}}, mac(1));
  int refused = 0, sent = 0;
  for (int i = 0; i < 1500; ++i) refused += a.vnet.handle_guest_frame(kStart, frame) ? 0 : 1;
  while (const auto out = a.vnet.poll_outgoing()) {
    EXPECT_EQ(out->to, std::nullopt);
    ++sent;
  }
  EXPECT_EQ(sent, 1000);
  EXPECT_EQ(refused, 500);
  EXPECT_EQ(a.vnet.errors().get(Error::RateLimited), 500u);
}

TEST(Vnet, WhatBridgesSayToEachOtherStaysHere) {
  Hosts hosts;
  Host& a = hosts.add();
  EXPECT_TRUE(a.vnet.handle_guest_frame(kStart, data_frame({{0x01, 0x80, 0xc2, 0, 0, 0}}, mac(1))));
  EXPECT_FALSE(a.vnet.poll_outgoing());
  EXPECT_FALSE(
      a.vnet.handle_member_frame(kStart, node(2), data_frame({{0x01, 0x80, 0xc2, 0, 0, 0}}, mac(2))));
}

TEST(Vnet, RefusesFramesThatNoGuestSends) {
  Hosts hosts;
  Host& a = hosts.add();
  const MacAddress service_mac = a.vnet.service().mac;
  const auto error_of = [&](const Bytes& frame) {
    const auto result = a.vnet.handle_guest_frame(kStart, frame);
    return result ? std::nullopt : std::optional(result.error());
  };
  EXPECT_EQ(error_of(data_frame(mac(2), MacAddress::broadcast())), Error::Malformed);
  EXPECT_EQ(error_of(data_frame(mac(2), {})), Error::Malformed);
  EXPECT_EQ(error_of(data_frame({}, mac(1))), Error::Malformed);
  EXPECT_EQ(error_of(data_frame(mac(2), service_mac)), Error::NotAllowed);
  EXPECT_EQ(error_of(Bytes(13, 2)), Error::Malformed);
  EXPECT_EQ(error_of({}), Error::Malformed);
  Bytes oversize = data_frame(mac(2), mac(1));
  oversize.resize(kMaxFrameSize + 1);
  EXPECT_EQ(error_of(oversize), Error::Malformed);
  EXPECT_EQ(a.vnet.errors().get(Error::Malformed), 6u);
  EXPECT_TRUE(a.vnet.bindings().empty()) << "A refused frame teaches nothing.";
}

TEST(Vnet, EveryTruncationOfADhcpOrArpFrameIsSurvived) {
  Hosts hosts;
  Host& a = hosts.add();
  for (const Bytes& whole :
       {dhcp_frame(dhcp(Type::Discover, 1)),
        arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, {}, ip("10.128.0.9")))}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      (void)hosts.frame(kStart, a, Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)));
    }
  }
  EXPECT_TRUE(a.to_guests.empty());
}

TEST(Vnet, AGuestCannotSpeakForAnother) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const auto address = *hosts.lease(kStart, b, 2);
  // ARP in another's name.
  ArpPacket packet = arp_request(3, ip("10.128.0.30"), address);
  EXPECT_EQ(a.vnet.handle_guest_frame(kStart, arp_frame(MacAddress::broadcast(), mac(1), packet)).error(),
            Error::NotAllowed);
  // DHCP in another's name.
  DhcpMessage discover = dhcp(Type::Discover, 3);
  Bytes frame = dhcp_frame(discover);
  frame[11] = 1;  // The last octet of the source MAC.
  EXPECT_EQ(a.vnet.handle_guest_frame(kStart, frame).error(), Error::NotAllowed);
  // Another's address: it stays its holder's, and the guest is contradicted.
  const auto heard =
      hosts.frame(kStart, a, arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, address, address)));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(arp_in(heard[0])->sender_mac, mac(2));
  EXPECT_EQ(a.vnet.map().find_ip(address)->mac, mac(2));
  EXPECT_EQ(b.vnet.map().find_ip(address)->mac, mac(2));
  EXPECT_EQ(a.vnet.errors().get(Error::Conflict), 1u);
  EXPECT_EQ(counter(a, "address_conflicts"), 1u);
  EXPECT_EQ(counter(b, "address_conflicts"), 0u) << "It never heard of it.";
  EXPECT_FALSE(a.log.lines.empty());
}

TEST(Vnet, AClaimOfAnotherHostThatLosesIsCountedAndNamed) {
  Hosts hosts;
  Host& a = hosts.add();
  const auto address = *hosts.lease(kStart, a, 1);
  a.log.lines.clear();
  const Binding claim{
      .ip = address, .mac = mac(2), .node = node(9), .sequence = 1, .expires = kStart + 1h, .name = {}};
  EXPECT_EQ(a.vnet.handle_announcement(kStart, node(9), claim).error(), Error::Conflict);
  EXPECT_EQ(a.vnet.map().find_ip(address)->mac, mac(1));
  EXPECT_EQ(counter(a, "address_conflicts"), 1u);
  ASSERT_EQ(a.log.lines.size(), 1u);
  EXPECT_NE(a.log.lines[0].find("is claimed by " + mac(2).to_string()), std::string::npos) << a.log.lines[0];
}

TEST(Vnet, AHigherSequenceTakesNoAddressOfAGuestOfOurs) {
  Hosts hosts;
  Host& a = hosts.add();
  const auto address = *hosts.lease(kStart, a, 1);
  Binding claim{
      .ip = address, .mac = mac(2), .node = node(9), .sequence = 77, .expires = kStart + 1h, .name = {}};
  EXPECT_EQ(a.vnet.handle_announcement(kStart, node(9), claim).error(), Error::Conflict);
  EXPECT_EQ(a.vnet.map().find_ip(address)->mac, mac(1));
  EXPECT_EQ(counter(a, "address_conflicts"), 1u);
  claim.expires = kStart;
  (void)a.vnet.handle_announcement(kStart, node(9), claim);
  EXPECT_EQ(a.vnet.map().find_ip(address)->mac, mac(1));
  EXPECT_EQ(counter(a, "address_conflicts"), 1u) << "who gives it back wants nothing";
  claim.expires = kStart + 1h;
  a.vnet.handle_lost(kStart, mac(1), claim);
  EXPECT_EQ(a.vnet.map().find_ip(address)->mac, mac(2)) << "the network's word is another matter";
}

TEST(Vnet, AGuestThatLosesItsAddressHearsWhoHasIt) {
  Hosts hosts;
  Host& a = hosts.add();
  const auto address = *hosts.lease(kStart, a, 1);
  Ipv6Address ipv6 = a.vnet.service().prefix;
  ipv6.bytes[8] = 2;
  (void)a.vnet.handle_guest_frame(kStart, nd_request(1, ipv6, ipv6));
  ASSERT_TRUE(a.vnet.map().find_ip(ipv6));
  while (a.vnet.poll_guest_frame()) {
  }
  Binding winner{
      .ip = address, .mac = mac(2), .node = node(9), .sequence = 77, .expires = kStart + 1h, .name = {}};
  a.vnet.handle_lost(kStart, mac(1), winner);
  const auto announced = a.vnet.poll_guest_frame();
  ASSERT_TRUE(announced);
  EXPECT_EQ(EthernetFrame::decode(*announced)->header.dst, mac(1)) << "and nobody else";
  EXPECT_EQ(EthernetFrame::decode(*announced)->header.src, mac(2));
  const auto packet = arp_in(*announced);
  ASSERT_TRUE(packet && packet->is_announcement());
  EXPECT_EQ(packet->sender_ip, address);
  EXPECT_EQ(packet->sender_mac, mac(2));
  a.vnet.handle_lost(kStart, mac(1), winner);
  EXPECT_FALSE(a.vnet.poll_guest_frame()) << "once";
  winner.ip = ipv6;
  a.vnet.handle_lost(kStart, mac(1), winner);
  const auto advertised = a.vnet.poll_guest_frame();
  ASSERT_TRUE(advertised);
  const auto frame = EthernetFrame::decode(*advertised);
  EXPECT_EQ(frame->header.dst, mac(1));
  const auto advertisement = NeighbourAdvertisement::decode(*Ipv6Packet::decode(frame->payload));
  ASSERT_TRUE(advertisement);
  EXPECT_EQ(advertisement->target, ipv6);
  EXPECT_EQ(advertisement->target_mac, mac(2));
  EXPECT_TRUE(advertisement->overrides && !advertisement->is_solicited && !advertisement->is_router);
}

TEST(Vnet, AGuestThatIsSaidToHaveMovedIsAskedWhetherItIsHere) {
  Hosts hosts;
  Host& a = hosts.add();
  const auto address = *hosts.lease(kStart, a, 1);
  while (a.vnet.poll_guest_frame()) {
  }
  const Binding elsewhere{
      .ip = {}, .mac = mac(1), .node = node(9), .sequence = 77, .expires = kStart + 1h, .name = {}};
  ASSERT_TRUE(a.vnet.handle_announcement(kStart + Movers::kNewcomerTime, node(9), elsewhere));
  ASSERT_FALSE(a.vnet.map().is_local(mac(1)));
  const auto asked = a.vnet.poll_guest_frame();
  ASSERT_TRUE(asked);
  const auto request = arp_in(*asked);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->operation, ArpPacket::Operation::Request);
  EXPECT_EQ(request->target_ip, address);
  // It answers.
  const auto& service = a.vnet.service();
  const ArpPacket reply{.operation = ArpPacket::Operation::Reply,
                        .sender_mac = mac(1),
                        .sender_ip = address,
                        .target_mac = service.mac,
                        .target_ip = service.ip};
  (void)hosts.frame(kStart, a, arp_frame(service.mac, mac(1), reply));
  EXPECT_TRUE(a.vnet.map().is_local(mac(1)));
  EXPECT_GT(a.vnet.map().find_mac(mac(1))->sequence, 77u);
}

TEST(Vnet, ANeighboursLeaseCannotBeTaken) {
  Hosts hosts;
  Host& a = hosts.add();
  const auto address = *hosts.lease(kStart, a, 1);
  (void)hosts.frame(kStart, a, arp_frame(MacAddress::broadcast(), mac(2), arp_request(2, address, address)));
  EXPECT_EQ(a.vnet.map().find_ip(address)->mac, mac(1));
  EXPECT_EQ(a.vnet.errors().get(Error::Conflict), 1u);
}

TEST(Vnet, WhatAGuestHereUsesInSilenceIsNotOffered) {
  Hosts hosts;
  Host& a = hosts.add();
  hosts.add();
  ASSERT_TRUE(a.vnet.handle_guest_frame(kStart, dhcp_frame(dhcp(Type::Discover, 1))));
  const auto asked = a.vnet.poll_guest_frame();  // While the network thinks about it.
  ASSERT_TRUE(asked);
  const auto question = arp_in(*asked);
  ASSERT_TRUE(question);
  EXPECT_TRUE(EthernetFrame::decode(*asked)->header.dst.is_group());
  const MacAddress service_mac = a.vnet.service().mac;
  hosts.frame(kStart, a, arp_frame(service_mac, mac(2), question->reply_from(mac(2))));
  const auto offer = a.take_dhcp();
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->type, Type::Offer);
  EXPECT_NE(offer->yiaddr, question->target_ip);
  EXPECT_EQ(a.vnet.map().find_ip(question->target_ip)->mac, mac(2));
}

TEST(Vnet, AGuestThatPlaysDhcpServerIsHeardByNobody) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const auto offers = hosts.frame(kStart, b, dhcp_frame(dhcp(Type::Discover, 2)));
  Bytes rogue = offers.at(0);
  const MacAddress source = mac(1);
  std::copy(source.bytes.begin(), source.bytes.end(), rogue.begin() + 6);
  EXPECT_EQ(a.vnet.handle_guest_frame(kStart, rogue).error(), Error::NotAllowed);
  EXPECT_FALSE(a.vnet.poll_outgoing());
  EXPECT_FALSE(a.log.lines.empty());
  EXPECT_EQ(b.vnet.handle_member_frame(kStart, a.id, rogue).error(), Error::NotAllowed);
}

TEST(Vnet, AStaticAddressIsLearnedAndNotGivenAway) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const auto wish = b.vnet.service().pool_address(b.vnet.service().pool_start(mac(7)));
  (void)hosts.frame(kStart, a, arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, wish, wish)));
  EXPECT_EQ(b.vnet.map().find_ip(wish)->mac, mac(1));
  const auto given = hosts.lease(kStart, b, 7);
  ASSERT_TRUE(given);
  EXPECT_NE(*given, wish);
}

TEST(Vnet, AnyPacketTellsItsSendersAddress) {
  Hosts hosts;
  Host& a = hosts.add();
  const Bytes packet =
      Ipv4Packet{.src = ip("10.128.0.30"), .dst = ip("10.128.0.31"), .protocol = 17, .payload = {}}.encode();
  (void)hosts.frame(
      kStart, a,
      EthernetFrame{.header = {.dst = mac(2), .src = mac(1), .vlan_tci = {}, .ethertype = kEtherTypeIpv4},
                    .payload = packet}
          .encode());
  const auto known = a.vnet.map().find_ip(ip("10.128.0.30"));
  ASSERT_TRUE(known);
  EXPECT_EQ(known->mac, mac(1));
}

/// Another of its addresses, or other frames, show that the guest is here; the address is asked for before
/// its end.
TEST(Vnet, AnAddressIsAskedForThoughItsGuestIsHeard) {
  Hosts hosts;
  Host& a = hosts.add();
  const Ipv4Address address = ip("10.128.0.30");
  (void)hosts.frame(kStart, a, arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, address, address)));
  (void)hosts.frame(kStart + 50min, a, data_frame(MacAddress::broadcast(), mac(1)));
  bool is_asked = false;
  for (Instant now = kStart + 50min; now < kStart + 1h && !is_asked; now += 1min) {
    a.vnet.handle_timeout(now);
    while (const auto frame = a.vnet.poll_guest_frame()) {
      const auto packet = arp_in(*frame);
      is_asked |= packet && packet->target_ip == address;
    }
  }
  EXPECT_TRUE(is_asked);
}

TEST(Vnet, ASilentGuestIsFoundByAskingIt) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  // Guest 2 of host b has a static address and has not said anything yet.
  (void)hosts.frame(
      kStart, a,
      arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, ip("10.128.0.10"), ip("10.128.0.20"))));
  ASSERT_EQ(b.to_guests.size(), 1u);
  const auto question = arp_in(b.to_guests[0]);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->target_ip, ip("10.128.0.20"));
  EXPECT_EQ(question->sender_ip, b.vnet.service().ip);
  const MacAddress service_mac = b.vnet.service().mac;
  (void)hosts.frame(kStart, b, arp_frame(service_mac, mac(2), question->reply_from(mac(2))));
  const auto heard = hosts.frame(
      kStart + 1s, a,
      arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, ip("10.128.0.10"), ip("10.128.0.20"))));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(arp_in(heard[0])->sender_mac, mac(2));
}

TEST(Vnet, AGuestIsAskedWhetherItIsStillHere) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const Ipv4Address address = ip("10.128.0.10");
  (void)hosts.frame(kStart, a, arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, address, address)));
  const Instant half = kStart + Vnet::kIdleTime / 2;
  EXPECT_EQ(a.vnet.next_timeout(), half);
  a.to_guests.clear();
  hosts.timeouts(half);
  ASSERT_EQ(a.to_guests.size(), 1u);
  const auto question = arp_in(a.to_guests[0]);
  EXPECT_EQ(EthernetFrame::decode(a.to_guests[0])->header.dst, mac(1));
  (void)hosts.frame(half, a, arp_frame(a.vnet.service().mac, mac(1), question->reply_from(mac(1))));
  EXPECT_EQ(a.vnet.map().find_ip(address)->expires, half + Vnet::kIdleTime);
  EXPECT_EQ(b.vnet.map().find_ip(address)->expires, half + Vnet::kIdleTime) << "And the members hear of it.";
}

TEST(Vnet, ASilentGuestIsForgotten) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  (void)hosts.frame(kStart, a, data_frame(MacAddress::broadcast(), mac(1)));
  ASSERT_EQ(b.vnet.bindings().size(), 1u);
  for (Instant now = kStart; now <= kStart + Vnet::kIdleTime; now += 1min) hosts.timeouts(now);
  EXPECT_TRUE(a.vnet.bindings().empty());
  EXPECT_TRUE(b.vnet.bindings().empty());
}

TEST(Vnet, TheServiceAnswersPing) {
  Hosts hosts;
  Host& a = hosts.add();
  const Service& network = a.vnet.service();
  const Bytes data = {1, 2, 3};
  const Bytes echo = IcmpEcho{.is_reply = false, .identifier = 5, .sequence = 6, .data = data}.encode();
  const Bytes packet =
      Ipv4Packet{.src = ip("10.128.0.10"), .dst = network.ip, .protocol = kIpProtocolIcmp, .payload = echo}
          .encode();
  const Bytes frame =
      EthernetFrame{
          .header = {.dst = network.mac, .src = mac(1), .vlan_tci = {}, .ethertype = kEtherTypeIpv4},
          .payload = packet}
          .encode();
  const auto heard = hosts.frame(kStart, a, frame);
  ASSERT_EQ(heard.size(), 1u);
  const auto reply = EthernetFrame::decode(heard[0]);
  EXPECT_EQ(reply->header.dst, mac(1));
  const auto inner = Ipv4Packet::decode(reply->payload);
  EXPECT_EQ(inner->dst, ip("10.128.0.10"));
  const auto answer = IcmpEcho::decode(inner->payload);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->is_reply);
  EXPECT_EQ(answer->identifier, 5);
}

TEST(Vnet, AGuestWhoseFramesAreTooLongIsTold) {
  Hosts hosts;
  Host& a = hosts.add();
  const Bytes too_long = *from_hex(
      "525400000001"
      "525400000002"
      "0800"
      "45000578abcd400040060000"
      "0a80000a0a80000b"
      "1f901f910000000100000002501000ff00000000");
  a.vnet.handle_too_long(too_long, 1268);
  const auto frame = a.vnet.poll_guest_frame();
  ASSERT_TRUE(frame);
  const auto told = EthernetFrame::decode(*frame);
  EXPECT_EQ(told->header.dst, (MacAddress{{0x52, 0x54, 0, 0, 0, 2}}));
  EXPECT_EQ(told->header.src, a.vnet.service().mac);
  EXPECT_EQ(Ipv4Packet::decode(told->payload)->dst, ip("10.128.0.10"));
  EXPECT_EQ(counter(a, "too_big_told"), 1u);

  a.vnet.handle_too_long(Bytes(60), 1268);
  EXPECT_FALSE(a.vnet.poll_guest_frame());
  EXPECT_EQ(counter(a, "too_big_told"), 1u) << "that was no packet";
}

TEST(Vnet, TaggedFramesTravelButAreNotServed) {
  Hosts hosts;
  Host& a = hosts.add();
  Bytes frame = dhcp_frame(dhcp(Type::Discover, 1));
  const Bytes tag = {0x81, 0x00, 0x00, 0x05};
  frame.insert(frame.begin() + 12, tag.begin(), tag.end());
  EXPECT_TRUE(a.vnet.handle_guest_frame(kStart, frame));
  EXPECT_EQ(a.vnet.poll_query(), std::nullopt);
  EXPECT_EQ(a.vnet.poll_outgoing()->frame, frame);
}

TEST(Vnet, InventedMacsAreBoundedAndKeepNobodyOut) {
  Hosts hosts;
  Host& a = hosts.add();
  ASSERT_TRUE(hosts.lease(kStart, a, 1));
  Instant now = kStart;
  for (uint32_t i = 0; i < 6000; ++i) {
    const MacAddress invented{{2, 1, 0, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}};
    (void)a.vnet.handle_guest_frame(now, data_frame(MacAddress::broadcast(), invented));
    now += 5ms;
  }
  EXPECT_EQ(a.vnet.map().size(), 4096u);
  EXPECT_TRUE(hosts.lease(now, a, 2)) << "A new guest gets its address,";
  EXPECT_EQ(a.vnet.local_bindings().size(), 4096u);
  EXPECT_TRUE(hosts.lease(now, a, 1)) << "and one that had one keeps it.";
}

TEST(Vnet, SameInputsSameOutputs) {
  const auto story = [] {
    Hosts hosts;
    Host& a = hosts.add();
    Host& b = hosts.add();
    Bytes all;
    for (uint8_t guest = 1; guest < 30; ++guest) {
      Host& host = guest % 3 == 0 ? b : a;
      (void)hosts.lease(kStart, host, guest);
      for (const Bytes& frame : host.to_guests) all.insert(all.end(), frame.begin(), frame.end());
    }
    return all;
  };
  EXPECT_EQ(story(), story());
}

TEST(Service, IsTheSameEverywhereAndNobodysAddress) {
  const Service one = service(), two = service();
  EXPECT_EQ(one.mac, two.mac);
  EXPECT_EQ(one.mac.bytes[0], 0x02) << "Locally administered, individual.";
  EXPECT_NE(one.mac, Service::make("grid", subnet(), 0x1235, 1380).mac);
  EXPECT_EQ(one.ip, ip("10.128.0.1"));
  EXPECT_EQ(one.pool_size(), 253u);
  EXPECT_EQ(one.pool_address(0), ip("10.128.0.2"));
  EXPECT_EQ(one.pool_address(252), ip("10.128.0.254"));
  for (const char* text : {"10.128.0.0", "10.128.0.1", "10.128.0.255", "10.127.255.255", "10.128.1.0"}) {
    EXPECT_FALSE(one.is_guest_address(ip(text))) << text;
  }
  const Service smallest = Service::make("grid", *Ipv4Subnet::parse("10.128.0.0/30"), 1, 1380);
  EXPECT_EQ(smallest.pool_size(), 1u);
  EXPECT_TRUE(smallest.is_guest_address(smallest.pool_address(0)));
}

}  // namespace
}  // namespace ipop
