// What the DHCP server asks the network before it gives an address, what becomes of the answers, and what it
// answers itself when others ask.
#include <gtest/gtest.h>

#include <set>

#include "tests/vnet/dhcp_server_testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Type = DhcpMessage::Type;

class DhcpClaims : public DhcpServerTest {};

// Two hosts want one address at the same time: the question carries the claim.
Query claim(const IpAddress& address, uint8_t guest) {
  Query query;
  query.id = 99;
  query.ip = address;
  query.claim = Query::Claim{.ip = address, .mac = mac(guest)};
  return query;
}

TEST_F(DhcpClaims, TheFirstChoiceIsTheSameOnEveryHost) {
  const auto here = offer(1)->yiaddr;
  AddressMap other_map(node(2));
  SeededRandom other_random(2);
  Resolver other_resolver(other_random);
  DhcpServer other(network, other_map, other_resolver);
  ASSERT_TRUE(other.handle_message(now, dhcp(Type::Discover, 1)));
  while (const auto query = other_resolver.poll_query()) {
    (void)other_resolver.handle_answer(query->id);
    other.handle_answer(now, *query, std::nullopt);
  }
  EXPECT_EQ(dhcp_in(*other.poll_frame())->yiaddr, here);
}

TEST_F(DhcpClaims, TheNetworkRemembersTheMac) {
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
  answer(*resolver.poll_query(), binding(1, "10.128.0.77", 2, 4, now + 1h));
  EXPECT_EQ(hear(), std::nullopt) << "It is the MAC's at another host, or was until now.";
  network_is_silent();
  EXPECT_EQ(hear()->yiaddr, ip("10.128.0.77"));
  EXPECT_EQ(hear(), std::nullopt) << "The candidate that was asked for meanwhile is not needed.";
  ASSERT_TRUE(say(dhcp(Type::Discover, 2)));
  answer(*resolver.poll_query(), binding(2, "10.128.0.78", 2, 0, now));
  EXPECT_EQ(hear(), std::nullopt) << "It was the MAC's once: is it free?";
  network_is_silent();
  EXPECT_EQ(hear()->yiaddr, ip("10.128.0.78"));
}

TEST_F(DhcpClaims, AsksForTheMacAndForACandidateAtOnce) {
  for (const bool mac_first : {true, false}) {
    ASSERT_TRUE(say(dhcp(Type::Discover, mac_first ? 1 : 2)));
    const auto of_mac = resolver.poll_query();
    const auto of_candidate = resolver.poll_query();
    ASSERT_TRUE(of_mac && of_candidate);
    ASSERT_TRUE(!of_mac->claim && of_candidate->claim);
    answer(mac_first ? *of_mac : *of_candidate, std::nullopt);
    EXPECT_EQ(hear(), std::nullopt) << "The other answer may say no.";
    answer(mac_first ? *of_candidate : *of_mac, std::nullopt);
    EXPECT_EQ(hear()->yiaddr, of_candidate->ip.ipv4());
  }
}

TEST_F(DhcpClaims, ACandidateThatIsGrantedGivesWayToWhatTheMacHas) {
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
  const auto of_mac = *resolver.poll_query();
  answer(*resolver.poll_query(), std::nullopt);
  answer(of_mac, binding(1, "10.128.0.77", 2, 4, now + 1h));
  network_is_silent();
  EXPECT_EQ(hear()->yiaddr, ip("10.128.0.77"));
}

/// The record of the MAC is older than that of the address.
TEST_F(DhcpClaims, WhatTheMacHadIsNotOfferedIfAnotherHasIt) {
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
  const auto of_mac = *resolver.poll_query();
  (void)resolver.poll_query();
  answer(of_mac, binding(1, "10.128.0.77", 2, 4, now + 1h));
  const auto of_address = *resolver.poll_query();
  ASSERT_TRUE(of_address.claim && of_address.ip == IpAddress(ip("10.128.0.77")));
  answer(of_address, binding(9, "10.128.0.77", 3, 1, now + 1h));
  network_is_silent();
  const auto offered = hear();
  ASSERT_TRUE(offered);
  EXPECT_NE(offered->yiaddr, ip("10.128.0.77"));
}

TEST_F(DhcpClaims, AMacThatNobodyAnswersForIsNew) {
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
  const auto of_mac = *resolver.poll_query();
  answer(*resolver.poll_query(), std::nullopt);
  server.handle_silence(now, of_mac);
  EXPECT_EQ(hear()->type, Type::Offer);
}

TEST_F(DhcpClaims, AGuestThatAsksForTheCandidateIsNotKeptWaitingForItsMac) {
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
  (void)resolver.poll_query();
  const auto of_candidate = *resolver.poll_query();
  answer(of_candidate, std::nullopt);
  ASSERT_TRUE(say(init_reboot(1, of_candidate.ip.ipv4())));
  EXPECT_EQ(hear()->type, Type::Ack);
}

TEST_F(DhcpClaims, ATakenCandidateMakesWayForTheNext) {
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
  answer(*resolver.poll_query(), std::nullopt);
  std::set<IpAddress> tried;
  for (int i = 0; i < 3; ++i) {
    const auto query = resolver.poll_query();
    ASSERT_TRUE(query);
    EXPECT_TRUE(tried.insert(query->ip).second);
    Binding taken = binding(9, "", 2, 1, now + 1h);
    taken.ip = query->ip;
    answer(*query, taken);
  }
  const auto last = resolver.poll_query();
  EXPECT_FALSE(tried.contains(last->ip));
  answer(*last, std::nullopt);
  EXPECT_EQ(hear()->yiaddr, last->ip);
}

TEST_F(DhcpClaims, GivesUpAfterManyTakenCandidates) {
  ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
  answer(*resolver.poll_query(), std::nullopt);
  int asked = 0;
  while (const auto query = resolver.poll_query()) {
    ++asked;
    Binding taken = binding(9, "", 2, 1, now + 1h);
    taken.ip = query->ip;
    answer(*query, taken);
  }
  EXPECT_EQ(asked, DhcpServer::kMaxCandidates);
  EXPECT_EQ(server.counts().exhausted, 1u);
  EXPECT_EQ(hear(), std::nullopt);
}

TEST_F(DhcpClaims, WithoutACandidateTheAddressOfTheMacIsLeft) {
  for (const bool has_one : {true, false}) {
    ASSERT_TRUE(say(dhcp(Type::Discover, 1)));
    const auto of_mac = *resolver.poll_query();
    while (const auto query = resolver.poll_query()) {
      Binding taken = binding(9, "", 2, 1, now + 1h);
      taken.ip = query->ip;
      answer(*query, taken);
    }
    EXPECT_EQ(server.counts().exhausted, 0u);
    answer(of_mac, has_one ? std::optional(binding(1, "10.128.0.77", 2, 4, now + 1h)) : std::nullopt);
    network_is_silent();
    EXPECT_EQ(hear().has_value(), has_one);
    now += DhcpServer::kOfferTime;
    server.handle_timeout(now);
  }
  EXPECT_EQ(server.counts().exhausted, 1u);
}

TEST_F(DhcpClaims, InitRebootOfAnUnknownGuestIsVerified) {
  ASSERT_TRUE(say(init_reboot(1, ip("10.128.0.50"))));
  EXPECT_EQ(hear(), std::nullopt);
  network_is_silent();
  const auto ack = hear();
  EXPECT_EQ(ack->type, Type::Ack);
  EXPECT_EQ(ack->yiaddr, ip("10.128.0.50"));

  ASSERT_TRUE(say(init_reboot(2, ip("10.128.0.51"))));
  answer(*resolver.poll_query(), binding(9, "10.128.0.51", 2, 1, now + 1h));
  EXPECT_EQ(hear()->type, Type::Nak);
}

TEST_F(DhcpClaims, WhatAGuestMerelyUsesTheNetworkIsAskedFor) {
  const Ipv4Address used = ip("10.128.0.77");
  for (const bool is_anothers : {false, true}) {
    for (const bool discovers : {false, true}) {
      const uint8_t guest = static_cast<uint8_t>(1 + 2 * is_anothers + discovers);
      map.erase(now, mac(guest - 1), used);
      (void)map.upsert(now, binding(guest, "10.128.0.77", 1, 5, now + 1h));
      ASSERT_TRUE(say(discovers ? dhcp(Type::Discover, guest) : renewing(guest, used)));
      EXPECT_EQ(hear(), std::nullopt);
      const auto query = resolver.poll_query();
      ASSERT_TRUE(query);
      EXPECT_EQ(query->claim, (Query::Claim{.ip = used, .mac = mac(guest)}));
      answer(*query, is_anothers ? std::optional(binding(9, "10.128.0.77", 2, 1, now + 1h)) : std::nullopt);
      network_is_silent();
      const auto heard = hear();
      ASSERT_TRUE(heard);
      if (discovers) {
        EXPECT_EQ(heard->type, Type::Offer);
        EXPECT_EQ(heard->yiaddr == used, !is_anothers);
      } else {
        EXPECT_EQ(heard->type, is_anothers ? Type::Nak : Type::Ack);
      }
      while (server.poll_event()) continue;
      server.leases().erase(mac(guest));
      server.handle_timeout(now + DhcpServer::kOfferTime);
    }
  }
}

TEST_F(DhcpClaims, OfTwoSimultaneousClaimsTheLowerMacsStays) {
  ASSERT_TRUE(say(dhcp(Type::Discover, 5)));
  answer(*resolver.poll_query(), std::nullopt);
  const auto ours = *resolver.poll_query();
  const auto taken = server.handle_query(now, node(1), claim(ours.ip, 6));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->mac, mac(5));
  EXPECT_EQ(taken->sequence, 0u) << "A reservation, not a binding.";
  EXPECT_EQ(server.handle_query(now, node(1), claim(ours.ip, 5)), std::nullopt)
      << "The same guest, seen twice.";
  EXPECT_EQ(server.handle_query(now, node(1), claim(ours.ip, 4)), std::nullopt);
  const auto next = resolver.poll_query();
  ASSERT_TRUE(next) << "We gave way, and ask for the next one.";
  EXPECT_NE(next->ip, ours.ip);
  answer(ours, std::nullopt);
  EXPECT_EQ(hear(), std::nullopt) << "The old question means nothing any more.";
  answer(*next, std::nullopt);
  EXPECT_EQ(hear()->yiaddr, next->ip);
}

TEST_F(DhcpClaims, WhatIsOfferedIsTakenWhateverTheMacs) {
  const auto offered = offer(5);
  EXPECT_TRUE(server.handle_query(now, node(1), claim(offered->yiaddr, 4)));
  now += DhcpServer::kOfferTime;
  server.handle_timeout(now);
  EXPECT_FALSE(server.handle_query(now, node(1), claim(offered->yiaddr, 4)))
      << "The client has not come back.";
}

TEST_F(DhcpClaims, RemembersForOtherHosts) {
  const auto address = lease(1);
  now += 2h;
  Query query;
  query.kind = Query::Kind::Mac;
  query.mac = mac(1);
  const auto hint = server.handle_query(now, node(1), query);
  ASSERT_TRUE(hint);
  EXPECT_EQ(hint->ip, address);
  EXPECT_EQ(hint->sequence, 0u);
}

}  // namespace
}  // namespace ipop
