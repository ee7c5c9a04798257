#include "overlay/vnet/service_host.h"

#include <gtest/gtest.h>

#include "overlay/wire/icmpv6.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

// A question for the network's own name: id 0x1234, recursion desired, grid.ipop, A, IN.
const Bytes kQuestion = *from_hex(
    "1234"
    "0100"
    "0001"
    "0000"
    "0000"
    "0000"
    "04677269640469706f7000"
    "0001"
    "0001");

struct Fixture : testing::Test {
  Result<Done> send4(const Ipv4Packet& packet) {
    const Bytes payload = packet.encode();
    return host.handle_frame(
        at(10s), {.header = {.dst = network.mac, .src = mac(1), .vlan_tci = {}, .ethertype = kEtherTypeIpv4},
                  .payload = payload});
  }
  Result<Done> send6(const Ipv6Packet& packet) {
    const Bytes payload = packet.encode();
    return host.handle_frame(
        at(10s), {.header = {.dst = network.mac, .src = mac(1), .vlan_tci = {}, .ethertype = kEtherTypeIpv6},
                  .payload = payload});
  }
  /// The frame goes back whence it came; what follows its header.
  Bytes answer() {
    const auto frame = host.poll_frame();
    if (!frame) return {};
    const auto decoded = EthernetFrame::decode(*frame);
    EXPECT_EQ(decoded->header.dst, mac(1));
    EXPECT_EQ(decoded->header.src, network.mac);
    return {decoded->payload.begin(), decoded->payload.end()};
  }

  Service network = service();
  AddressMap map{node(1)};
  SeededRandom random{1};
  Resolver resolver{random};
  ServiceHost host{network, map, resolver};
  Ipv4Address guest4 = ip("10.128.0.9");
  Ipv6Address guest6 = ip6("fd00::9");
};
using ServiceHostTest = Fixture;

// As kQuestion, for vm7.grid.ipop.
const Bytes kQuestionForGuest = *from_hex(
    "1234"
    "0100"
    "0001"
    "0000"
    "0000"
    "0000"
    "03766d370467726964"
    "0469706f7000"
    "0001"
    "0001");

/// The code of a DNS message in an IPv4 packet, and how many answers it has.
std::pair<unsigned, unsigned> outcome_of(ByteView packet) {
  const auto ip_packet = Ipv4Packet::decode(packet);
  const auto datagram = UdpDatagram::decode(ip_packet.value());
  const ByteView message = datagram.value().payload;
  return {message[3] & 15u, message[7]};
}

struct NameService : ServiceHostTest {
  auto ask_for_guest() {
    const UdpDatagram question{.src_port = 5353, .dst_port = 53, .payload = kQuestionForGuest};
    return send4({.src = guest4,
                  .dst = network.ip,
                  .protocol = kIpProtocolUdp,
                  .payload = question.encode(guest4, network.ip)});
  }
};

TEST_F(NameService, AQuestionForAnUnknownNameWaitsUntilTheNetworkHasAnswered) {
  for (const bool is_found : {false, true}) {
    ASSERT_TRUE(ask_for_guest());
    EXPECT_EQ(host.poll_frame(), std::nullopt) << "not before";
    const auto asked = resolver.poll_query();
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->kind, Query::Kind::Name);
    EXPECT_EQ(asked->name, "vm7");
    EXPECT_TRUE(asked->ip.is_ipv4());
    if (is_found) {
      Binding found = binding(7, "10.128.0.7", 2, 1, at(1h));
      found.name = "vm7";
      ASSERT_TRUE(map.upsert(at(10s), found));
    }
    host.handle_answer(at(10s), resolver.handle_answer(asked->id).value(), true);
    const auto [code, answers] = outcome_of(answer());
    EXPECT_EQ(code, is_found ? 0u : 3u);
    EXPECT_EQ(answers, is_found ? 1u : 0u);
    EXPECT_EQ(host.poll_frame(), std::nullopt) << "once";
  }
}

TEST_F(NameService, WhereTheNetworkIsSilentTheNameServerSaysThatItFailed) {
  ASSERT_TRUE(ask_for_guest());
  const auto asked = resolver.poll_query();
  ASSERT_TRUE(asked);
  host.handle_answer(at(10s), resolver.handle_answer(asked->id).value(), false);
  EXPECT_EQ(outcome_of(answer()), std::pair(2u, 0u));
  EXPECT_EQ(host.dns().failed, 1u);
  EXPECT_EQ(host.dns().not_found, 0u);
}

TEST_F(NameService, WhatCannotBeAskedIsAnsweredAtOnce) {
  for (int i = 0; i < 2000; ++i) {  // Of one name sixteen wait.
    ASSERT_TRUE(ask_for_guest() || i > 900);
    const auto frame = host.poll_frame();
    EXPECT_TRUE(frame.has_value() == (i >= 16) || i > 900) << i;
    if (!frame) continue;
    const unsigned code = outcome_of(EthernetFrame::decode(*frame)->payload).first;
    EXPECT_EQ(code, 2u) << "that it does not exist is not known";
  }
  EXPECT_TRUE(resolver.poll_query());
  EXPECT_FALSE(resolver.poll_query()) << "one question is enough";
}

TEST_F(ServiceHostTest, AnswersPings) {
  const Bytes request =
      IcmpEcho{.is_reply = false, .identifier = 7, .sequence = 1, .data = as_bytes("ping")}.encode();
  ASSERT_TRUE(send4({.src = guest4, .dst = network.ip, .protocol = kIpProtocolIcmp, .payload = request}));
  const Bytes bytes = answer();
  const auto packet = Ipv4Packet::decode(bytes);
  ASSERT_TRUE(packet) << "the header's checksum is right";
  EXPECT_EQ(packet->src, network.ip);
  EXPECT_EQ(packet->dst, guest4);
  const auto echo = IcmpEcho::decode(packet->payload);
  ASSERT_TRUE(echo) << "and the message's";
  EXPECT_TRUE(echo->is_reply);
  EXPECT_EQ(echo->identifier, 7);
  EXPECT_EQ(as_text(echo->data), "ping");
}

TEST_F(ServiceHostTest, AnswersPingsOfIpv6AtBothAddresses) {
  const Bytes body = *from_hex("1234000170696e67");
  for (const Ipv6Address& own : {network.ipv6, network.link_local}) {
    const Bytes request = Icmpv6Message{.type = 128, .code = 0, .body = body}.encode(guest6, own);
    ASSERT_TRUE(send6({.src = guest6, .dst = own, .protocol = kIpProtocolIcmpv6, .payload = request}));
    const Bytes bytes = answer();
    const auto packet = Ipv6Packet::decode(bytes);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->src, own);
    EXPECT_EQ(packet->dst, guest6);
    const auto reply = Icmpv6Message::decode(*packet);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->type, 129);
    EXPECT_EQ(Bytes(reply->body.begin(), reply->body.end()), body);
  }
  EXPECT_EQ(host.echoes(), 2u);
}

TEST_F(ServiceHostTest, AnswersQuestionsOverBoth) {
  const Bytes udp4 =
      UdpDatagram{.src_port = 40000, .dst_port = 53, .payload = kQuestion}.encode(guest4, network.ip);
  ASSERT_TRUE(send4({.src = guest4, .dst = network.ip, .protocol = kIpProtocolUdp, .payload = udp4}));
  const Bytes bytes4 = answer();
  const auto reply4 = UdpDatagram::decode(*Ipv4Packet::decode(bytes4));
  ASSERT_TRUE(reply4);
  EXPECT_EQ(reply4->src_port, 53);
  EXPECT_EQ(reply4->dst_port, 40000);
  const std::string expected =
      "1234"
      "8500"
      "0001"
      "0001"
      "0000"
      "0000"
      "04677269640469706f7000"
      "0001"
      "0001"
      "c00c"
      "0001"
      "0001"
      "0000001e"
      "0004"
      "0a800001";
  EXPECT_EQ(to_hex(reply4->payload), expected);

  const Bytes udp6 =
      UdpDatagram{.src_port = 40000, .dst_port = 53, .payload = kQuestion}.encode(guest6, network.ipv6);
  ASSERT_TRUE(send6({.src = guest6, .dst = network.ipv6, .protocol = kIpProtocolUdp, .payload = udp6}));
  const Bytes bytes6 = answer();
  const auto reply6 = UdpDatagram::decode(*Ipv6Packet::decode(bytes6));
  ASSERT_TRUE(reply6) << "the checksum is right";
  EXPECT_EQ(to_hex(reply6->payload), expected);
}

TEST_F(ServiceHostTest, WhatItDoesNotServeIsRefusedByName) {
  const Bytes reply = IcmpEcho{.is_reply = true, .identifier = 7, .sequence = 1, .data = {}}.encode();
  EXPECT_EQ(send4({.src = guest4, .dst = network.ip, .protocol = kIpProtocolIcmp, .payload = reply}).error(),
            Error::UnexpectedMessage);
  const Bytes request = IcmpEcho{.is_reply = false, .identifier = 7, .sequence = 1, .data = {}}.encode();
  EXPECT_EQ(send4({.src = guest4, .dst = ip("10.128.0.2"), .protocol = kIpProtocolIcmp, .payload = request})
                .error(),
            Error::UnexpectedMessage)
      << "we do not route";
  EXPECT_EQ(send4({.src = guest4, .dst = network.ip, .protocol = 6, .payload = request}).error(),
            Error::UnexpectedMessage);
  const Bytes http =
      UdpDatagram{.src_port = 40000, .dst_port = 80, .payload = kQuestion}.encode(guest4, network.ip);
  EXPECT_EQ(send4({.src = guest4, .dst = network.ip, .protocol = kIpProtocolUdp, .payload = http}).error(),
            Error::UnexpectedMessage);
  const Bytes short_echo = Icmpv6Message{.type = 128, .code = 0, .body = {}}.encode(guest6, network.ipv6);
  EXPECT_EQ(send6({.src = guest6, .dst = network.ipv6, .protocol = kIpProtocolIcmpv6, .payload = short_echo})
                .error(),
            Error::Malformed);
  EXPECT_EQ(
      send6({.src = {}, .dst = network.ipv6, .protocol = kIpProtocolIcmpv6, .payload = short_echo}).error(),
      Error::UnexpectedMessage)
      << "nobody to answer";
  const Bytes large(1381, 7);
  const Bytes jumbo = IcmpEcho{.is_reply = false, .identifier = 7, .sequence = 1, .data = large}.encode();
  EXPECT_EQ(send4({.src = guest4, .dst = network.ip, .protocol = kIpProtocolIcmp, .payload = jumbo}).error(),
            Error::NotAllowed);
  EXPECT_FALSE(host.poll_frame());
}

TEST_F(ServiceHostTest, AFloodOfPingsIsLimited) {
  const Bytes request = IcmpEcho{.is_reply = false, .identifier = 7, .sequence = 1, .data = {}}.encode();
  const Ipv4Packet ping{.src = guest4, .dst = network.ip, .protocol = kIpProtocolIcmp, .payload = request};
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(send4(ping));
  EXPECT_EQ(send4(ping).error(), Error::RateLimited);
}

}  // namespace
}  // namespace ipop
