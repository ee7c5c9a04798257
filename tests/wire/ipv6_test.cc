#include "overlay/wire/ipv6.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

using Fragment = Ipv6Packet::Fragment;

// | 6, class, label | length | next header | hop limit | fd01:203:405::2 | fd01:203:405::1 |
std::string header(const char* length, const char* next) {
  return std::string("60000000") + length + next + "40" + "fd010203040500000000000000000002" +
         "fd010203040500000000000000000001";
}
Result<Ipv6Packet> decode(const std::string& hex) {
  static Bytes bytes;  // Outlives the view that is returned.
  bytes = *from_hex(hex);
  return Ipv6Packet::decode(bytes);
}

TEST(Ipv6Packet, IsReadToTheLengthThatItSays) {
  const auto packet = decode(header("0003", "11") + "aabbcc" + "0000");
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->src.to_string(), "fd01:203:405::2");
  EXPECT_EQ(packet->dst.to_string(), "fd01:203:405::1");
  EXPECT_EQ(packet->protocol, 17);
  EXPECT_EQ(packet->hop_limit, 64);
  EXPECT_EQ(packet->fragment, Fragment::No);
  EXPECT_EQ(to_hex(packet->payload), "aabbcc") << "what follows is padding of the frame";
}

TEST(Ipv6Packet, IsWrittenAsItIsRead) {
  const Bytes payload = *from_hex("aabbcc");
  const Ipv6Packet packet{.src = *Ipv6Address::parse("fd01:203:405::2"),
                          .dst = *Ipv6Address::parse("fd01:203:405::1"),
                          .protocol = 17,
                          .payload = payload};
  EXPECT_EQ(to_hex(packet.encode()), header("0003", "11") + "aabbcc");
  Ipv6Packet marked = packet;
  marked.traffic_class = 0xb8;
  EXPECT_EQ(to_hex(marked.encode()).substr(0, 8), "6b800000");
  EXPECT_EQ(Ipv6Packet::decode(marked.encode())->traffic_class, 0xb8);
}

TEST(Ipv6Packet, ShorterThanItSaysIsMalformed) {
  const Bytes whole = *from_hex(header("0003", "11") + "aabbcc");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Ipv6Packet::decode(ByteView(whole).first(size))) << size;
  }
  std::string other = header("0000", "3b");
  other[0] = '4';
  EXPECT_FALSE(decode(other)) << "another version";
  EXPECT_FALSE(
      decode("60000000"
             "0000"
             "3b40"
             "ff020000000000000000000000000001"
             "fd010203040500000000000000000001"))
      << "a group sends nothing: RFC 4291, section 2.7";
}

TEST(Ipv6Packet, ExtensionHeadersAreSkipped) {
  // Hop-by-hop with the router alert of MLD (RFC 2711), destination options of 16 octets, then UDP.
  const auto packet =
      decode(header("001a", "00") + "3c00050200000100" + "1101010c000000000000000000000000" + "beef");
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->protocol, 17);
  EXPECT_EQ(to_hex(packet->payload), "beef");
}

TEST(Ipv6Packet, FragmentsSayWhichTheyAre) {
  const std::string kUdp = "04d2162e0008beef";
  EXPECT_EQ(decode(header("0010", "2c") + "1100000112345678" + kUdp)->fragment, Fragment::First);
  EXPECT_EQ(decode(header("0010", "2c") + "1100000012345678" + kUdp)->fragment, Fragment::First)
      << "its only one";
  const auto later = decode(header("000a", "2c") + "0000000812345678" + "beef");
  ASSERT_TRUE(later);
  EXPECT_EQ(later->fragment, Fragment::Later);
  EXPECT_EQ(to_hex(later->payload), "beef") << "is not read as a header, whatever it claims to be";
}

TEST(Ipv6Packet, HeadersThatDoNotEndWithinItAreMalformed) {
  EXPECT_FALSE(decode(header("0001", "00") + "11"));
  EXPECT_FALSE(decode(header("0008", "00") + "1101050200000100")) << "16 octets, of which 8 are there";
  EXPECT_FALSE(decode(header("0004", "2c") + "11000001"));
  EXPECT_FALSE(decode(header("0008", "2c") + "0000000112345678"))
      << "a first fragment that ends in its headers";
}

TEST(PseudoHeader, IsSummedAsRfc8200SaysIt) {
  // fd01+0203+0405+0002 + fd01+0203+0405+0001 + length 000d + protocol 0011, carries added.
  EXPECT_EQ(pseudo_header_sum(*Ipv6Address::parse("fd01:203:405::2"), *Ipv6Address::parse("fd01:203:405::1"),
                              17, 13),
            0x0635);
}

}  // namespace
}  // namespace ipop
