#include "overlay/vnet/guest_guard.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

const Service kService = service();
const Ipv4Address kGuest = *Ipv4Address::parse("10.128.0.9");

/// Whatever is found, the fast path has to leave to the core.
std::optional<Imposture> judge(const Bytes& bytes) {
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame) return std::nullopt;
  const auto imposture = find_imposture(kService, *frame);
  EXPECT_TRUE(!imposture || frame->header.src == kService.mac || must_judge(kService, bytes));
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
  EXPECT_TRUE(must_judge(kService, frame_of(kEtherTypeArp, arp)));
  EXPECT_TRUE(must_judge(kService, frame_of(kEtherTypeArp, arp, 0xe000)));
  EXPECT_TRUE(must_judge(kService, frame_of(kEtherTypeRarp, arp)));
  for (uint8_t type = 133; type <= 137; ++type) {
    EXPECT_TRUE(must_judge(kService, frame_of(0x86dd, icmpv6(type)))) << int{type};
    EXPECT_TRUE(must_judge(kService, frame_of(0x86dd, icmpv6(type), 0xe000))) << int{type};
    const Bytes behind_options{kIpProtocolIcmpv6, 0, 1, 4, 0, 0, 0, 0, type, 0, 0, 0};
    EXPECT_TRUE(must_judge(kService, frame_of(0x86dd, ipv6(link_local(1), 60, behind_options)))) << int{type};
  }
}

TEST(GuestGuard, TheCoreSeesNothingElseOfWhoIsKnown) {
  const Bytes ports = *from_hex("0043004400000000");  // Those of DHCP, which mean nothing to TCP.
  const auto ipv4 = [&](uint8_t protocol, ByteView payload) {
    return frame_of(
        0x0800,
        Ipv4Packet{.src = kGuest, .dst = kService.ip, .protocol = protocol, .payload = payload}.encode());
  };
  EXPECT_FALSE(must_judge(kService, ipv4(kIpProtocolTcp, ports)));
  EXPECT_FALSE(must_judge(kService, ipv4(kIpProtocolIcmp, ports)));
  EXPECT_FALSE(must_judge(kService, ipv4(kIpProtocolUdp, ByteView(ports).first(3)))) << "too short for ports";
  EXPECT_FALSE(must_judge(kService, frame_of(0x0800, udp4(5353, 53))));
  EXPECT_FALSE(must_judge(kService, frame_of(0x86dd, ipv6(link_local(1), kIpProtocolTcp, ports))));
  EXPECT_FALSE(must_judge(kService, frame_of(0x86dd, ipv6(link_local(1), kIpProtocolUdp, ports))));
  EXPECT_FALSE(must_judge(kService, frame_of(0x86dd, ipv6(link_local(1), kIpProtocolIcmpv6, {}))));
  for (const uint8_t type : {uint8_t{2}, uint8_t{128}, uint8_t{129}, uint8_t{132}, uint8_t{138}}) {
    EXPECT_FALSE(must_judge(kService, frame_of(0x86dd, icmpv6(type)))) << int{type};
  }
  const Bytes later_fragment = *from_hex(
      "3a00000912345678"
      "8600000000000000");
  EXPECT_FALSE(must_judge(kService, frame_of(0x86dd, ipv6(link_local(1), 44, later_fragment))));
  EXPECT_FALSE(must_judge(kService, data_frame(mac(2), mac(1))));
}

TEST(GuestGuard, EveryTruncationOfWhatTheFastPathAsksAboutIsSurvived) {
  for (const Bytes& packet : {udp4(67, 68), icmpv6(134), icmpv6(128)}) {
    const Bytes whole = frame_of(packet[0] >> 4 == 4 ? 0x0800 : 0x86dd, packet, 0xe000);
    for (size_t size = kEthernetHeaderSize; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(),
                      whole.begin() + static_cast<ptrdiff_t>(size));  // Its end is its memory's.
      (void)must_judge(kService, cut);
    }
    EXPECT_EQ(must_judge(kService, whole), packet != icmpv6(128));
  }
}

}  // namespace
}  // namespace ipop
