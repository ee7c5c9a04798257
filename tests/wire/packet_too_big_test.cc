#include "overlay/wire/packet_too_big.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/fastpath/frames.h"

namespace ipop {
namespace {

constexpr MacAddress kRouter{{0x02, 0, 0, 0, 0, 0x99}};

// 52:54:00:00:00:02 sends to 52:54:00:00:00:01: from 10.128.0.10 to 10.128.0.11, 1400 octets of TCP, DF.
const std::string kTcpHeaders = "1f901f910000000100000002501000ff00000000";
const std::string kMacs = "525400000001525400000002";
const std::string kIpv4 = kMacs + "0800" +
                          "45000578abcd400040060000"
                          "0a80000a"
                          "0a80000b" +
                          kTcpHeaders;
// Likewise from fd12::a to fd12::b.
const std::string kIpv6 = kMacs + "86dd" + "6000000005500640" + "fd12000000000000000000000000000a" +
                          "fd12000000000000000000000000000b" + kTcpHeaders;

/// The frame's head as the fast path hands it over.
Bytes head(const std::string& hex, size_t size = kTooBigHead) {
  Bytes out = *from_hex(hex);
  out.resize(size, 0x77);
  return out;
}

std::string replaced(std::string hex, size_t octet, const std::string& with) {
  return hex.replace(octet * 2, with.size(), with);
}

TEST(PacketTooBig, AnIpv4SenderIsToldAsRfc1191Says) {
  const Bytes frame = head(kIpv4);
  const auto answer = packet_too_big(frame, 1220, kRouter);
  ASSERT_TRUE(answer);
  EXPECT_EQ(to_hex(ByteView(*answer).first(14)),
            "525400000002"
            "020000000099"
            "0800");
  const ByteView ip = ByteView(*answer).subspan(14);
  EXPECT_EQ(test::u16_at(ip, 2), ip.size());
  EXPECT_EQ(test::naive_checksum(ip.first(20)), 0);
  EXPECT_EQ(ip[9], 1) << "ICMP";
  EXPECT_EQ(to_hex(ip.subspan(12, 8)),
            "0a80000b"
            "0a80000a")
      << "from where it wanted to go";
  const ByteView icmp = ip.subspan(20);
  EXPECT_EQ(test::naive_checksum(icmp), 0);
  EXPECT_EQ(to_hex(icmp.first(2)), "0304");
  EXPECT_EQ(to_hex(icmp.subspan(4, 4)), "000004b6") << "1220 less the Ethernet header";
  const ByteView quoted = icmp.subspan(8);
  ASSERT_GE(quoted.size(), 28u);
  EXPECT_EQ(to_hex(quoted), to_hex(ByteView(frame).subspan(14, quoted.size())));
}

TEST(PacketTooBig, AnIpv6SenderIsToldAsRfc4443Says) {
  const Bytes frame = head(kIpv6);
  const auto answer = packet_too_big(frame, 1320, kRouter);
  ASSERT_TRUE(answer);
  const ByteView ip = ByteView(*answer).subspan(14);
  EXPECT_EQ(test::u16_at(ip, 4), ip.size() - 40);
  EXPECT_EQ(ip[6], 58) << "ICMPv6";
  EXPECT_EQ(to_hex(ip.subspan(8, 32)),
            "fd12000000000000000000000000000b"
            "fd12000000000000000000000000000a");
  const ByteView icmp = ip.subspan(40);
  EXPECT_EQ(test::naive_checksum(test::covered(true, ip.first(40), 58, icmp)), 0);
  EXPECT_EQ(to_hex(icmp.first(2)), "0200");
  EXPECT_EQ(to_hex(icmp.subspan(4, 4)), "0000051a") << "1320 less the Ethernet header";
  EXPECT_EQ(to_hex(icmp.subspan(8)), to_hex(ByteView(frame).subspan(14, icmp.size() - 8)));
}

TEST(PacketTooBig, ATagIsKeptAndTakesRoom) {
  const std::string tagged = kMacs + "81000064" + kIpv4.substr(24);
  const auto answer = packet_too_big(head(tagged), 1220, kRouter);
  ASSERT_TRUE(answer);
  EXPECT_EQ(to_hex(ByteView(*answer).first(18)),
            "525400000002"
            "020000000099"
            "81000064"
            "0800");
  EXPECT_EQ(to_hex(ByteView(*answer).subspan(18 + 20 + 4, 4)), "000004b2");
}

TEST(PacketTooBig, WhoDidNotAskIsNotTold) {
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 20, "0000")), 1220, kRouter)) << "it may be cut";
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 20, "4001")), 1220, kRouter)) << "a later fragment";
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 12, "0806")), 1220, kRouter)) << "ARP";
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv6, 12, "88b5")), 1220, kRouter)) << "something else";
}

TEST(PacketTooBig, AnErrorMakesNoError) {
  const std::string icmp = replaced(replaced(kIpv4, 23, "01"), 34, "03");
  EXPECT_FALSE(packet_too_big(head(icmp), 1220, kRouter));
  EXPECT_TRUE(packet_too_big(head(replaced(icmp, 34, "08")), 1220, kRouter)) << "a large ping is none";
  const std::string icmpv6 = replaced(replaced(kIpv6, 20, "3a"), 54, "02");
  EXPECT_FALSE(packet_too_big(head(icmpv6), 1320, kRouter));
  EXPECT_TRUE(packet_too_big(head(replaced(icmpv6, 54, "80")), 1320, kRouter)) << "a large ping is none";
}

TEST(PacketTooBig, GroupsAreNotTold) {
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 6, "ff")), 1220, kRouter));
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 26, "e0")), 1220, kRouter));
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 30, "ef")), 1220, kRouter));
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 26, "00000000")), 1220, kRouter));
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv6, 22, "ff02")), 1320, kRouter));
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv6, 38, "ff02")), 1320, kRouter));
}

TEST(PacketTooBig, NoHostListensToLessThanIpv6Requires) {
  EXPECT_TRUE(packet_too_big(head(kIpv6), 1294, kRouter));
  EXPECT_FALSE(packet_too_big(head(kIpv6), 1293, kRouter));
}

TEST(PacketTooBig, WhatIsCutShortIsLeftAlone) {
  for (const std::string& hex : {kIpv4, kIpv6}) {
    const size_t least = hex == kIpv4 ? 14 + 20 + 8 : 14 + 40 + 1;
    for (size_t size = 0; size < least; ++size) {
      EXPECT_FALSE(packet_too_big(head(hex, size), 1320, kRouter)) << size;
    }
    EXPECT_TRUE(packet_too_big(head(hex, least), 1320, kRouter));
  }
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 14, "44")), 1220, kRouter)) << "a header of 16 octets";
  EXPECT_FALSE(packet_too_big(head(replaced(kIpv4, 14, "4f"), 14 + 60 + 7), 1220, kRouter))
      << "no room for 60";
  EXPECT_FALSE(packet_too_big(head(kIpv4), 14, kRouter));
}

}  // namespace
}  // namespace ipop
