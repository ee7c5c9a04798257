#include "overlay/sim/dhcp_guest.h"

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

std::optional<DhcpMessage> sent(DhcpGuest& guest, Instant now) {
  const auto bytes = guest.poll_frame(now);
  if (!bytes) return std::nullopt;
  const auto frame = EthernetFrame::decode(*bytes);
  const auto packet = Ipv4Packet::decode(frame->payload);
  const auto datagram = UdpDatagram::decode(*packet);
  EXPECT_EQ(datagram->dst_port, kDhcpServerPort);
  return *DhcpMessage::decode(datagram->payload);
}

void answer(DhcpGuest& guest, Instant now, DhcpMessage::Type type, const MacAddress& to = kMac) {
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

DhcpGuest bound_guest() {
  DhcpGuest guest(kMac);
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

TEST(DhcpGuest, GetsWhatItIsOfferedAndRenewsAtHalfItsLease) {
  DhcpGuest guest = bound_guest();
  EXPECT_FALSE(sent(guest, kNow + 30min - 1us));
  const auto renewal = sent(guest, kNow + 30min);
  ASSERT_TRUE(renewal);
  EXPECT_EQ(renewal->ciaddr, kIp);
  EXPECT_FALSE(sent(guest, kNow + 30min + 1s));
  answer(guest, kNow + 30min + 1s, DhcpMessage::Type::Ack);
  EXPECT_FALSE(sent(guest, kNow + 59min));
}

TEST(DhcpGuest, AsksAgainUntilItIsAnswered) {
  DhcpGuest guest(kMac);
  EXPECT_TRUE(sent(guest, kNow));
  EXPECT_FALSE(sent(guest, kNow + 1999ms));
  EXPECT_TRUE(sent(guest, kNow + 2s));
  answer(guest, kNow + 2s, DhcpMessage::Type::Offer, {{0x52, 0x54, 0, 0, 0, 9}});
  EXPECT_FALSE(sent(guest, kNow + 2s)) << "that was another's";
}

TEST(DhcpGuest, StopsUsingWhatItIsRefusedOrWhatHasEnded) {
  DhcpGuest refused = bound_guest();
  answer(refused, kNow + 30min, DhcpMessage::Type::Nak);
  EXPECT_FALSE(refused.address());
  EXPECT_EQ(sent(refused, kNow + 30min)->type, DhcpMessage::Type::Discover);

  DhcpGuest ended = bound_guest();
  const auto discover = sent(ended, kNow + 1h);
  EXPECT_FALSE(ended.address());
  EXPECT_EQ(discover->type, DhcpMessage::Type::Discover);
  EXPECT_EQ(discover->requested_address, kIp) << "it would like to have it again";
}

TEST(DhcpGuest, AfterARestartAsksForWhatItHad) {
  DhcpGuest guest = bound_guest();
  guest.restart(kNow + 5min);
  EXPECT_FALSE(guest.address());
  EXPECT_EQ(sent(guest, kNow + 5min)->requested_address, kIp);
}

TEST(DhcpGuest, AnswersArpForItsAddress) {
  DhcpGuest guest(kMac);
  const auto ask = [&](Ipv4Address ip, const MacAddress& dst) {
    guest.handle_frame(kNow, arp_frame(dst, {{2}},
                                       {.operation = ArpPacket::Operation::Request,
                                        .sender_mac = {{2}},
                                        .sender_ip = kServer,
                                        .target_mac = {},
                                        .target_ip = ip}));
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

}  // namespace
}  // namespace ipop::sim
