// What the network says of an address that a guest wants, where the map of this host has other news.
#include <gtest/gtest.h>

#include <array>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Type = DhcpMessage::Type;

constexpr Instant kStart{100s};

/// A host that hears of others by the test's hand.  Guest 7 is at host 2, as far as it knows.
struct AClaim : testing::Test {
  AClaim() { EXPECT_TRUE(host.vnet.handle_announcement(kStart, node(2), binding(7, "", 2, 9, kStart + 1h))); }

  void send(const DhcpMessage& message) { (void)host.vnet.handle_guest_frame(now, dhcp_frame(message)); }
  /// The guest asks for what it had (INIT-REBOOT).
  void reboot_with(uint8_t guest, Ipv4Address had) {
    DhcpMessage request = dhcp(Type::Request, guest);
    request.requested_address = had;
    send(request);
  }
  /// The guest's first frame, which says no address.
  void show_up(uint8_t guest) {
    (void)host.vnet.handle_guest_frame(now, arp_frame(MacAddress::broadcast(), mac(guest),
                                                      {.operation = ArpPacket::Operation::ReverseRequest,
                                                       .sender_mac = mac(guest),
                                                       .sender_ip = {},
                                                       .target_mac = mac(guest),
                                                       .target_ip = {}}));
  }
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
  Instant now = kStart;
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
  reboot_with(1, wanted);
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
  while (const auto announced = host.vnet.poll_announcement()) {
    EXPECT_TRUE(announced->ip != had || announced->expires <= kStart) << "but that it has it no more";
  }

  const auto wanted = claim();
  ASSERT_TRUE(wanted && wanted->claim);
  EXPECT_EQ(wanted->ip, had) << "it is asked for first";
  EXPECT_TRUE(host.vnet.handle_answer(kStart, wanted->id, binding(7, "10.128.0.77", 3, 4, kStart + 1h)));
  const auto other = claim();
  ASSERT_TRUE(other && other->claim);
  EXPECT_NE(other->ip, had);
  EXPECT_EQ(host.vnet.map().find_ip(had)->mac, mac(7));
}

/// As long as the claim is not decided, whatever the guest wishes for meanwhile.
TEST_F(AClaim, OfWhatAGuestHadElsewhereIsMadeAgain) {
  ASSERT_TRUE(host.vnet.handle_announcement(kStart, node(2), binding(1, "10.128.0.77", 2, 9, kStart + 1h)));
  DhcpMessage discover = dhcp(Type::Discover, 1);
  for (int i = 0; i < 3; ++i) {
    send(discover);
    const auto wanted = claim();
    ASSERT_TRUE(wanted && wanted->claim) << i;
    EXPECT_EQ(wanted->ip, IpAddress(ip("10.128.0.77"))) << i;
    host.vnet.handle_timeout(now += 10s);  // No answer: the claim is given up.
    discover.requested_address = ip("10.128.0.78");
  }
}

/// Its first frame said no address: what it had has moved here with it for now.
TEST_F(AClaim, OfWhatAGuestHadElsewhereIsMadeWhenItBeginsAnew) {
  const Ipv4Address had = ip("10.128.0.77");
  for (const bool reboots : {false, true}) {
    const uint8_t guest = reboots ? 2 : 1;
    ASSERT_TRUE(host.vnet.handle_announcement(now, node(2), binding(guest, "10.128.0.77", 2, 9, now + 1h)));
    show_up(guest);
    ASSERT_EQ(host.vnet.map().find_ip(had)->node, host.id) << "whoever talks with it is to find it";
    while (host.vnet.poll_announcement()) {
    }
    if (reboots) {
      reboot_with(guest, had);
    } else {
      send(dhcp(Type::Discover, guest));
    }
    EXPECT_FALSE(host.vnet.map().find_ip(had));
    const auto ended = host.vnet.poll_announcement();
    ASSERT_TRUE(ended) << "and others are told so";
    EXPECT_EQ(ended->ip, IpAddress(had));
    EXPECT_LE(ended->expires, now);
    EXPECT_FALSE(host.vnet.poll_announcement());
    const auto wanted = claim();
    ASSERT_TRUE(wanted && wanted->claim);
    EXPECT_EQ(wanted->ip, IpAddress(had));
    EXPECT_TRUE(host.vnet.handle_answer(now, wanted->id, binding(7, "10.128.0.77", 3, 4, now + 1h)));
    EXPECT_EQ(host.vnet.map().find_ip(had)->mac, mac(7));
    while (claim()) {  // Of the next candidate.
    }
    while (reply()) {
    }
    (void)host.vnet.handle_announcement(now, node(3), binding(7, "10.128.0.77", 3, 4, now));
    ASSERT_FALSE(host.vnet.map().find_ip(had));
  }
}

TEST_F(AClaim, IsForTheOneOfSeveralThatTheGuestWishesForOrElseTheLowest) {
  for (const bool wishes : {true, false}) {
    const uint8_t guest = wishes ? 1 : 2;
    const std::array<const char*, 3> had = wishes ? std::array{"10.128.0.77", "10.128.0.78", "10.128.0.79"}
                                                  : std::array{"10.128.0.87", "10.128.0.88", "10.128.0.89"};
    for (const char* address : had) {
      ASSERT_TRUE(host.vnet.handle_announcement(now, node(2), binding(guest, address, 2, 9, now + 1h)));
    }
    DhcpMessage discover = dhcp(Type::Discover, guest);
    if (wishes) discover.requested_address = ip(had[1]);
    send(discover);
    for (const char* address : had) EXPECT_FALSE(host.vnet.map().find_ip(ip(address)));
    const auto wanted = claim();
    ASSERT_TRUE(wanted && wanted->claim);
    EXPECT_EQ(wanted->ip, IpAddress(ip(had[wishes ? 1 : 0])));
  }
}

/// What it goes on using it answers for; its data alone would not be seen.
TEST_F(AClaim, IsNotMadeOfWhatAGuestThatCameHereAnswersFor) {
  const Ipv4Address had = ip("10.128.0.77");
  ASSERT_TRUE(host.vnet.handle_announcement(now, node(2), binding(1, "10.128.0.77", 2, 9, now + 1h)));
  show_up(1);
  std::optional<ArpPacket> asked;
  while (const auto frame = host.vnet.poll_guest_frame()) {
    if (const auto arp = arp_in(*frame); arp && arp->target_ip == had) asked = arp;
  }
  ASSERT_TRUE(asked);
  (void)host.vnet.handle_guest_frame(now,
                                     arp_frame(host.vnet.service().mac, mac(1), asked->reply_from(mac(1))));
  send(dhcp(Type::Discover, 1));
  const auto held = host.vnet.map().find_ip(had);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->mac, mac(1));
}

TEST_F(AClaim, IsNotMadeOfWhatAGuestHasUsedHereSinceItCame) {
  for (const bool shows_up : {true, false}) {
    const uint8_t guest = shows_up ? 1 : 2;
    const char* const address = shows_up ? "10.128.0.77" : "10.128.0.78";
    ASSERT_TRUE(host.vnet.handle_announcement(now, node(2), binding(guest, address, 2, 9, now + 1h)));
    if (shows_up) show_up(guest);
    (void)host.vnet.handle_guest_frame(
        now, arp_frame(MacAddress::broadcast(), mac(guest), arp_request(guest, ip(address), ip(address))));
    send(dhcp(Type::Discover, guest));
    const auto held = host.vnet.map().find_ip(ip(address));
    ASSERT_TRUE(held) << "its neighbours are not to have it meanwhile";
    EXPECT_EQ(held->mac, mac(guest));
  }
}

/// The replicas have the guest at its former host, of which this one has not heard.
TEST_F(AClaim, IsForWhatTheReplicasHaveOfTheMac) {
  show_up(1);
  host.vnet.remember(now, binding(1, "10.128.0.77", 2, 9, now + 1h));
  host.vnet.remember(now, binding(8, "10.128.0.78", 2, 9, now + 1h));
  host.vnet.remember(now, binding(1, "10.9.9.9", 2, 9, now + 1h));
  EXPECT_FALSE(host.vnet.leases().find(mac(8))) << "that is no guest of ours";
  send(dhcp(Type::Discover, 1));
  EXPECT_EQ(claim()->ip, IpAddress(ip("10.128.0.77")));
}

/// The map has the address as another's, and the record in the way is the guest's own.
TEST_F(AClaim, ThatTheGuestsOwnRecordIsInTheWayOfIsGranted) {
  const Ipv4Address wanted = ip("10.128.0.40");
  ASSERT_TRUE(host.vnet.handle_announcement(now, node(2), binding(7, "10.128.0.40", 2, 90, now + 1h)));
  reboot_with(1, wanted);
  const auto query = claim();
  ASSERT_TRUE(query);
  EXPECT_TRUE(host.vnet.handle_answer(now, query->id, binding(1, "10.128.0.40", 3, 1, now + 1h)));
  EXPECT_EQ(reply()->type, Type::Ack);
  EXPECT_EQ(host.vnet.map().find_ip(wanted)->mac, mac(1)) << "what is acknowledged is bound";
}

/// Another part of the network has given it away, of which the replicas here have not heard.
TEST_F(AClaim, IsMadeAnewOfAnOfferThatTheMapHasAsAnothers) {
  send(dhcp(Type::Discover, 1));
  const auto first = claim();
  ASSERT_TRUE(first);
  EXPECT_TRUE(host.vnet.handle_answer(now, first->id, std::nullopt));
  const auto offered = reply();
  ASSERT_TRUE(offered);
  Binding others = binding(7, "10.128.0.40", 2, 90, now + 1h);
  others.ip = offered->yiaddr;
  ASSERT_TRUE(host.vnet.handle_announcement(now, node(2), others));
  DhcpMessage request = dhcp(Type::Request, 1);
  request.requested_address = offered->yiaddr;
  request.server_id = offered->server_id;
  send(request);
  EXPECT_FALSE(reply());
  const auto again = claim();
  ASSERT_TRUE(again && again->claim);
  EXPECT_TRUE(host.vnet.handle_answer(now, again->id, others));
  EXPECT_EQ(reply()->type, Type::Nak);
}

/// However many addresses the guest has made up.
TEST_F(AClaim, ThatIsAcknowledgedIsBound) {
  const Ipv6Address link_local = ip6("fe80::1");
  (void)host.vnet.handle_guest_frame(now, nd_request(1, link_local, ip6("fe80::2")));
  for (int i = 0; i < 15; ++i) {
    now += 1s;
    const Ipv4Address used{ip("10.128.0.100").value + static_cast<uint32_t>(i)};
    (void)host.vnet.handle_guest_frame(
        now, arp_frame(MacAddress::broadcast(), mac(1), arp_request(1, used, used)));
  }
  ASSERT_EQ(host.vnet.map().addresses(mac(1)).size(), 16u);
  while (claim()) {  // Whatever was asked for that.
  }
  reboot_with(1, ip("10.128.0.40"));
  const auto query = claim();
  ASSERT_TRUE(query);
  EXPECT_TRUE(host.vnet.handle_answer(now, query->id, std::nullopt));
  EXPECT_EQ(reply()->type, Type::Ack);
  const auto held = host.vnet.map().find_ip(ip("10.128.0.40"));
  ASSERT_TRUE(held);
  EXPECT_EQ(held->mac, mac(1));
  EXPECT_EQ(host.vnet.map().addresses(mac(1)).size(), 16u);
  EXPECT_TRUE(host.vnet.map().find_ip(link_local)) << "its neighbours know it by that";
  EXPECT_FALSE(host.vnet.map().find_ip(ip("10.128.0.100"))) << "that would have run out first";
  bool is_told = false;
  while (const auto said = host.vnet.poll_announcement()) {
    is_told |= said->ip == IpAddress(ip("10.128.0.100")) && said->expires <= now;
  }
  EXPECT_TRUE(is_told);
}

TEST_F(AClaim, ThatIsLostEndsTheLeaseAlsoIfTheMapHasTheWinnerAlready) {
  const auto address = *hosts.lease(now, host, 1);
  Binding winner = binding(7, "10.128.0.40", 2, 90, now + 1h);
  winner.ip = address;
  host.vnet.handle_lost(now, mac(1), winner);
  ASSERT_FALSE(host.vnet.leases().find(mac(1)));
  const auto second = *hosts.lease(now, host, 3);
  winner.ip = second;
  host.vnet.handle_lost(now, mac(1), winner);
  EXPECT_TRUE(host.vnet.leases().find(mac(3))) << "that is not about it";
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
