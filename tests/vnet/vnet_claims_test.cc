// What the network says of an address that a guest wants, where the map of this host has other news.
#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Type = DhcpMessage::Type;

constexpr Instant kStart{100s};

/// A host that hears of others by the test's hand.  Guest 7 is at host 2, as far as it knows.
struct AClaim : testing::Test {
  AClaim() { EXPECT_TRUE(host.vnet.handle_announcement(kStart, node(2), binding(7, "", 2, 9, kStart + 1h))); }

  void send(const DhcpMessage& message) { (void)host.vnet.handle_guest_frame(kStart, dhcp_frame(message)); }
  /// Every question of DHCP about a MAC has the answer that nobody knows it.  Returns the next about an
  /// address.
  std::optional<Query> claim() {
    while (const auto query = host.vnet.poll_query()) {
      if (query->kind == Query::Kind::Ip) return query;
      EXPECT_TRUE(host.vnet.handle_answer(kStart, query->id, std::nullopt));
    }
    return std::nullopt;
  }
  /// The last one that is asked; all before are passed over.
  std::optional<Query> question_about_a_mac() {
    std::optional<Query> of_mac;
    while (const auto query = host.vnet.poll_query()) {
      if (query->kind == Query::Kind::Mac) of_mac = query;
    }
    return of_mac;
  }
  /// What DHCP says next.
  std::optional<DhcpMessage> reply() {
    while (const auto frame = host.vnet.poll_guest_frame()) {
      if (auto message = dhcp_in(*frame)) return message;
    }
    return std::nullopt;
  }

  Hosts hosts;
  Host& host = hosts.add();
};

/// The record of the address is older than the guest's last move.
TEST_F(AClaim, IsLostToAGuestThatTheMapHasElsewhere) {
  send(dhcp(Type::Discover, 1));
  const auto first = claim();
  ASSERT_TRUE(first && first->claim);
  const Binding held{
      .ip = first->ip, .mac = mac(7), .node = node(3), .sequence = 3, .expires = kStart + 1h, .name = {}};
  EXPECT_TRUE(host.vnet.handle_answer(kStart, first->id, held));
  const auto second = claim();
  ASSERT_TRUE(second && second->claim) << "and not offered";
  EXPECT_NE(second->ip, first->ip);
  EXPECT_FALSE(reply());
  EXPECT_EQ(host.vnet.map().find_mac(mac(7))->node, node(2));
  EXPECT_TRUE(host.vnet.handle_answer(kStart, second->id, std::nullopt));
  EXPECT_EQ(reply()->yiaddr, second->ip.ipv4());
}

/// It uses the address already, so the map has it as its own.
TEST_F(AClaim, OfWhatAGuestMerelyUsesIsLostToWhoHoldsIt) {
  const Ipv4Address used = ip("10.128.0.30");
  (void)host.vnet.handle_guest_frame(kStart,
                                     arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, used, used)));
  ASSERT_EQ(host.vnet.map().find_ip(used)->mac, mac(1));
  DhcpMessage renewal = dhcp(Type::Request, 1);
  renewal.ciaddr = used;
  send(renewal);
  const auto query = claim();
  ASSERT_TRUE(query && query->claim);
  EXPECT_TRUE(host.vnet.handle_answer(kStart, query->id, binding(8, "10.128.0.30", 3, 4, kStart + 1h)));
  EXPECT_EQ(reply()->type, Type::Nak);
}

/// It has been given back, of which this host has not heard.
TEST_F(AClaim, ThatIsGrantedEndsWhatTheMapHasOfAnother) {
  const Ipv4Address wanted = ip("10.128.0.40");
  ASSERT_TRUE(host.vnet.handle_announcement(kStart, node(2), binding(7, "10.128.0.40", 2, 9, kStart + 1h)));
  DhcpMessage request = dhcp(Type::Request, 1);
  request.requested_address = wanted;
  send(request);
  const auto query = claim();
  ASSERT_TRUE(query && query->claim && query->ip == IpAddress(wanted));
  EXPECT_TRUE(host.vnet.handle_answer(kStart, query->id, std::nullopt));
  EXPECT_EQ(reply()->type, Type::Ack);
  EXPECT_EQ(host.vnet.map().find_ip(wanted)->mac, mac(1));
  EXPECT_TRUE(host.vnet.map().find_mac(mac(7))) << "it is where it was";
}

/// A record that the map does not take is an answer all the same: else the guest would ask for the same
/// again.
TEST_F(AClaim, IsLostToARecordThatTheMapRefuses) {
  for (int i = 0; i < 16; ++i) {
    const std::string address = "10.128.0." + std::to_string(100 + i);
    ASSERT_TRUE(
        host.vnet.handle_announcement(kStart, node(2), binding(7, address.c_str(), 2, 9, kStart + 1h)));
  }
  send(dhcp(Type::Discover, 1));
  const auto first = claim();
  ASSERT_TRUE(first && first->claim);
  const Binding held{
      .ip = first->ip, .mac = mac(7), .node = node(2), .sequence = 10, .expires = kStart + 1h, .name = {}};
  EXPECT_TRUE(host.vnet.handle_answer(kStart, first->id, held));
  const auto second = claim();
  ASSERT_TRUE(second && second->claim);
  EXPECT_NE(second->ip, first->ip);
}

/// The guest has just come here, so that the map has it as ours, and newer; of its address it knows nothing.
TEST_F(AClaim, IsForTheAddressThatTheNetworkRemembersOfTheMac) {
  send(dhcp(Type::Discover, 1));
  const auto of_mac = question_about_a_mac();
  ASSERT_TRUE(of_mac);
  EXPECT_TRUE(host.vnet.handle_answer(kStart, of_mac->id, binding(1, "10.128.0.77", 2, 5, kStart + 1h)));
  EXPECT_TRUE(host.vnet.map().is_local(mac(1)));
  const auto query = claim();
  ASSERT_TRUE(query && query->claim);
  EXPECT_EQ(query->ip, IpAddress(ip("10.128.0.77")));
}

/// It has one of IPv6 here by then, from its first packet.
TEST_F(AClaim, IsForTheAddressOfIpv4ThatTheNetworkRemembersOfTheMac) {
  ASSERT_TRUE(host.vnet.handle_announcement(kStart, node(2), binding(1, "fd00::77", 2, 9, kStart + 1h)));
  send(dhcp(Type::Discover, 1));
  EXPECT_TRUE(host.vnet.map().is_local(mac(1)));
  const auto of_mac = question_about_a_mac();
  ASSERT_TRUE(of_mac);
  EXPECT_TRUE(host.vnet.handle_answer(kStart, of_mac->id, binding(1, "10.128.0.77", 2, 9, kStart + 1h)));
  const auto query = claim();
  ASSERT_TRUE(query && query->claim);
  EXPECT_EQ(query->ip, IpAddress(ip("10.128.0.77")));
}

/// The guest was started anew on this host, which has heard of it elsewhere: what it had may be another's.
TEST_F(AClaim, OfWhatAGuestHadElsewhereIsDecidedBeforeItHasThatHere) {
  const IpAddress had = ip("10.128.0.77");
  for (const char* address : {"10.128.0.77", "fd00::77"}) {
    ASSERT_TRUE(host.vnet.handle_announcement(kStart, node(2), binding(1, address, 2, 9, kStart + 1h)));
  }
  send(dhcp(Type::Discover, 1));
  EXPECT_TRUE(host.vnet.map().is_local(mac(1)));
  EXPECT_GT(host.vnet.map().find_mac(mac(1))->sequence, 9u);
  EXPECT_FALSE(host.vnet.map().find_ip(had));
  const auto of_ipv6 = host.vnet.map().find_ip(ip6("fd00::77"));
  ASSERT_TRUE(of_ipv6) << "DHCP says nothing of it";
  EXPECT_EQ(of_ipv6->node, host.id);
  while (const auto announced = host.vnet.poll_announcement()) EXPECT_NE(announced->ip, had);

  const auto wanted = claim();
  ASSERT_TRUE(wanted && wanted->claim);
  EXPECT_EQ(wanted->ip, had) << "it is asked for first";
  EXPECT_TRUE(host.vnet.handle_answer(kStart, wanted->id, binding(7, "10.128.0.77", 3, 4, kStart + 1h)));
  const auto other = claim();
  ASSERT_TRUE(other && other->claim);
  EXPECT_NE(other->ip, had);
  EXPECT_EQ(host.vnet.map().find_ip(had)->mac, mac(7));
}

TEST_F(AClaim, OfWhatAGuestHadElsewhereGivesWayToItsOwnWish) {
  ASSERT_TRUE(host.vnet.handle_announcement(kStart, node(2), binding(1, "10.128.0.77", 2, 9, kStart + 1h)));
  DhcpMessage discover = dhcp(Type::Discover, 1);
  discover.requested_address = ip("10.128.0.78");
  send(discover);
  const auto wanted = claim();
  ASSERT_TRUE(wanted && wanted->claim);
  EXPECT_EQ(wanted->ip, IpAddress(ip("10.128.0.78")));
}

/// It uses it, as a guest that has moved here does.
TEST_F(AClaim, OfWhatAGuestRenewsIsForWhatMovedHereWithIt) {
  ASSERT_TRUE(host.vnet.handle_announcement(kStart, node(2), binding(1, "10.128.0.77", 2, 9, kStart + 1h)));
  DhcpMessage renewal = dhcp(Type::Request, 1);
  renewal.ciaddr = ip("10.128.0.77");
  send(renewal);
  const auto held = host.vnet.map().find_ip(ip("10.128.0.77"));
  ASSERT_TRUE(held);
  EXPECT_EQ(held->node, host.id);
}

/// Its neighbours on this host are refused it meanwhile.
TEST_F(AClaim, OfWhatAGuestHadHereLeavesItThatUntilItIsDecided) {
  const Ipv4Address used = ip("10.128.0.30");
  (void)host.vnet.handle_guest_frame(kStart,
                                     arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, used, used)));
  send(dhcp(Type::Discover, 1));
  const auto held = host.vnet.map().find_ip(used);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->mac, mac(1));
}

TEST_F(AClaim, ThatIsNoneIsAnsweredWithWhoeverTheAddressIsOf) {
  (void)host.vnet.handle_guest_frame(kStart, arp_frame(MacAddress::broadcast(), mac(1),
                                                       arp_request(1, ip("10.128.0.10"), ip("10.128.0.20"))));
  std::optional<Query> question;
  while (const auto query = host.vnet.poll_query()) {
    if (query->ip == IpAddress(ip("10.128.0.20"))) question = query;
  }
  ASSERT_TRUE(question);
  EXPECT_TRUE(host.vnet.handle_answer(kStart, question->id, binding(7, "10.128.0.20", 3, 3, kStart + 1h)));
  const auto frame = host.vnet.poll_guest_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(arp_in(*frame)->sender_mac, mac(7));
  EXPECT_EQ(host.vnet.map().find_mac(mac(7))->node, node(2)) << "and is looked for where it is";
}

}  // namespace
}  // namespace ipop
