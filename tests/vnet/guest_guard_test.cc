#include "overlay/vnet/guest_guard.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

const Service kService = service();
const Ipv4Address kGuest = *Ipv4Address::parse("10.128.0.9");
const AddressBook kNobody{.service = kService, .guests = {}};

/// Whatever is found, the fast path has to leave to the core.
std::optional<Imposture> judge(const Bytes& bytes) {
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame) return std::nullopt;
  const auto imposture = find_imposture(kService, bytes);
  EXPECT_TRUE(!imposture || frame->header.src == kService.mac || must_judge(kNobody, bytes));
  return imposture;
}
Bytes frame_of(uint16_t ethertype, ByteView payload, std::optional<uint16_t> vlan = {}) {
  return EthernetFrame{
      .header = {.dst = MacAddress::broadcast(), .src = mac(1), .vlan_tci = vlan, .ethertype = ethertype},
      .payload = payload}
      .encode();
}
Bytes udp4(uint16_t src_port, uint16_t dst_port, Ipv4Address src = kGuest) {
  const Bytes udp = UdpDatagram{.src_port = src_port, .dst_port = dst_port, .payload = as_bytes("x")}.encode(
      src, kLimitedBroadcast);
  return Ipv4Packet{.src = src, .dst = kLimitedBroadcast, .protocol = kIpProtocolUdp, .payload = udp}
      .encode();
}
Bytes ipv6(const Ipv6Address& src, uint8_t protocol, ByteView payload) {
  return Ipv6Packet{.src = src, .dst = kAllNodes, .protocol = protocol, .hop_limit = 255, .payload = payload}
      .encode();
}
Bytes icmpv6(uint8_t type, ByteView body = {}, const Ipv6Address& src = link_local(1)) {
  return ipv6(src, kIpProtocolIcmpv6,
              Icmpv6Message{.type = type, .code = 0, .body = body}.encode(src, kAllNodes));
}

TEST(GuestGuard, ADhcpServerIsKnownByItsPorts) {
  EXPECT_EQ(judge(frame_of(0x0800, udp4(67, 68))), Imposture::DhcpServer);
  EXPECT_EQ(judge(frame_of(0x0800, udp4(1067, 68))), Imposture::DhcpServer)
      << "clients look at their own port";
  EXPECT_EQ(judge(frame_of(0x0800, udp4(68, 67))), std::nullopt) << "a client";
  EXPECT_EQ(judge(frame_of(0x0800, udp4(67, 67))), std::nullopt)
      << "a relay, whose message the server refuses";
  EXPECT_EQ(judge(frame_of(0x0800, udp4(5353, 5353))), std::nullopt);
}

TEST(GuestGuard, TagsFragmentsAndBadChecksumsHideNothing) {
  Bytes packet = udp4(67, 68);
  EXPECT_EQ(judge(frame_of(0x0800, packet, 0xe000)), Imposture::DhcpServer) << "a tag of priority only";
  packet[10] ^= 1;
  EXPECT_EQ(judge(frame_of(0x0800, packet)), Imposture::DhcpServer);
  packet[6] = 0x20;  // More fragments.
  EXPECT_EQ(judge(frame_of(0x0800, packet)), Imposture::DhcpServer);
  packet[7] = 1;  // A later one, whose octets are no ports; without the first it is nothing.
  EXPECT_EQ(judge(frame_of(0x0800, packet)), std::nullopt);
}

TEST(GuestGuard, ADhcpv6ServerLikewise) {  // RFC 8415, section 7.2.
  const auto udp = [](uint16_t src_port, uint16_t dst_port) {
    const Bytes datagram =
        UdpDatagram{.src_port = src_port, .dst_port = dst_port, .payload = as_bytes("x")}.encode(
            link_local(1), kAllNodes);
    return frame_of(0x86dd, ipv6(link_local(1), kIpProtocolUdp, datagram));
  };
  EXPECT_EQ(judge(udp(547, 546)), Imposture::DhcpServer);
  EXPECT_EQ(judge(udp(546, 547)), std::nullopt);
}

TEST(GuestGuard, ARouterIsKnownByItsMessages) {
  EXPECT_EQ(judge(frame_of(0x86dd, icmpv6(134))), Imposture::Router);
  EXPECT_EQ(judge(frame_of(0x86dd, icmpv6(137))), Imposture::Router);
  EXPECT_EQ(judge(frame_of(0x86dd, icmpv6(133))), std::nullopt) << "it asks for one";
  // Behind destination options, and in a first fragment (RFC 7113).
  const Bytes hidden = *from_hex(
      "3a00010400000000"
      "8600000000000000");
  EXPECT_EQ(judge(frame_of(0x86dd, ipv6(link_local(1), 60, hidden))), Imposture::Router);
  const Bytes fragment = *from_hex(
      "3a00000112345678"
      "8600000000000000");
  EXPECT_EQ(judge(frame_of(0x86dd, ipv6(link_local(1), 44, fragment))), Imposture::Router);
}

TEST(GuestGuard, TheServiceIsKnownByItsAddresses) {
  ArpPacket arp = arp_request(1, kService.ip, kGuest);
  EXPECT_EQ(judge(arp_frame(MacAddress::broadcast(), mac(1), arp)), Imposture::Service);
  arp = arp_request(1, kGuest, kService.ip);
  EXPECT_EQ(judge(arp_frame(MacAddress::broadcast(), mac(1), arp)), std::nullopt) << "it asks for it";
  arp.sender_mac = kService.mac;
  EXPECT_EQ(judge(arp_frame(MacAddress::broadcast(), mac(1), arp)), Imposture::Service);
  EXPECT_EQ(judge(data_frame(mac(2), kService.mac)), Imposture::Service);
  EXPECT_EQ(judge(frame_of(0x0800, udp4(5353, 5353, kService.ip))), Imposture::Service);
  for (const Ipv6Address& own : {kService.ipv6, kService.link_local}) {
    EXPECT_EQ(judge(frame_of(0x86dd, icmpv6(128, {}, own))), Imposture::Service);
    Writer body;
    body.u32(0x20000000);
    write(body, own);
    EXPECT_EQ(judge(frame_of(0x86dd, icmpv6(136, body.view()))), Imposture::Service);
    EXPECT_EQ(judge(frame_of(0x86dd, icmpv6(135, body.view()))), std::nullopt) << "it asks for it";
  }
}

TEST(GuestGuard, WhatIsTooShortToJudgeIsNobody) {
  for (const Bytes& packet : {udp4(67, 68), icmpv6(134)}) {
    const uint16_t type = packet[0] >> 4 == 4 ? 0x0800 : 0x86dd;
    for (size_t size = 0; size < (type == 0x0800 ? 24 : 40); ++size) {
      EXPECT_EQ(judge(frame_of(type, ByteView(packet).first(size))), std::nullopt) << size;
    }
  }
}

TEST(GuestGuard, TheCoreSeesWhoseAnAddressIsSaidToBe) {
  const Bytes arp = arp_request(1, kGuest, kGuest).encode();
  EXPECT_TRUE(must_judge(kNobody, frame_of(kEtherTypeArp, arp)));
  EXPECT_TRUE(must_judge(kNobody, frame_of(kEtherTypeArp, arp, 0xe000)));
  EXPECT_TRUE(must_judge(kNobody, frame_of(kEtherTypeRarp, arp)));
  for (uint8_t type = 133; type <= 137; ++type) {
    EXPECT_TRUE(must_judge(kNobody, frame_of(0x86dd, icmpv6(type)))) << int{type};
    EXPECT_TRUE(must_judge(kNobody, frame_of(0x86dd, icmpv6(type), 0xe000))) << int{type};
    const Bytes behind_options{kIpProtocolIcmpv6, 0, 1, 4, 0, 0, 0, 0, type, 0, 0, 0};
    EXPECT_TRUE(must_judge(kNobody, frame_of(0x86dd, ipv6(link_local(1), 60, behind_options)))) << int{type};
  }
}

TEST(GuestGuard, TheTruthNeedsNoJudge) {
  const Ipv4Address other = ip("10.128.0.10");
  const AddressBook book{.service = kService,
                         .guests = {{kGuest, mac(1)}, {other, mac(2)}, {link_local(1), mac(1)}}};
  const auto arp = [](Ipv4Address sender, uint8_t sender_mac) {
    return arp_frame(mac(9), mac(1), arp_request(sender_mac, sender, ip("10.128.0.20")));
  };
  EXPECT_FALSE(must_judge(book, arp(kGuest, 1)));
  EXPECT_TRUE(must_judge(book, arp(kGuest, 2))) << "another's MAC";
  EXPECT_TRUE(must_judge(book, arp(other, 1))) << "another's address";
  EXPECT_TRUE(must_judge(book, arp({}, 1))) << "a probe";
  EXPECT_FALSE(must_judge(book, frame_of(kEtherTypeArp, arp_request(1, kGuest, other).encode(), 0)));
  EXPECT_TRUE(must_judge(book, frame_of(kEtherTypeArp, arp_request(1, other, other).encode(), 0)));
  EXPECT_FALSE(must_judge(book, frame_of(kEtherTypeArp, arp_request(1, other, other).encode(), 7)))
      << "a VLAN is its guests' own";
  EXPECT_TRUE(must_judge(book, frame_of(kEtherTypeArp, arp_request(1, kService.ip, other).encode(), 7)));

  const auto asks = [](const Ipv6Address& src, std::optional<MacAddress> source_mac) {
    const NeighbourSolicitation message{.target = link_local(9), .source_mac = source_mac};
    return nd_frame(mac(9), mac(1), link_local(9), src, message.encode(src, link_local(9)));
  };
  EXPECT_FALSE(must_judge(book, asks(link_local(1), mac(1))));
  EXPECT_FALSE(must_judge(book, asks(link_local(1), std::nullopt)));
  EXPECT_TRUE(must_judge(book, asks(link_local(1), mac(2))));
  EXPECT_TRUE(must_judge(book, asks(link_local(2), mac(1))));
  const auto tells = [](const Ipv6Address& target, const MacAddress& target_mac) {
    const NeighbourAdvertisement message{.target = target, .target_mac = target_mac};
    return nd_frame(mac(9), mac(1), link_local(9), link_local(1),
                    message.encode(link_local(1), link_local(9)));
  };
  EXPECT_FALSE(must_judge(book, tells(link_local(1), mac(1))));
  EXPECT_TRUE(must_judge(book, tells(link_local(1), mac(2))));
  EXPECT_TRUE(must_judge(book, tells(link_local(2), mac(1))));
}

TEST(GuestGuard, NoWrappingHidesAnything) {
  const Bytes offer = udp4(67, 68), advertisement = icmpv6(134),
              arp = arp_request(1, kGuest, kGuest).encode();
  const std::pair<uint16_t, const Bytes*> contents[] = {
      {uint16_t{0x0800}, &offer}, {uint16_t{0x86dd}, &advertisement}, {uint16_t{0x0806}, &arp}};
  for (const char* wrapping : {"8100e000", "88a8e000", "81000007", "810000008100e000", "88a800058100e000",
                               "81000000810000008100e000"}) {
    for (const auto& [type, content] : contents) {
      Writer frame;
      write(frame, mac(2));
      write(frame, mac(1));
      frame.bytes(*from_hex(wrapping));
      frame.u16(type);
      frame.bytes(*content);
      const bool is_arp = type == 0x0806;
      const bool is_in_vlan = FrameContent::of(frame.view()).wrapping == FrameContent::Wrapping::Vlan;
      EXPECT_EQ(find_imposture(kService, frame.view()).has_value(), !is_arp) << wrapping << " " << type;
      EXPECT_EQ(must_judge(kNobody, frame.view()), !is_arp || !is_in_vlan) << wrapping << " " << type;
    }
  }
  for (const char* snap : {"aaaa03000000", "aaaa030000f8"}) {
    Writer frame;
    write(frame, mac(2));
    write(frame, mac(1));
    frame.u16(static_cast<uint16_t>(8 + offer.size()));
    frame.bytes(*from_hex(snap));
    frame.u16(0x0800);
    frame.bytes(offer);
    EXPECT_EQ(find_imposture(kService, frame.view()), Imposture::DhcpServer) << snap;
    EXPECT_TRUE(must_judge(kNobody, frame.view())) << snap;
  }
}

TEST(GuestGuard, TheCoreSeesIpv6ThatDoesNotDecode) {
  // A router advertisement behind hop-by-hop options in a packet that says it has no payload, which Linux
  // takes.
  Bytes without_length = ipv6(link_local(1), 0,
                              *from_hex("3a00010400000000"
                                        "86000000000000000000000000000000"));
  without_length[4] = without_length[5] = 0;
  EXPECT_TRUE(must_judge(kNobody, frame_of(0x86dd, without_length)));
  // A first fragment whose destination options, and the transport behind them, come with the second one.
  const Bytes cut_chain = *from_hex(
      "3c00000112345678"
      "1101010400000000");
  EXPECT_TRUE(must_judge(kNobody, frame_of(0x86dd, ipv6(link_local(1), 44, cut_chain))));
  const Bytes cut_behind_chain = *from_hex("1100000112345678");
  EXPECT_TRUE(must_judge(kNobody, frame_of(0x86dd, ipv6(link_local(1), 44, cut_behind_chain))));
}

TEST(GuestGuard, TheCoreSeesNothingElseOfWhoIsKnown) {
  const Bytes ports = *from_hex("0043004400000000");  // Those of DHCP, which mean nothing to TCP.
  const auto ipv4 = [&](uint8_t protocol, ByteView payload) {
    return frame_of(
        0x0800,
        Ipv4Packet{.src = kGuest, .dst = kService.ip, .protocol = protocol, .payload = payload}.encode());
  };
  EXPECT_FALSE(must_judge(kNobody, ipv4(kIpProtocolTcp, ports)));
  EXPECT_FALSE(must_judge(kNobody, ipv4(kIpProtocolIcmp, ports)));
  EXPECT_FALSE(must_judge(kNobody, ipv4(kIpProtocolUdp, ByteView(ports).first(3)))) << "too short for ports";
  EXPECT_FALSE(must_judge(kNobody, frame_of(0x0800, udp4(5353, 53))));
  EXPECT_FALSE(must_judge(kNobody, frame_of(0x86dd, ipv6(link_local(1), kIpProtocolTcp, ports))));
  EXPECT_FALSE(must_judge(kNobody, frame_of(0x86dd, ipv6(link_local(1), kIpProtocolUdp, ports))));
  EXPECT_FALSE(must_judge(kNobody, frame_of(0x86dd, ipv6(link_local(1), kIpProtocolIcmpv6, {}))));
  for (const uint8_t type : {uint8_t{2}, uint8_t{128}, uint8_t{129}, uint8_t{132}, uint8_t{138}}) {
    EXPECT_FALSE(must_judge(kNobody, frame_of(0x86dd, icmpv6(type)))) << int{type};
  }
  const Bytes later_fragment = *from_hex(
      "3a00000912345678"
      "8600000000000000");
  EXPECT_FALSE(must_judge(kNobody, frame_of(0x86dd, ipv6(link_local(1), 44, later_fragment))));
  EXPECT_FALSE(must_judge(kNobody, data_frame(mac(2), mac(1))));
}

TEST(GuestGuard, OfWhatIsTooShortTheCoreSeesIpv6AlreadyWithoutItsPayload) {
  const struct {
    Bytes packet;
    size_t first;  ///< Octets of the packet with which it is the core's.
    bool is_whole_one;
  } cases[] = {{udp4(67, 68), 24, true}, {icmpv6(134), 40, true}, {icmpv6(128), 40, false}};
  for (const auto& [packet, first, is_whole_one] : cases) {
    const Bytes whole = frame_of(packet[0] >> 4 == 4 ? 0x0800 : 0x86dd, packet, 0xe000);
    for (size_t size = kEthernetHeaderSize; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(),
                      whole.begin() + static_cast<ptrdiff_t>(size));  // Its end is its memory's.
      EXPECT_EQ(must_judge(kNobody, cut), size >= 18 + first) << size;
    }
    EXPECT_EQ(must_judge(kNobody, whole), is_whole_one);
  }
}

}  // namespace
}  // namespace ipop
