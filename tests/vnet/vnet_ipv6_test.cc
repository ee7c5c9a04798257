// What the virtual network does for guests that speak IPv6, and against guests that speak for the network:
// stories of whole hosts, as in vnet_test.cc.
#include <gtest/gtest.h>

#include "overlay/vnet/vnet.h"
#include "overlay/wire/dns.h"
#include "overlay/wire/icmpv6.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

constexpr Instant kStart = at(1000s);
const MacAddress kAllNodesMac{{0x33, 0x33, 0, 0, 0, 1}};
const MacAddress kAllRoutersMac{{0x33, 0x33, 0, 0, 0, 2}};
const Ipv6Address kAllRouters = ip6("ff02::2");

/// The address that guest n makes in the network's prefix.
Ipv6Address slaac(uint8_t n) {
  Ipv6Address out = link_local(n);
  out.bytes[0] = 0xfd;
  out.bytes[1] = 0;
  return out;
}
Bytes icmp_frame(uint8_t type, uint8_t guest, const MacAddress& to, const Ipv6Address& dst,
                 const char* body = "00000000") {
  const Bytes octets = *from_hex(body);
  return nd_frame(to, mac(guest), dst, link_local(guest),
                  Icmpv6Message{.type = type, .code = 0, .body = octets}.encode(link_local(guest), dst));
}
TEST(VnetIpv6, GuestsMakeAddressesAndFindEachOther) {  // As Linux does it: RFC 4862, section 5.
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  for (uint8_t guest = 1; guest <= 2; ++guest) {
    Host& here = guest == 1 ? a : b;
    EXPECT_TRUE(hosts.frame(kStart, here, nd_request(guest, {}, link_local(guest))).empty()) << "it is free";
    const auto heard = hosts.frame(kStart, here, icmp_frame(133, guest, kAllRoutersMac, kAllRouters));
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(ipv6_in(heard[0])->payload[0], 134);
    EXPECT_TRUE(hosts.frame(kStart, here, nd_request(guest, {}, slaac(guest))).empty());
  }
  for (Host* host : {&a, &b}) {
    EXPECT_EQ(host->vnet.map().find_ip(slaac(1))->node, a.id);
    EXPECT_EQ(host->vnet.map().find_ip(link_local(2))->mac, mac(2));
  }
  b.to_guests.clear();
  const auto heard = hosts.frame(kStart, a, nd_request(1, slaac(1), slaac(2)));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(advertisement_in(heard[0])->target_mac, mac(2));
  EXPECT_TRUE(b.to_guests.empty()) << "no solicitation crosses the network";
  EXPECT_EQ(counter(a, "flooded"), 0u);
}

TEST(VnetIpv6, AnAddressInUseElsewhereIsNotTaken) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  (void)hosts.frame(kStart, a, nd_request(1, {}, slaac(1)));
  const auto heard = hosts.frame(kStart, b, nd_request(2, {}, slaac(1)));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(advertisement_in(heard[0])->target_mac, mac(1));
  EXPECT_EQ(b.vnet.map().find_ip(slaac(1))->mac, mac(1));
  // And if it takes it in spite of that, nobody believes it.
  const NeighbourAdvertisement mine{
      .is_router = false, .is_solicited = false, .overrides = true, .target = slaac(1), .target_mac = mac(2)};
  const Bytes frame =
      nd_frame(kAllNodesMac, mac(2), kAllNodes, link_local(2), mine.encode(link_local(2), kAllNodes));
  EXPECT_EQ(b.vnet.handle_guest_frame(kStart, frame).error(), Error::Conflict);
  EXPECT_EQ(b.vnet.map().find_ip(slaac(1))->mac, mac(1));
}

TEST(VnetIpv6, AMovedGuestTakesItsAddressesAlong) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const auto ipv4 = *hosts.lease(kStart, a, 1);
  (void)hosts.frame(kStart, a, nd_request(1, {}, slaac(1)));
  (void)hosts.frame(kStart + 10s, b, data_frame(MacAddress::broadcast(), mac(1)));
  for (Host* host : {&a, &b}) {
    EXPECT_EQ(host->vnet.map().find_ip(slaac(1))->node, b.id);
    EXPECT_EQ(host->vnet.map().find_ip(ipv4)->node, b.id);
  }
}

TEST(VnetIpv6, AnyPacketTellsItsSendersAddress) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const Bytes packet =
      Ipv6Packet{.src = slaac(1), .dst = ip6("ff02::fb"), .protocol = 59, .payload = {}}.encode();
  const Bytes frame = EthernetFrame{.header = {.dst = ip6("ff02::fb").multicast_mac(),
                                               .src = mac(1),
                                               .vlan_tci = {},
                                               .ethertype = kEtherTypeIpv6},
                                    .payload = packet}
                          .encode();
  (void)hosts.frame(kStart, a, frame);
  EXPECT_EQ(b.vnet.map().find_ip(slaac(1))->mac, mac(1));
  EXPECT_EQ(b.to_guests, std::vector<Bytes>{frame}) << "multicast goes to everybody";
}

TEST(VnetIpv6, ASilentGuestIsAskedWhenAMemberAsks) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  b.to_guests.clear();
  EXPECT_TRUE(hosts.frame(kStart, a, nd_request(1, slaac(1), slaac(2))).empty());
  ASSERT_EQ(b.to_guests.size(), 1u);
  const Bytes question = b.to_guests[0];
  EXPECT_EQ(EthernetFrame::decode(question)->header.dst, slaac(2).solicited_node().multicast_mac());
  const auto asked = NeighbourSolicitation::decode(*ipv6_in(question));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->target, slaac(2));
  const Service& network = b.vnet.service();
  EXPECT_EQ(asked->source_mac, network.mac);
  const NeighbourAdvertisement here{
      .is_router = false, .is_solicited = true, .overrides = true, .target = slaac(2), .target_mac = mac(2)};
  (void)hosts.frame(
      kStart + 1ms, b,
      nd_frame(network.mac, mac(2), network.link_local, slaac(2), here.encode(slaac(2), network.link_local)));
  EXPECT_EQ(a.vnet.map().find_ip(slaac(2))->mac, mac(2));
  const auto heard = hosts.frame(kStart + 1s, a, nd_request(1, slaac(1), slaac(2)));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(advertisement_in(heard[0])->target_mac, mac(2));
}

TEST(VnetIpv6, AGuestIsAskedWhetherItStillHasItsAddress) {
  Hosts hosts;
  Host& a = hosts.add();
  (void)hosts.frame(kStart, a, nd_request(1, {}, slaac(1)));
  a.to_guests.clear();
  hosts.timeouts(kStart + Vnet::kIdleTime / 2);
  ASSERT_FALSE(a.to_guests.empty());
  const Bytes question = a.to_guests.back();
  EXPECT_EQ(EthernetFrame::decode(question)->header.dst, mac(1));
  const auto asked = NeighbourSolicitation::decode(*ipv6_in(question));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->target, slaac(1));
}

TEST(VnetIpv6, AnAddressOutlivesTheLeaseBesideIt) {  // Whoever renews a lease shows that it is here.
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  (void)hosts.frame(kStart, a, nd_request(1, {}, slaac(1)));
  const auto ipv4 = *hosts.lease(kStart + 1s, a, 1);
  for (int renewal = 1; renewal <= 5; ++renewal) {
    const Instant now = kStart + 1s + renewal * 30min;
    hosts.timeouts(now);
    DhcpMessage request = dhcp(DhcpMessage::Type::Request, 1);
    request.ciaddr = ipv4;
    const auto heard = hosts.frame(now, a, dhcp_frame(request));
    ASSERT_EQ(heard.size(), 2u);
    const auto asked = NeighbourSolicitation::decode(*ipv6_in(heard[1]));
    ASSERT_TRUE(asked) << "beside the ACK it is asked for its other address";
    EXPECT_EQ(asked->target, slaac(1));
    const Service& network = a.vnet.service();
    const NeighbourAdvertisement here{.is_router = false,
                                      .is_solicited = true,
                                      .overrides = true,
                                      .target = slaac(1),
                                      .target_mac = mac(1)};
    (void)hosts.frame(now, a,
                      nd_frame(network.mac, mac(1), network.link_local, slaac(1),
                               here.encode(slaac(1), network.link_local)));
    EXPECT_EQ(b.vnet.map().find_ip(slaac(1))->expires, now + Vnet::kIdleTime) << renewal;
  }
}

TEST(VnetIpv6, AddressesOfTheGuestsOwnNetworksAreFloodedWithinBounds) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const Bytes question = nd_request(1, ip6("2001:db8::1"), ip6("2001:db8::2"));
  EXPECT_TRUE(hosts.frame(kStart, a, question).empty());
  EXPECT_EQ(b.to_guests, std::vector<Bytes>{question});
  EXPECT_FALSE(a.vnet.map().find_ip(ip6("2001:db8::1"))) << "not ours to know";
  for (int i = 1; i < 1000; ++i) EXPECT_TRUE(a.vnet.handle_guest_frame(kStart, question));
  EXPECT_EQ(a.vnet.handle_guest_frame(kStart, question).error(), Error::RateLimited);
  EXPECT_EQ(counter(a, "flooded"), 1000u);
  EXPECT_EQ(counter(a, "flood_limited"), 1u);
}

TEST(VnetIpv6, AForgedSourceOptionIsRefused) {
  Hosts hosts;
  Host& a = hosts.add();
  const NeighbourSolicitation forged{.target = slaac(2), .source_mac = mac(9)};
  const Ipv6Address group = slaac(2).solicited_node();
  const Bytes frame =
      nd_frame(group.multicast_mac(), mac(1), group, slaac(1), forged.encode(slaac(1), group));
  EXPECT_EQ(a.vnet.handle_guest_frame(kStart, frame).error(), Error::NotAllowed);
}

TEST(VnetIpv6, TheGatewayAnswersPings) {
  Hosts hosts;
  Host& a = hosts.add();
  const Service& network = a.vnet.service();
  for (const Ipv6Address& own : {network.ipv6, network.link_local}) {
    const auto heard = hosts.frame(kStart, a, icmp_frame(128, 1, network.mac, own, "00070001abcd"));
    ASSERT_EQ(heard.size(), 1u);
    const auto reply = Icmpv6Message::decode(*ipv6_in(heard[0]));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->type, 129);
    EXPECT_EQ(to_hex(reply->body), "00070001abcd");
  }
}

TEST(VnetIpv6, TheNamesOfGuestsElsewhereAreKnown) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  DhcpMessage request = dhcp(DhcpMessage::Type::Request, 2);
  request.host_name = "web";
  request.requested_address = ip("10.128.0.77");
  (void)hosts.frame(kStart, b, dhcp_frame(request));
  const Service& network = a.vnet.service();
  const Bytes question = *from_hex(
      "0007"
      "0000"
      "0001"
      "0000"
      "0000"
      "0000"
      "03776562"
      "04677269640469706f7000"
      "0001"
      "0001");
  const Bytes udp =
      UdpDatagram{.src_port = 40000, .dst_port = 53, .payload = question}.encode(slaac(1), network.ipv6);
  const Bytes packet =
      Ipv6Packet{.src = slaac(1), .dst = network.ipv6, .protocol = kIpProtocolUdp, .payload = udp}.encode();
  const Bytes frame =
      EthernetFrame{
          .header = {.dst = network.mac, .src = mac(1), .vlan_tci = {}, .ethertype = kEtherTypeIpv6},
          .payload = packet}
          .encode();
  const auto heard = hosts.frame(kStart, a, frame);
  ASSERT_EQ(heard.size(), 1u);
  const auto reply = UdpDatagram::decode(*ipv6_in(heard[0]));
  ASSERT_TRUE(reply);
  EXPECT_EQ(to_hex(reply->payload).substr(to_hex(reply->payload).size() - 8), "0a80004d");
}

TEST(VnetIpv6, AGuestThatSpeaksForTheNetworkIsNotCarriedOn) {
  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
  const Service& network = a.vnet.service();
  const Ipv4Address own = network.ip;
  const Bytes offer = [&] {
    const Bytes udp = UdpDatagram{.src_port = 67, .dst_port = 68, .payload = as_bytes("offer")}.encode(
        ip("10.128.0.9"), kLimitedBroadcast);
    const Bytes packet =
        Ipv4Packet{
            .src = ip("10.128.0.9"), .dst = kLimitedBroadcast, .protocol = kIpProtocolUdp, .payload = udp}
            .encode();
    return EthernetFrame{.header = {.dst = MacAddress::broadcast(),
                                    .src = mac(1),
                                    .vlan_tci = {},
                                    .ethertype = kEtherTypeIpv4},
                         .payload = packet}
        .encode();
  }();
  const NeighbourAdvertisement gateway{.is_router = true,
                                       .is_solicited = false,
                                       .overrides = true,
                                       .target = network.ipv6,
                                       .target_mac = mac(1)};
  const Bytes frames[] = {
      offer,
      icmp_frame(134, 1, kAllNodesMac, kAllNodes),
      icmp_frame(137, 1, kAllNodesMac, kAllNodes),
      arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, own, own)),
      arp_frame(mac(2), mac(1), arp_request(2, ip("10.128.0.2"), own).reply_from(mac(1))),
      nd_frame(kAllNodesMac, mac(1), kAllNodes, link_local(1), gateway.encode(link_local(1), kAllNodes)),
      data_frame(MacAddress::broadcast(), network.mac),
  };
  for (const Bytes& frame : frames) {
    EXPECT_EQ(a.vnet.handle_guest_frame(kStart, frame).error(), Error::NotAllowed);
    hosts.run(kStart);
    EXPECT_EQ(b.vnet.handle_member_frame(kStart, a.id, frame).error(), Error::NotAllowed)
        << "nor by a member";
  }
  EXPECT_TRUE(b.to_guests.empty());
  EXPECT_EQ(counter(a, "rogue_dhcp_servers"), 1u);
  EXPECT_EQ(counter(a, "rogue_routers"), 2u);
  EXPECT_EQ(counter(a, "rogue_service_claims"), 4u);
  ASSERT_GE(a.log.lines.size(), 2u);
  EXPECT_EQ(a.log.lines[0], "Guest 52:54:00:00:00:01 answers DHCP: dropped");
  EXPECT_EQ(a.log.lines[1], "Guest 52:54:00:00:00:01 advertises itself as a router: dropped");
}

TEST(VnetIpv6, InventedAddressesAreBounded) {
  Hosts hosts;
  Host& a = hosts.add();
  Error last{};
  for (uint8_t i = 0; i < 40; ++i) {
    const auto result =
        a.vnet.handle_guest_frame(kStart, nd_request(1, ip6("fd00::1:0") /* its own */, slaac(7)));
    Ipv6Address invented = slaac(1);
    invented.bytes[12] = i;
    const auto probed = a.vnet.handle_guest_frame(kStart, nd_request(1, invented, slaac(7)));
    if (!probed) last = probed.error();
    EXPECT_TRUE(result);
  }
  EXPECT_EQ(a.vnet.map().addresses(mac(1)).size(), 15u) << "and one place for IPv4";
  EXPECT_EQ(last, Error::Full);
}

}  // namespace
}  // namespace ipop
