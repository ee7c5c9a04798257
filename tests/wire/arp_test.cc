#include "overlay/wire/arp.h"

#include <gtest/gtest.h>

#include "overlay/wire/ethernet.h"

namespace ipop {
namespace {

const MacAddress kAlice{{0x52, 0x54, 0, 0, 0, 0xa}};
const MacAddress kBob{{0x52, 0x54, 0, 0, 0, 0xb}};
constexpr Ipv4Address kAliceIp{0x0a800002};
constexpr Ipv4Address kBobIp{0x0a800003};

// "Who has 10.128.0.3?  Tell 10.128.0.2", laid out by hand after RFC 826, "Packet format".
constexpr char kRequest[] =
    "0001"
    "0800"
    "06"
    "04"
    "0001"
    "52540000000a"
    "0a800002"
    "000000000000"
    "0a800003";

TEST(Arp, RequestReadsAsRfc826DrawsIt) {
  const Bytes bytes = *from_hex(kRequest);
  const auto packet = ArpPacket::decode(bytes);
  ASSERT_TRUE(packet);
  EXPECT_EQ(*packet, (ArpPacket{.operation = ArpPacket::Operation::Request,
                                .sender_mac = kAlice,
                                .sender_ip = kAliceIp,
                                .target_mac = {},
                                .target_ip = kBobIp}));
  EXPECT_EQ(packet->encode(), bytes);
  EXPECT_FALSE(packet->is_probe());
  EXPECT_FALSE(packet->is_announcement());
}

TEST(Arp, ReplySwapsTheTwoSides) {
  const auto reply = ArpPacket::decode(*from_hex(kRequest))->reply_from(kBob);
  EXPECT_EQ(to_hex(reply.encode()),
            "0001"
            "0800"
            "06"
            "04"
            "0002"
            "52540000000b"
            "0a800003"
            "52540000000a"
            "0a800002");
}

TEST(Arp, ProbeAndAnnouncement) {  // RFC 5227, sections 1.1 and 3.
  ArpPacket packet{.operation = ArpPacket::Operation::Request,
                   .sender_mac = kAlice,
                   .sender_ip = {},
                   .target_mac = {},
                   .target_ip = kAliceIp};
  EXPECT_TRUE(packet.is_probe());
  EXPECT_FALSE(packet.is_announcement());
  packet.sender_ip = kAliceIp;
  EXPECT_FALSE(packet.is_probe());
  EXPECT_TRUE(packet.is_announcement());
  packet.operation = ArpPacket::Operation::Reply;
  EXPECT_TRUE(packet.is_announcement());
  packet.operation = ArpPacket::Operation::ReverseRequest;
  EXPECT_FALSE(packet.is_announcement());
  packet.operation = ArpPacket::Operation::Request;
  packet.sender_ip = packet.target_ip = {};
  EXPECT_FALSE(packet.is_announcement());
}

TEST(Arp, EveryTruncationIsRefusedAndPaddingIsNot) {
  Bytes bytes = *from_hex(kRequest);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto packet = ArpPacket::decode(ByteView(bytes).first(size));
    ASSERT_FALSE(packet) << size;
    EXPECT_EQ(packet.error(), Error::Malformed);
  }
  bytes.resize(46);  // The smallest Ethernet payload.
  EXPECT_TRUE(ArpPacket::decode(bytes));
}

TEST(Arp, OtherHardwareProtocolsAndOperationsAreRefused) {
  struct {
    size_t at;
    uint8_t value;
    Error error;
  } const cases[] = {
      {1, 6, Error::Malformed},     // IEEE 802 hardware.
      {2, 0x86, Error::Malformed},  // Another protocol.
      {4, 8, Error::Malformed},     // Longer hardware addresses.
      {5, 16, Error::Malformed},    // IPv6-sized addresses.
      {7, 0, Error::UnknownType},  {7, 5, Error::UnknownType}, {6, 1, Error::UnknownType},
  };
  for (const auto& c : cases) {
    Bytes bytes = *from_hex(kRequest);
    bytes[c.at] = c.value;
    const auto packet = ArpPacket::decode(bytes);
    ASSERT_FALSE(packet) << c.at;
    EXPECT_EQ(packet.error(), c.error) << c.at;
  }
}

TEST(Arp, FrameHasTheTypeOfItsOperation) {
  ArpPacket packet = *ArpPacket::decode(*from_hex(kRequest));
  EXPECT_EQ(EthernetFrame::decode(arp_frame(kBob, kAlice, packet))->header.ethertype, kEtherTypeArp);
  packet.operation = ArpPacket::Operation::ReverseRequest;
  const Bytes frame = arp_frame(MacAddress::broadcast(), kAlice, packet);
  const auto decoded = EthernetFrame::decode(frame);
  EXPECT_EQ(decoded->header.ethertype, kEtherTypeRarp);
  EXPECT_EQ(decoded->header.src, kAlice);
  EXPECT_EQ(*ArpPacket::decode(decoded->payload), packet);
}

}  // namespace
}  // namespace ipop
