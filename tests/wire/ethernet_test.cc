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

TEST(FrameContent, IsBehindAllTagsAndSnap) {
  using Wrapping = FrameContent::Wrapping;
  const struct {
    const char* wrapped;
    Wrapping wrapping;
  } cases[] = {
      {"0806", Wrapping::None},
      {"8100e0000806", Wrapping::Priority},
      {"81006001"
       "0806",
       Wrapping::Vlan},
      {"88a80000"
       "0806",
       Wrapping::Unusual},
      {"88a80001"
       "0806",
       Wrapping::Vlan},
      {"81000000"
       "81000000"
       "0806",
       Wrapping::Unusual},
      {"81000000"
       "81000fff"
       "0806",
       Wrapping::Vlan},
      {"88a80001"
       "81000000"
       "0806",
       Wrapping::Vlan},
      {"000a"
       "aaaa03000000"
       "0806",
       Wrapping::Unusual},
      {"000a"
       "aaaa030000f8"
       "0806",
       Wrapping::Unusual},
      {"81000005"
       "000a"
       "aaaa03000000"
       "0806",
       Wrapping::Vlan},
  };
  for (const auto& [wrapped, wrapping] : cases) {
    const Bytes frame = *from_hex(
        "525400000002"
        "525400000001" +
        std::string(wrapped) + "aabb");
    const FrameContent content = FrameContent::of(frame);
    EXPECT_EQ(content.ethertype, kEtherTypeArp) << wrapped;
    EXPECT_EQ(to_hex(content.payload), "aabb") << wrapped;
    EXPECT_EQ(content.wrapping, wrapping) << wrapped;
    for (size_t size = kEthernetHeaderSize; size < frame.size(); ++size) {
      const Bytes cut(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(size));
      const ByteView payload = FrameContent::of(cut).payload;
      EXPECT_EQ(payload.data() + payload.size(), cut.data() + cut.size()) << "it ends where the frame does";
    }
  }
}

TEST(FrameContent, OtherLlcIsWhatItIs) {  // A spanning tree's.
  const Bytes frame = *from_hex(
      "0180c2000000"
      "525400000001"
      "0026"
      "424203");
  EXPECT_EQ(FrameContent::of(frame).ethertype, 0x26);
  EXPECT_EQ(to_hex(FrameContent::of(frame).payload), "424203");
}

TEST(Ethernet, LargestFrame) {
  Bytes bytes(kMaxFrameSize, 0x55);
  EXPECT_TRUE(EthernetFrame::decode(bytes));
  bytes.push_back(0);
  EXPECT_FALSE(EthernetFrame::decode(bytes));
}

}  // namespace
}  // namespace ipop
