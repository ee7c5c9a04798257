#include "overlay/vnet/dhcp_server.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/vnet/dhcp_server_testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Type = DhcpMessage::Type;

TEST_F(DhcpServerTest, GuestsHereAreAskedBeforeAnOfferOfWhatIsNew) {
  const auto offered = offer(1);
  EXPECT_EQ(server.poll_probe(), offered->yiaddr);
  EXPECT_EQ(offer(1), offered);  // It repeats itself.
  ASSERT_TRUE(say(selecting(*offered, 1)));
  bind();
  ASSERT_TRUE(say(init_reboot(2, ip("10.128.0.9"))));  // It may be the one that uses it.
  network_is_silent();
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));  // It has it.
  EXPECT_EQ(server.poll_probe(), std::nullopt);
}

TEST_F(DhcpServerTest, DiscoverOfferRequestAck) {
  DhcpMessage discover = dhcp(Type::Discover, 1);
  discover.host_name = "vm1.example.org";
  ASSERT_TRUE(say(discover));
  EXPECT_EQ(hear(), std::nullopt) << "The network is asked first.";
  const auto who_is = resolver.poll_query();
  ASSERT_TRUE(who_is);
  EXPECT_EQ(who_is->kind, Query::Kind::Mac);
  EXPECT_EQ(who_is->mac, mac(1));
  answer(*who_is, std::nullopt);
  const auto who_has = resolver.poll_query();
  ASSERT_TRUE(who_has);
  EXPECT_EQ(who_has->kind, Query::Kind::Ip);
  EXPECT_EQ(who_has->claim, (Query::Claim{.ip = who_has->ip, .mac = mac(1)}));
  EXPECT_EQ(hear(), std::nullopt);
  answer(*who_has, std::nullopt);

  const auto offered = hear();
  ASSERT_TRUE(offered);
  EXPECT_EQ(offered->op, DhcpMessage::Op::Reply);
  EXPECT_EQ(offered->type, Type::Offer);
  EXPECT_EQ(offered->xid, discover.xid);
  EXPECT_EQ(offered->yiaddr, who_has->ip);
  EXPECT_EQ(offered->chaddr, mac(1));
  EXPECT_EQ(offered->server_id, ip("10.128.0.1"));
  EXPECT_EQ(offered->subnet_mask, ip("255.255.255.0"));
  EXPECT_EQ(offered->broadcast_address, ip("10.128.0.255"));
  EXPECT_EQ(offered->mtu, 1380);
  EXPECT_EQ(offered->domain_name, "grid.ipop");
  EXPECT_EQ(offered->dns_servers, std::vector{ip("10.128.0.1")});
  EXPECT_TRUE(offered->search_domain.empty()) << "who wants option 119 asks for it";
  EXPECT_EQ(offered->host_name, "vm1");
  EXPECT_EQ(offered->lease_seconds, 3600u);
  EXPECT_EQ(offered->renewal_seconds, 1800u);
  EXPECT_EQ(offered->rebinding_seconds, 3150u);
  EXPECT_FALSE(server.poll_event()) << "An offer is no lease.";

  now += 100ms;
  DhcpMessage request = selecting(*offered, 1);
  request.host_name = "vm1";
  ASSERT_TRUE(say(request));
  const auto ack = hear();
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->type, Type::Ack);
  EXPECT_EQ(ack->yiaddr, offered->yiaddr);
  EXPECT_EQ(ack->lease_seconds, 3600u);
  const auto event = server.poll_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->mac, mac(1));
  EXPECT_EQ(event->ip, offered->yiaddr);
  EXPECT_EQ(event->expires, now + 1h);
  EXPECT_EQ(event->name, "vm1");
  EXPECT_TRUE(server.leases().dirty());
}

TEST_F(DhcpServerTest, AnAddressIsReservedUntilItIsTaken) {
  EXPECT_TRUE(server.reservations().empty());
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
  ASSERT_EQ(server.reservations().size(), 1u);
  EXPECT_FALSE(server.reservations()[0].is_offered);
  network_is_silent();
  const auto offered = hear();
  ASSERT_EQ(server.reservations().size(), 1u);
  EXPECT_TRUE(server.reservations()[0].is_offered);
  EXPECT_EQ(server.reservations()[0].mac, mac(1));
  EXPECT_EQ(server.reservations()[0].ip, offered->yiaddr);
  EXPECT_EQ(server.reservations()[0].expires, now + DhcpServer::kOfferTime);
  ASSERT_TRUE(say(selecting(*offered, 1)));
  EXPECT_TRUE(server.reservations().empty());
}

/// It has not renewed here what another host gave it.
TEST_F(DhcpServerTest, AGuestThatMovedHereMayGiveBackWhatItHas) {
  (void)map.upsert(now, binding(1, "10.128.0.70", 1, 4, now + 1h));
  (void)map.upsert(now, binding(2, "10.128.0.71", 2, 4, now + 1h));
  const auto release = [&](uint8_t guest, const char* address) {
    DhcpMessage message = dhcp(Type::Release, guest);
    message.ciaddr = ip(address);
    return say(message);
  };
  EXPECT_EQ(release(1, "10.128.0.71").error(), Error::UnexpectedMessage) << "that is another's";
  EXPECT_EQ(release(2, "10.128.0.71").error(), Error::UnexpectedMessage) << "it is elsewhere";
  EXPECT_EQ(release(1, "10.128.0.72").error(), Error::UnexpectedMessage) << "nobody has that";
  EXPECT_FALSE(server.poll_event());
  ASSERT_TRUE(release(1, "10.128.0.70"));
  const auto event = server.poll_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->ip, ip("10.128.0.70"));
  EXPECT_EQ(event->mac, mac(1));
  EXPECT_LE(event->expires, now);
}

TEST_F(DhcpServerTest, WhatAGuestHadElsewhereIsAskedForFirst) {
  server.remember(now, mac(1), ip("10.128.0.70"));
  DhcpMessage discover = dhcp(Type::Discover, 1);
  discover.requested_address = ip("10.128.0.71");
  ASSERT_TRUE(say(discover));
  EXPECT_EQ(resolver.poll_query()->ip, IpAddress(ip("10.128.0.70")));

  const auto leased = lease(2);
  server.remember(now, mac(2), ip("10.128.0.72"));
  EXPECT_EQ(server.leases().find(mac(2))->ip, leased) << "that is newer";
  server.remember(now, mac(3), leased);
  EXPECT_FALSE(server.leases().find(mac(3))) << "that is another's here";
}

TEST_F(DhcpServerTest, AnOfferOfWhatIsAnothersByNowIsNotAcknowledgedUnasked) {
  const auto offered = offer(1);
  ASSERT_TRUE(offered);
  server.handle_lost(offered->yiaddr, mac(2));
  server.handle_lost(ip("10.128.0.99"), mac(1));
  EXPECT_EQ(server.reservations().size(), 1u) << "that was not about it";
  server.handle_lost(offered->yiaddr, mac(1));
  EXPECT_TRUE(server.reservations().empty());
  ASSERT_TRUE(say(selecting(*offered, 1)));
  EXPECT_EQ(hear(), std::nullopt);
  const auto asked = resolver.poll_query();
  ASSERT_TRUE(asked && asked->claim) << "the network is asked again";
}

TEST_F(DhcpServerTest, NoRouterIsClaimed) {
  (void)offer(1);
  // Option codes of the message, walked by hand: Ethernet 14, IPv4 20, UDP 8, BOOTP 236, cookie 4.
  std::set<uint8_t> codes;
  for (size_t i = 14 + 20 + 8 + 236 + 4; frame.at(i) != 255; i += 2u + frame.at(i + 1))
    codes.insert(frame[i]);
  EXPECT_EQ(codes, (std::set<uint8_t>{1, 6, 15, 26, 28, 51, 53, 54, 58, 59}));
}

TEST_F(DhcpServerTest, RepliesHaveChecksumsThatAddUp) {
  (void)offer(1);
  const auto fold = [](uint32_t sum) {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
  };
  const auto sum_of = [&](size_t from, size_t to, uint32_t sum) {
    for (size_t i = from; i < to; ++i)
      sum += (i - from) % 2 == 0 ? uint32_t{frame[i]} << 8 : uint32_t{frame[i]};
    return fold(sum);
  };
  EXPECT_EQ(sum_of(14, 34, 0), 0xffffu);
  const uint32_t udp_length = static_cast<uint32_t>(frame.size() - 34);
  const uint32_t pseudo = sum_of(26, 34, 17 + udp_length);  // Both addresses; protocol and length are added.
  EXPECT_EQ(sum_of(34, frame.size(), pseudo), 0xffffu);
  EXPECT_NE(frame[40] << 8 | frame[41], 0) << "Not \"no checksum\".";
}

TEST_F(DhcpServerTest, BroadcastFlagDecidesHowAnAnswerTravels) {  // RFC 2131, section 4.1.
  const auto destination = [&] {
    const auto decoded = EthernetFrame::decode(frame);
    return std::pair(decoded->header.dst, Ipv4Packet::decode(decoded->payload)->dst);
  };
  DhcpMessage discover = dhcp(Type::Discover, 1);
  const auto offered = offer(1);
  EXPECT_EQ(destination(), std::pair(mac(1), offered->yiaddr));
  discover.broadcast = true;
  ASSERT_TRUE(say(discover));
  EXPECT_TRUE(hear()->broadcast);
  EXPECT_EQ(destination(), std::pair(MacAddress::broadcast(), kLimitedBroadcast));
  ASSERT_TRUE(say(selecting(*offered, 1)));
  (void)hear();
  bind();
  DhcpMessage renew = renewing(1, offered->yiaddr);
  renew.broadcast = true;
  ASSERT_TRUE(say(renew));
  (void)hear();
  EXPECT_EQ(destination(), std::pair(mac(1), offered->yiaddr)) << "It can receive there, whatever it says.";
}

TEST_F(DhcpServerTest, ARepeatedDiscoverGetsTheSameOffer) {
  const auto first = offer(1);
  DhcpMessage again = dhcp(Type::Discover, 1);
  again.xid = 77;
  ASSERT_TRUE(say(again));
  const auto second = hear();
  EXPECT_EQ(second->xid, 77u);
  EXPECT_EQ(second->yiaddr, first->yiaddr);
}

TEST_F(DhcpServerTest, AMacKeepsItsAddress) {
  const auto first = lease(1);
  EXPECT_EQ(offer(1)->yiaddr, first) << "While the lease lives.";
  now += 2h;
  map.handle_timeout(now);
  server.handle_timeout(now);
  for (uint8_t guest = 2; guest < 60; ++guest) EXPECT_NE(lease(guest), first);
  EXPECT_EQ(offer(1)->yiaddr, first) << "And after it.";
}

TEST_F(DhcpServerTest, AClientIdChangesNothing) {  // Clones of an image share it.
  DhcpMessage one = dhcp(Type::Discover, 1), two = dhcp(Type::Discover, 2);
  one.client_id = two.client_id = {0xff, 1, 2, 3};
  ASSERT_TRUE(say(one));
  network_is_silent();
  const auto first = hear();
  EXPECT_EQ(first->client_id, one.client_id) << "RFC 6842";
  ASSERT_TRUE(say(two));
  network_is_silent();
  EXPECT_NE(hear()->yiaddr, first->yiaddr);
}

TEST_F(DhcpServerTest, ARequestedAddressIsHonouredWhenFreeAndInside) {
  struct {
    const char* wish;
    bool granted;
  } const cases[] = {{"10.128.0.200", true},  {"10.128.0.0", false}, {"10.128.0.1", false},
                     {"10.128.0.255", false}, {"10.128.1.2", false}, {"0.0.0.0", false}};
  uint8_t guest = 1;
  for (const auto& c : cases) {
    DhcpMessage discover = dhcp(Type::Discover, guest++);
    discover.requested_address = ip(c.wish);
    ASSERT_TRUE(say(discover));
    network_is_silent();
    const auto offered = hear();
    EXPECT_EQ(offered->yiaddr == ip(c.wish), c.granted) << c.wish;
    EXPECT_TRUE(network.is_guest_address(offered->yiaddr));
  }
  DhcpMessage late = dhcp(Type::Discover, guest);
  late.requested_address = ip("10.128.0.200");
  ASSERT_TRUE(say(late));
  network_is_silent();
  EXPECT_NE(hear()->yiaddr, ip("10.128.0.200")) << "It is offered to another.";
}

TEST_F(DhcpServerTest, InitRebootWithItsAddressIsAcknowledged) {
  const auto address = lease(1);
  ASSERT_TRUE(say(init_reboot(1, address)));
  EXPECT_EQ(hear()->type, Type::Ack);
}

TEST_F(DhcpServerTest, WrongRequestsGetANak) {
  const auto first = lease(1);
  const auto refused = [&](const DhcpMessage& request) {
    EXPECT_TRUE(say(request));
    const auto nak = hear();
    if (!nak || nak->type != Type::Nak) return false;
    EXPECT_TRUE(nak->yiaddr.is_unspecified());
    EXPECT_EQ(nak->server_id, network.ip);
    EXPECT_EQ(nak->lease_seconds, std::nullopt);
    EXPECT_FALSE(nak->message.empty());
    EXPECT_EQ(EthernetFrame::decode(frame)->header.dst, MacAddress::broadcast());
    return true;
  };
  EXPECT_TRUE(refused(init_reboot(2, ip("192.168.1.5")))) << "From another network";
  EXPECT_TRUE(refused(init_reboot(2, ip("10.128.0.1")))) << "The network's own";
  EXPECT_TRUE(refused(init_reboot(2, first))) << "Leased to another";
  EXPECT_TRUE(refused(init_reboot(1, ip("10.128.0.71")))) << "It has another";
  const auto offered = offer(3);
  DhcpMessage other = selecting(*offered, 3);
  other.requested_address = Ipv4Address{offered->yiaddr.value ^ 1};
  EXPECT_TRUE(refused(other)) << "Not what was offered";
  EXPECT_EQ(server.counts().naks, 5u);
}

/// The map may be older than what the network knows.
TEST_F(DhcpServerTest, WhetherARemoteGuestHasItTheNetworkSays) {
  for (const bool has_it : {true, false}) {
    ASSERT_TRUE(map.upsert(now, binding(7, "10.128.0.70", 2, 1, now + 1h)));
    ASSERT_TRUE(say(renewing(2, ip("10.128.0.70"))));
    EXPECT_EQ(hear(), std::nullopt);
    const Query query = *resolver.poll_query();
    ASSERT_TRUE(query.claim);
    answer(query, has_it ? std::optional(binding(7, "10.128.0.70", 2, 1, now + 1h)) : std::nullopt);
    EXPECT_EQ(hear()->type, has_it ? Type::Nak : Type::Ack);
  }
}

TEST_F(DhcpServerTest, AnOfferStandsForAsLongAsTheNetworkKeepsTheAddress) {
  const auto offered = offer(1);
  for (int i = 0; i < 12; ++i) {  // The client hears nothing, and repeats itself.
    now += 4s;
    ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
    ASSERT_EQ(hear()->yiaddr, offered->yiaddr);
    EXPECT_FALSE(resolver.poll_query());
  }
  now += 2s;
  ASSERT_TRUE(say(selecting(*offered, 1)));
  EXPECT_EQ(hear(), std::nullopt) << "somebody else may have it by now";
  const Query query = *resolver.poll_query();
  ASSERT_TRUE(query.claim && query.ip == IpAddress(offered->yiaddr));
  answer(query, binding(9, "", 2, 1, now + 1h));
  EXPECT_EQ(hear()->type, Type::Nak);
}

TEST_F(DhcpServerTest, RenewalExtendsTheLease) {
  const auto address = lease(1);
  now += 30min;
  ASSERT_TRUE(say(renewing(1, address)));
  const auto ack = hear();
  EXPECT_EQ(ack->type, Type::Ack);
  EXPECT_EQ(ack->ciaddr, address);
  EXPECT_EQ(ack->lease_seconds, 3600u);
  EXPECT_EQ(server.poll_event()->expires, now + 1h);
  EXPECT_EQ(server.leases().find(mac(1))->expires, now + 1h);
}

TEST_F(DhcpServerTest, ARequestRepeatedAtOnceIsNoNewLease) {
  const auto address = lease(1);
  const Instant expires = server.leases().find(mac(1))->expires;
  server.leases().set_saved();
  now += 3s;
  ASSERT_TRUE(say(renewing(1, address)));
  EXPECT_EQ(hear()->lease_seconds, 3597u);
  EXPECT_FALSE(server.poll_event());
  EXPECT_EQ(server.leases().find(mac(1))->expires, expires);
  EXPECT_FALSE(server.leases().dirty());
}

TEST_F(DhcpServerTest, AGuestThatMovedHereRenewsHereIfTheNetworkAgrees) {
  (void)map.upsert(now, binding(1, "10.128.0.77", 2, 5, now + 1h));
  for (const bool is_its : {true, false}) {
    ASSERT_TRUE(say(renewing(1, ip("10.128.0.77"))));
    EXPECT_EQ(hear(), std::nullopt);
    answer(*resolver.poll_query(),
           is_its ? std::nullopt : std::optional(binding(9, "10.128.0.77", 3, 1, now + 1h)));
    EXPECT_EQ(hear()->type, is_its ? Type::Ack : Type::Nak);
    server.handle_moved_away(mac(1));
  }
}

TEST_F(DhcpServerTest, ALoserOfAConflictIsToldAtRenewal) {
  const auto address = lease(1);
  Binding winner = binding(7, "", 2, 9, now + 1h);
  winner.ip = address;
  ASSERT_TRUE(map.upsert(now, winner));
  ASSERT_TRUE(say(renewing(1, address)));
  answer(*resolver.poll_query(), winner);
  EXPECT_EQ(hear()->type, Type::Nak);
}

TEST_F(DhcpServerTest, ReleaseFreesTheAddress) {
  const auto address = lease(1);
  DhcpMessage release = dhcp(Type::Release, 1);
  release.ciaddr = address;
  release.server_id = network.ip;
  ASSERT_TRUE(say(release));
  EXPECT_EQ(hear(), std::nullopt);
  EXPECT_EQ(server.poll_event()->expires, now);
  map.erase(now, mac(1), address);
  ASSERT_TRUE(say(init_reboot(2, address)));
  network_is_silent();
  EXPECT_EQ(hear()->type, Type::Ack);
  EXPECT_EQ(say(release).error(), Error::UnexpectedMessage) << "It is another's now.";
}

TEST_F(DhcpServerTest, ADeclinedAddressIsLeftAlone) {
  const auto address = lease(1);
  DhcpMessage decline = dhcp(Type::Decline, 1);
  decline.requested_address = address;
  decline.server_id = network.ip;
  ASSERT_TRUE(say(decline));
  EXPECT_EQ(server.poll_event()->expires, now);
  map.erase(now, mac(1), address);
  EXPECT_NE(offer(1)->yiaddr, address);
  ASSERT_TRUE(say(init_reboot(2, address)));
  EXPECT_EQ(hear()->type, Type::Nak);
  EXPECT_EQ(say(decline).error(), Error::UnexpectedMessage) << "What is not had cannot be declined.";
  now += DhcpPool::kDeclineTime;
  server.handle_timeout(now);
  ASSERT_TRUE(say(init_reboot(2, address)));
  network_is_silent();
  EXPECT_EQ(hear()->type, Type::Ack);
}

TEST_F(DhcpServerTest, InformGetsSettingsButNoLease) {
  DhcpMessage inform = dhcp(Type::Inform, 1);
  inform.ciaddr = ip("10.128.0.50");
  inform.parameter_list = {1, 119};
  ASSERT_TRUE(say(inform));
  const auto ack = hear();
  EXPECT_EQ(ack->type, Type::Ack);
  EXPECT_TRUE(ack->yiaddr.is_unspecified());
  EXPECT_EQ(to_hex(ack->search_domain), "04677269640469706f7000") << "grid.ipop, RFC 3397";
  EXPECT_EQ(ack->mtu, 1380);
  EXPECT_EQ(ack->lease_seconds, std::nullopt);
  EXPECT_FALSE(server.poll_event());
  inform.ciaddr = ip("192.168.0.1");
  EXPECT_EQ(say(inform).error(), Error::NotAllowed);
}

TEST_F(DhcpServerTest, AnotherServersClientsAreNotOurs) {
  const auto offered = offer(1);
  DhcpMessage request = selecting(*offered, 1);
  request.server_id = ip("10.128.0.99");
  EXPECT_EQ(say(request).error(), Error::NotAllowed);
  EXPECT_EQ(hear(), std::nullopt);
  DhcpMessage other = init_reboot(2, offered->yiaddr);
  ASSERT_TRUE(say(other));
  network_is_silent();
  EXPECT_EQ(hear()->type, Type::Ack) << "What was reserved is free again.";
}

TEST_F(DhcpServerTest, RefusesWhatNoClientSays) {
  DhcpMessage message = dhcp(Type::Discover, 1);
  message.op = DhcpMessage::Op::Reply;
  EXPECT_EQ(say(message).error(), Error::UnexpectedMessage);
  for (const Type type : {Type::Offer, Type::Ack, Type::Nak}) {
    EXPECT_EQ(say(dhcp(type, 1)).error(), Error::UnexpectedMessage);
  }
  message = dhcp(Type::Discover, 1);
  message.giaddr = ip("10.128.0.9");
  EXPECT_EQ(say(message).error(), Error::NotAllowed);
  message = dhcp(Type::Discover, 1);
  message.chaddr = MacAddress::broadcast();
  EXPECT_EQ(say(message).error(), Error::Malformed);
  EXPECT_EQ(say(dhcp(Type::Request, 1)).error(), Error::Malformed) << "A request for nothing.";
  EXPECT_EQ(hear(), std::nullopt);
}

TEST_F(DhcpServerTest, ASmallPoolIsUsedToTheLast) {
  const Service small = Service::make("grid", *Ipv4Subnet::parse("10.128.0.0/29"), 1, 1380);  // 5 addresses.
  DhcpServer tight(small, map, resolver);
  std::set<Ipv4Address> given;
  for (uint8_t guest = 1; guest <= 6; ++guest) {
    (void)tight.handle_message(now, dhcp(Type::Discover, guest));
    while (const auto query = resolver.poll_query()) {
      (void)resolver.handle_answer(query->id);
      tight.handle_answer(now, *query, std::nullopt);
    }
    if (const auto reply = tight.poll_frame()) given.insert(dhcp_in(*reply)->yiaddr);
  }
  EXPECT_EQ(given.size(), 5u);
  EXPECT_EQ(tight.counts().exhausted, 1u);
}

TEST_F(DhcpServerTest, ClientsAreBounded) {
  Result<Done> result = Done{};
  uint32_t n = 0;
  for (; result && n < 3000; ++n) {
    DhcpMessage discover = dhcp(Type::Discover, 1);
    discover.chaddr = {{2, 0, 0, 0, static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)}};
    result = say(discover);
    if (n % 50 == 0) now += 1s;  // As fast as questions may be asked.
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), Error::Full);
  EXPECT_EQ(n, DhcpServer::kMaxPending + 1);
}

}  // namespace
}  // namespace ipop
