#include "overlay/wire/inet.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

constexpr Ipv4Address kSrc{0x0a800001};
constexpr Ipv4Address kDst{0x0a800002};

/// The checksum as RFC 1071 section 4.1 writes it in C: octet by octet here, and with the end-around carry
/// after each addition, so that it shares nothing with the program.
uint16_t reference_checksum(const Bytes& data) {
  uint32_t sum = 0;
  for (size_t i = 0; i < data.size(); ++i) {
    sum += i % 2 == 0 ? uint32_t{data[i]} * 256 : uint32_t{data[i]};
    if (sum >= 65536) sum -= 65535;
  }
  return static_cast<uint16_t>(65535 - sum);
}

TEST(Ipv4, HeaderChecksumFits) {
  const Bytes payload = {1, 2, 3};
  const Bytes packet =
      Ipv4Packet{.src = kSrc, .dst = kDst, .protocol = kIpProtocolUdp, .payload = payload}.encode();
  Bytes header(packet.begin(), packet.begin() + 20);
  const uint16_t written = static_cast<uint16_t>(header[10] << 8 | header[11]);
  header[10] = header[11] = 0;
  EXPECT_EQ(written, reference_checksum(header));

  const auto decoded = Ipv4Packet::decode(packet);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->src, kSrc);
  EXPECT_EQ(decoded->dst, kDst);
  EXPECT_EQ(decoded->protocol, kIpProtocolUdp);
  EXPECT_EQ(decoded->ttl, 64);
  EXPECT_EQ(Bytes(decoded->payload.begin(), decoded->payload.end()), payload);
}

// An IPv4 header with a published checksum, b861, as in Wikipedia's worked example ("IPv4 header checksum").
constexpr char kKnownHeader[] =
    "450000730000400040"
    "11"
    "b861"
    "c0a80001"
    "c0a800c7";

TEST(Ipv4, KnownHeader) {
  Bytes packet = *from_hex(kKnownHeader);
  packet.resize(0x73);
  const auto decoded = Ipv4Packet::decode(packet);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->src.to_string(), "192.168.0.1");
  EXPECT_EQ(decoded->dst.to_string(), "192.168.0.199");
  EXPECT_EQ(decoded->payload.size(), 0x73u - 20);
}

TEST(Ipv4, EveryTruncationIsRefusedAndPaddingIsNot) {
  Bytes packet = *from_hex(kKnownHeader);
  packet.resize(0x73);
  for (size_t size = 0; size < packet.size(); ++size) {
    EXPECT_FALSE(Ipv4Packet::decode(ByteView(packet).first(size))) << size;
  }
  packet.resize(200);
  EXPECT_EQ(Ipv4Packet::decode(packet)->payload.size(), 0x73u - 20);
}

void fix_checksum(Bytes& packet, size_t header_size) {
  packet[10] = packet[11] = 0;
  const uint16_t sum =
      reference_checksum(Bytes(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(header_size)));
  packet[10] = static_cast<uint8_t>(sum >> 8);
  packet[11] = static_cast<uint8_t>(sum);
}

TEST(Ipv4, RefusesWhatContradictsItself) {
  const auto refused = [](auto&& change, Error error) {
    Bytes packet = *from_hex(kKnownHeader);
    packet.resize(0x73);
    change(packet);
    fix_checksum(packet, 20);
    const auto decoded = Ipv4Packet::decode(packet);
    return !decoded && decoded.error() == error;
  };
  EXPECT_TRUE(refused([](Bytes& p) { p[0] = 0x65; }, Error::Malformed)) << "Version 6";
  EXPECT_TRUE(refused([](Bytes& p) { p[0] = 0x44; }, Error::Malformed)) << "A header of 16 octets";
  EXPECT_TRUE(refused([](Bytes& p) { p[3] = 0x74; }, Error::Malformed)) << "More than there is";
  EXPECT_TRUE(refused([](Bytes& p) { p[3] = 19; }, Error::Malformed)) << "Less than the header";
  EXPECT_TRUE(refused([](Bytes& p) { p[6] = 0x20; }, Error::UnknownType)) << "More fragments";
  EXPECT_TRUE(refused([](Bytes& p) { p[7] = 1; }, Error::UnknownType)) << "A later fragment";

  Bytes packet = *from_hex(kKnownHeader);
  packet.resize(0x73);
  packet[19] ^= 1;
  EXPECT_FALSE(Ipv4Packet::decode(packet)) << "A wrong checksum";
}

TEST(Ipv4, SkipsOptions) {
  const Bytes payload = {9, 9};
  Bytes packet = Ipv4Packet{.src = kSrc, .dst = kDst, .protocol = 1, .payload = payload}.encode();
  packet.insert(packet.begin() + 20, {1, 1, 1, 0});
  packet[0] = 0x46;
  packet[3] = 26;
  fix_checksum(packet, 24);
  const auto decoded = Ipv4Packet::decode(packet);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(to_hex(decoded->payload), "0909");
}

TEST(Ipv4, AHeaderIsReadWithoutItsPacket) {
  Bytes packet = *from_hex(kKnownHeader);
  packet[0] = 0x46;
  packet[6] = 0x00;
  packet[7] = 0x02;
  packet[10] ^= 1;
  packet.insert(packet.end(), {1, 1, 1, 0});
  const auto header = Ipv4Header::decode(packet);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->size, 24u);
  EXPECT_EQ(header->total, 0x73u);
  EXPECT_EQ(header->protocol, kIpProtocolUdp);
  EXPECT_EQ(header->src.to_string(), "192.168.0.1");
  EXPECT_EQ(header->dst.to_string(), "192.168.0.199");
  EXPECT_TRUE(header->may_be_cut());
  EXPECT_TRUE(header->is_fragment());
  EXPECT_TRUE(header->is_later_fragment());
  for (size_t size = 0; size < packet.size(); ++size) {
    EXPECT_FALSE(Ipv4Header::decode(ByteView(packet).first(size))) << size;
  }

  packet[6] = 0x20;
  packet[7] = 0;
  EXPECT_TRUE(Ipv4Header::decode(packet)->is_fragment()) << "The first of several";
  EXPECT_FALSE(Ipv4Header::decode(packet)->is_later_fragment());
  packet[6] = 0x40;
  EXPECT_FALSE(Ipv4Header::decode(packet)->is_fragment());
  EXPECT_FALSE(Ipv4Header::decode(packet)->may_be_cut());
}

/// The octets over which UDP's checksum goes: RFC 768, "Pseudo Header".
Bytes with_pseudo_header(const Bytes& datagram) {
  Bytes out = *from_hex(
      "0a800001"
      "0a800002"
      "0011");
  out.push_back(static_cast<uint8_t>(datagram.size() >> 8));
  out.push_back(static_cast<uint8_t>(datagram.size()));
  out.insert(out.end(), datagram.begin(), datagram.end());
  return out;
}

Ipv4Packet udp_packet(ByteView datagram) {
  return {.src = kSrc, .dst = kDst, .protocol = kIpProtocolUdp, .payload = datagram};
}

TEST(Udp, ChecksumFitsForEverySize) {
  Bytes payload;
  for (int i = 0; i < 60; ++i) {
    Bytes datagram = UdpDatagram{.src_port = 67, .dst_port = 68, .payload = payload}.encode(kSrc, kDst);
    ASSERT_EQ(datagram.size(), 8 + payload.size());
    const uint16_t written = static_cast<uint16_t>(datagram[6] << 8 | datagram[7]);
    const auto decoded = UdpDatagram::decode(udp_packet(datagram));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->src_port, 67);
    EXPECT_EQ(decoded->dst_port, 68);
    EXPECT_EQ(Bytes(decoded->payload.begin(), decoded->payload.end()), payload);
    datagram[6] = datagram[7] = 0;
    EXPECT_EQ(written, reference_checksum(with_pseudo_header(datagram)));
    payload.push_back(static_cast<uint8_t>(i * 37));
  }
}

TEST(Udp, AChecksumOfZeroIsWrittenAsAllOnes) {
  // Two octets of payload that bring the sum to ffff: found from the datagram with two zero octets.
  const Bytes zeros = {0, 0};
  Bytes plain = UdpDatagram{.src_port = 1, .dst_port = 2, .payload = zeros}.encode(kSrc, kDst);
  const Bytes payload = {plain[6], plain[7]};
  const Bytes datagram = UdpDatagram{.src_port = 1, .dst_port = 2, .payload = payload}.encode(kSrc, kDst);
  EXPECT_EQ(datagram[6], 0xff);
  EXPECT_EQ(datagram[7], 0xff);
  EXPECT_TRUE(UdpDatagram::decode(udp_packet(datagram)));
}

TEST(Udp, AcceptsNoChecksumAndAnUnfinishedOne) {
  const Bytes payload = {1, 2, 3};
  Bytes datagram = UdpDatagram{.src_port = 68, .dst_port = 67, .payload = payload}.encode(kSrc, kDst);
  datagram[6] = datagram[7] = 0;
  EXPECT_TRUE(UdpDatagram::decode(udp_packet(datagram))) << "RFC 768: the sender made none.";

  const uint16_t bare =
      static_cast<uint16_t>(~reference_checksum(*from_hex("0a800001"
                                                          "0a800002"
                                                          "0011"
                                                          "000b")));
  datagram[6] = static_cast<uint8_t>(bare >> 8);
  datagram[7] = static_cast<uint8_t>(bare);
  EXPECT_TRUE(UdpDatagram::decode(udp_packet(datagram))) << "Left for the hardware by the guest's driver.";

  ++datagram[7];
  EXPECT_FALSE(UdpDatagram::decode(udp_packet(datagram)));
}

TEST(Udp, OverIpv6TheChecksumCoversItsAddresses) {
  // From fd01:203:405::2 port 40000 to fd01:203:405::1 port 53, "hello"; computed apart from this code.
  const Bytes expected = *from_hex("9c400035000d197668656c6c6f");
  Ipv6Packet packet{.src = *Ipv6Address::parse("fd01:203:405::2"),
                    .dst = *Ipv6Address::parse("fd01:203:405::1"),
                    .protocol = kIpProtocolUdp,
                    .payload = expected};
  const UdpDatagram hello{.src_port = 40000, .dst_port = 53, .payload = as_bytes("hello")};
  EXPECT_EQ(hello.encode(packet.src, packet.dst), expected);
  const auto read = UdpDatagram::decode(packet);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->dst_port, 53);
  EXPECT_EQ(as_text(read->payload), "hello");

  Bytes absent = expected;
  absent[6] = absent[7] = 0;
  packet.payload = absent;
  EXPECT_EQ(UdpDatagram::decode(packet).error(), Error::Malformed) << "IPv6 has no other checksum";
  packet.payload = expected;
  packet.dst = *Ipv6Address::parse("fd01:203:405::3");
  EXPECT_EQ(UdpDatagram::decode(packet).error(), Error::Malformed);
  packet.dst = *Ipv6Address::parse("fd01:203:405::1");
  packet.fragment = Ipv6Packet::Fragment::First;
  EXPECT_EQ(UdpDatagram::decode(packet).error(), Error::UnknownType);
}

TEST(Udp, EveryTruncationIsRefused) {
  const Bytes payload = {1, 2, 3, 4, 5};
  Bytes datagram = UdpDatagram{.src_port = 68, .dst_port = 67, .payload = payload}.encode(kSrc, kDst);
  for (size_t size = 0; size < datagram.size(); ++size) {
    EXPECT_FALSE(UdpDatagram::decode(udp_packet(ByteView(datagram).first(size)))) << size;
  }
  datagram[5] = 7;
  EXPECT_FALSE(UdpDatagram::decode(udp_packet(datagram))) << "Shorter than its header.";
  Ipv4Packet other = udp_packet(datagram);
  other.protocol = 6;
  EXPECT_EQ(UdpDatagram::decode(other).error(), Error::UnknownType);
}

TEST(IcmpEcho, BothWaysAndRefusals) {
  const Bytes data = {'p', 'i', 'n', 'g', '!'};
  const IcmpEcho echo{.is_reply = false, .identifier = 7, .sequence = 8, .data = data};
  Bytes message = echo.encode();
  EXPECT_EQ(reference_checksum(message), 0) << "A right checksum sums up to nothing.";
  const auto decoded = IcmpEcho::decode(message);
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->is_reply);
  EXPECT_EQ(decoded->identifier, 7);
  EXPECT_EQ(decoded->sequence, 8);
  EXPECT_EQ(Bytes(decoded->data.begin(), decoded->data.end()), data);
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(IcmpEcho::decode(ByteView(message).first(size))) << size;
  }
  message[0] = 3;   // Destination unreachable,
  message[2] += 5;  // with the checksum to match.
  EXPECT_EQ(IcmpEcho::decode(message).error(), Error::UnknownType);
}

}  // namespace
}  // namespace ipop
