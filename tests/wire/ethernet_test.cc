#include "overlay/wire/ethernet.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

constexpr char kPlain[] =
    "ffffffffffff"
    "525400123456"
    "0806"
    "aabb";
constexpr char kTagged[] =
    "ffffffffffff"
    "525400123456"
    "8100"
    "600a"
    "0806"
    "aabb";

TEST(Ethernet, UntaggedFrame) {
  const Bytes bytes = *from_hex(kPlain);
  const auto frame = EthernetFrame::decode(bytes);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.dst, MacAddress::broadcast());
  EXPECT_EQ(frame->header.src.to_string(), "52:54:00:12:34:56");
  EXPECT_EQ(frame->header.vlan_tci, std::nullopt);
  EXPECT_EQ(frame->header.ethertype, kEtherTypeArp);
  EXPECT_EQ(to_hex(frame->payload), "aabb");
  EXPECT_EQ(frame->encode(), bytes);
}

TEST(Ethernet, TaggedFrame) {
  const Bytes bytes = *from_hex(kTagged);
  const auto frame = EthernetFrame::decode(bytes);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.vlan_tci, 0x600a);
  EXPECT_EQ(frame->header.ethertype, kEtherTypeArp);
  EXPECT_EQ(to_hex(frame->payload), "aabb");
  EXPECT_EQ(frame->encode(), bytes);
}

TEST(Ethernet, EveryTruncationOfTheHeaderIsRefused) {
  for (const auto& [text, header_size] : {std::pair(kPlain, 14u), std::pair(kTagged, 18u)}) {
    const Bytes bytes = *from_hex(text);
    for (size_t size = 0; size <= bytes.size(); ++size) {
      EXPECT_EQ(EthernetFrame::decode(ByteView(bytes).first(size)).has_value(), size >= header_size) << size;
    }
  }
}

TEST(Ethernet, LargestFrame) {
  Bytes bytes(kMaxFrameSize, 0x55);
  EXPECT_TRUE(EthernetFrame::decode(bytes));
  bytes.push_back(0);
  EXPECT_FALSE(EthernetFrame::decode(bytes));
}

}  // namespace
}  // namespace ipop
