#include "overlay/sim/guest.h"

#include <gtest/gtest.h>

#include "overlay/wire/arp.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/inet.h"

namespace ipop::sim {
namespace {

constexpr Instant kNow{100s};
constexpr MacAddress kMac{{0x52, 0x54, 0, 0, 0, 1}};
constexpr Ipv4Address kIp{0x0a800005};
constexpr Ipv4Address kServer{0x0a800001};

std::optional<DhcpMessage> sent(Guest& guest, Instant now) {
  const auto bytes = guest.poll_frame(now);
  if (!bytes) return std::nullopt;
  const auto frame = EthernetFrame::decode(*bytes);
  const auto packet = Ipv4Packet::decode(frame->payload);
  const auto datagram = UdpDatagram::decode(*packet);
  EXPECT_EQ(datagram->dst_port, kDhcpServerPort);
  return *DhcpMessage::decode(datagram->payload);
}

void answer(Guest& guest, Instant now, DhcpMessage::Type type, const MacAddress& to = kMac) {
  DhcpMessage reply;
  reply.op = DhcpMessage::Op::Reply;
  reply.type = type;
  reply.chaddr = to;
  reply.server_id = kServer;
  if (type != DhcpMessage::Type::Nak) {
    reply.yiaddr = kIp;
    reply.lease_seconds = 3600;
  }
  const Bytes payload = reply.encode();
  const Bytes udp =
      UdpDatagram{.src_port = kDhcpServerPort, .dst_port = kDhcpClientPort, .payload = payload}.encode(
          kServer, kLimitedBroadcast);
  const Bytes packet =
      Ipv4Packet{.src = kServer, .dst = kLimitedBroadcast, .protocol = kIpProtocolUdp, .payload = udp}
          .encode();
  guest.handle_frame(now, EthernetFrame{.header = {.dst = MacAddress::broadcast(),
                                                   .src = {{2}},
                                                   .vlan_tci = {},
                                                   .ethertype = kEtherTypeIpv4},
                                        .payload = packet}
                              .encode());
}

Bytes question(Ipv4Address ip, const MacAddress& dst) {
  return arp_frame(dst, {{2}},
                   {.operation = ArpPacket::Operation::Request,
                    .sender_mac = {{2}},
                    .sender_ip = kServer,
                    .target_mac = {},
                    .target_ip = ip});
}

/// Whether it says now that it uses kIp.
bool announces(Guest& guest, Instant now) {
  const auto bytes = guest.poll_frame(now);
  if (!bytes) return false;
  const auto packet = ArpPacket::decode(EthernetFrame::decode(*bytes)->payload);
  return packet && packet->is_announcement() && packet->sender_mac == kMac && packet->sender_ip == kIp;
}

Guest bound_guest() {
  Guest guest(kMac);
  EXPECT_EQ(sent(guest, kNow)->type, DhcpMessage::Type::Discover);
  answer(guest, kNow, DhcpMessage::Type::Offer);
  const auto request = sent(guest, kNow);
  EXPECT_EQ(request->type, DhcpMessage::Type::Request);
  EXPECT_EQ(request->requested_address, kIp);
  EXPECT_EQ(request->server_id, kServer);
  answer(guest, kNow, DhcpMessage::Type::Ack);
  EXPECT_EQ(guest.address(), kIp);
  return guest;
}

TEST(Guest, GetsWhatItIsOfferedAndRenewsAtHalfItsLease) {
  Guest guest = bound_guest();
  EXPECT_FALSE(sent(guest, kNow + 30min - 1us));
  const auto renewal = sent(guest, kNow + 30min);
  ASSERT_TRUE(renewal);
  EXPECT_EQ(renewal->ciaddr, kIp);
  EXPECT_FALSE(sent(guest, kNow + 30min + 1s));
  answer(guest, kNow + 30min + 1s, DhcpMessage::Type::Ack);
  EXPECT_FALSE(sent(guest, kNow + 59min));
}

TEST(Guest, AsksAgainUntilItIsAnswered) {
  Guest guest(kMac);
  EXPECT_TRUE(sent(guest, kNow));
  EXPECT_FALSE(sent(guest, kNow + 1999ms));
  EXPECT_TRUE(sent(guest, kNow + 2s));
  answer(guest, kNow + 2s, DhcpMessage::Type::Offer, {{0x52, 0x54, 0, 0, 0, 9}});
  EXPECT_FALSE(sent(guest, kNow + 2s)) << "that was another's";
}

TEST(Guest, StopsUsingWhatItIsRefusedOrWhatHasEnded) {
  Guest refused = bound_guest();
  answer(refused, kNow + 30min, DhcpMessage::Type::Nak);
  EXPECT_FALSE(refused.address());
  EXPECT_EQ(sent(refused, kNow + 30min)->type, DhcpMessage::Type::Discover);

  Guest ended = bound_guest();
  const auto discover = sent(ended, kNow + 1h);
  EXPECT_FALSE(ended.address());
  EXPECT_EQ(discover->type, DhcpMessage::Type::Discover);
  EXPECT_EQ(discover->requested_address, kIp) << "it would like to have it again";
}

TEST(Guest, AfterARestartAsksForWhatItHad) {
  for (uint8_t kind = 0; kind < 4; ++kind) {
    const MacAddress mac{{0x52, 0x54, 0, 0, 0, kind}};
    Guest guest(mac);
    answer(guest, kNow, DhcpMessage::Type::Ack, mac);
    ASSERT_EQ(guest.address(), kIp);
    guest.restart(kNow + 5min);
    EXPECT_FALSE(guest.address());
    if (kind & 1) {
      const auto shown = guest.poll_frame(kNow + 5min);
      ASSERT_TRUE(shown);
      const auto frame = EthernetFrame::decode(*shown);
      EXPECT_EQ(frame->header.ethertype, kEtherTypeRarp);
      EXPECT_TRUE(ArpPacket::decode(frame->payload)->sender_ip.is_unspecified());
    }
    const auto asked = sent(guest, kNow + 5min);
    ASSERT_TRUE(asked);
    EXPECT_TRUE(asked->begins_anew());
    EXPECT_EQ(asked->requested_address, kIp);
    EXPECT_EQ(asked->type, kind & 2 ? DhcpMessage::Type::Request : DhcpMessage::Type::Discover);
    EXPECT_EQ(sent(guest, kNow + 5min + Guest::kRetry)->type, DhcpMessage::Type::Discover) << "no answer";
    answer(guest, kNow + 6min, DhcpMessage::Type::Ack, mac);
    EXPECT_EQ(guest.address(), kIp);
  }
}

TEST(Guest, GivesBackWhatDhcpGaveIt) {
  const Bytes frame = *bound_guest().release();
  const auto packet = Ipv4Packet::decode(EthernetFrame::decode(frame)->payload);
  const auto message = DhcpMessage::decode(UdpDatagram::decode(*packet)->payload);
  EXPECT_EQ(message->type, DhcpMessage::Type::Release);
  EXPECT_EQ(message->ciaddr, kIp);
  EXPECT_EQ(message->server_id, kServer);
  EXPECT_FALSE(Guest(kMac).release()) << "it has nothing";
  EXPECT_FALSE(Guest(kMac, kIp).release()) << "that is its own";
}

TEST(Guest, AnswersArpForItsAddress) {
  Guest guest(kMac);
  const auto ask = [&](Ipv4Address ip, const MacAddress& dst) {
    guest.handle_frame(kNow, question(ip, dst));
  };
  (void)guest.poll_frame(kNow);
  ask(kIp, kMac);
  EXPECT_FALSE(guest.poll_frame(kNow)) << "it has none yet";
  answer(guest, kNow, DhcpMessage::Type::Offer);
  (void)guest.poll_frame(kNow);
  answer(guest, kNow, DhcpMessage::Type::Ack);
  ASSERT_EQ(guest.address(), kIp);
  ask({kIp.value + 1}, kMac);
  ask(kIp, {{0x52, 0x54, 0, 0, 0, 2}});
  EXPECT_FALSE(guest.poll_frame(kNow));
  ask(kIp, MacAddress::broadcast());
  const auto reply = guest.poll_frame(kNow);
  ASSERT_TRUE(reply);
  const auto packet = ArpPacket::decode(EthernetFrame::decode(*reply)->payload);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->operation, ArpPacket::Operation::Reply);
  EXPECT_EQ(packet->sender_mac, kMac);
  EXPECT_EQ(packet->sender_ip, kIp);
}

TEST(Guest, KnowsWhenDhcpGaveItItsAddress) {
  Guest guest = bound_guest();
  EXPECT_EQ(guest.acknowledged_at(), kNow);
  answer(guest, kNow + 30min, DhcpMessage::Type::Ack);
  EXPECT_EQ(guest.acknowledged_at(), kNow + 30min);
  guest.go_on();
  EXPECT_EQ(guest.address(), kIp);
  EXPECT_FALSE(guest.acknowledged_at()) << "the server of this host gave it nothing";
  EXPECT_TRUE(announces(guest, kNow + 30min));
}

TEST(Guest, AsleepSaysNothingAndHearsNothing) {
  Guest guest = bound_guest();
  guest.suspend(kNow + 10min, kNow + 70min);
  EXPECT_TRUE(guest.is_asleep(kNow + 69min));
  guest.handle_frame(kNow + 11min, question(kIp, kMac));
  answer(guest, kNow + 30min, DhcpMessage::Type::Nak);
  EXPECT_FALSE(guest.poll_frame(kNow + 69min));
  EXPECT_EQ(guest.address(), kIp);
}

TEST(Guest, AwakeUsesWhatItHadAndRenewsByAClockThatStoodStill) {
  Guest guest = bound_guest();
  guest.suspend(kNow + 10min, kNow + 70min);
  EXPECT_TRUE(announces(guest, kNow + 70min));
  EXPECT_FALSE(guest.poll_frame(kNow + 89min));
  const auto renewal = sent(guest, kNow + 90min);
  ASSERT_TRUE(renewal);
  EXPECT_EQ(renewal->ciaddr, kIp);
  EXPECT_EQ(sent(guest, kNow + 120min)->type, DhcpMessage::Type::Discover) << "nobody answered";
}

TEST(Guest, WithAStaticAddressAnnouncesItAndAsksNobody) {
  Guest guest(kMac, kIp);
  EXPECT_TRUE(announces(guest, kNow));
  EXPECT_FALSE(guest.poll_frame(kNow + 29s));
  EXPECT_TRUE(announces(guest, kNow + 30s));
  answer(guest, kNow + 30s, DhcpMessage::Type::Nak);
  EXPECT_EQ(guest.address(), kIp);
  guest.handle_frame(kNow + 31s, question(kIp, kMac));
  const auto reply = guest.poll_frame(kNow + 31s);
  ASSERT_TRUE(reply);
  EXPECT_EQ(ArpPacket::decode(EthernetFrame::decode(*reply)->payload)->operation,
            ArpPacket::Operation::Reply);
  guest.restart(kNow + 32s);
  EXPECT_TRUE(announces(guest, kNow + 32s));
}

}  // namespace
}  // namespace ipop::sim
