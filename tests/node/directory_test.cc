// Addresses in whole nodes: DHCP claims, duplicates, restarts, names; docs/addresses.md.
#include "overlay/node/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/node/network.h"

namespace ipop {
namespace {

using node_testing::Network;
using sim::Host;

struct NetworkOf : Network, testing::WithParamInterface<size_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, NetworkOf, testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 16));

TEST_P(NetworkOf, GuestsOfAllHostsGetDifferentAddressesAtTheSameTime) {
  start(GetParam(), {.seed = GetParam(), .subnet = *Ipv4Subnet::parse("10.128.0.0/27")});
  std::map<uint8_t, Ipv4Address> given;
  std::map<uint8_t, DhcpMessage> offers;
  for (int round = 0; round < 40 && given.size() < 16; ++round) {
    for (uint8_t guest = 1; guest <= 16; ++guest) {
      if (given.contains(guest)) continue;
      Host& host = *hosts[guest % hosts.size()];
      if (offers.contains(guest)) {
        auto request = vnet_testing::dhcp(DhcpMessage::Type::Request, guest);
        request.requested_address = offers.at(guest).yiaddr;
        request.server_id = offers.at(guest).server_id;
        host.send_frame(vnet_testing::dhcp_frame(request));
      } else {
        host.send_frame(vnet_testing::dhcp_frame(vnet_testing::dhcp(DhcpMessage::Type::Discover, guest)));
      }
    }
    world->run_for(500ms);
    for (Host* host : hosts) {
      for (const Bytes& frame : host->take_frames()) {
        const auto reply = vnet_testing::dhcp_in(frame);
        if (!reply) continue;
        const uint8_t guest = reply->chaddr.bytes[5];
        if (reply->type == DhcpMessage::Type::Offer) offers[guest] = *reply;
        if (reply->type == DhcpMessage::Type::Nak) offers.erase(guest);
        if (reply->type == DhcpMessage::Type::Ack) given[guest] = reply->yiaddr;
      }
    }
  }
  EXPECT_EQ(given.size(), 16u);
  std::set<Ipv4Address> addresses;
  for (const auto& [guest, ip] : given) addresses.insert(ip);
  EXPECT_EQ(addresses.size(), given.size());
}

TEST_F(Network, WhereAllKnowEachOtherAnOfferTakesAFewRoundTrips) {
  start(4);
  hosts[1]->take_frames();
  hosts[1]->send_frame(vnet_testing::dhcp_frame(vnet_testing::dhcp(DhcpMessage::Type::Discover, 1)));
  const bool is_offered = world->run_until(
      [&] {
        const auto frames = hosts[1]->take_frames();
        return std::any_of(frames.begin(), frames.end(),
                           [](const Bytes& frame) { return vnet_testing::dhcp_in(frame).has_value(); });
      },
      kLookupPatience);
  EXPECT_TRUE(is_offered) << "each has said that it is not its; nobody's silence was waited for";
}

TEST_P(NetworkOf, TheSameGuestGetsTheSameAddressOnAnotherHost) {
  start(GetParam());
  const auto first = lease(*hosts[0], 1);
  ASSERT_TRUE(first);
  world->run_for(10s);
  EXPECT_EQ(lease(*hosts.back(), 1), first);
  world->run_for(10s);
  EXPECT_TRUE(holds(*hosts.back(), 1, *first));
  if (hosts.size() > 1) {
    EXPECT_FALSE(holds(*hosts[0], 1, *first)) << "the old host has heard of it";
  }
}

TEST_F(Network, HostsWhoseClocksDifferByMinutesGrantAddressesToo) {
  start(6, {.seed = 12, .clock_spread = 290s});
  std::set<Ipv4Address> given;
  for (uint8_t i = 0; i < 6; ++i) {
    const auto ip = lease(*hosts[i], 1 + i);
    ASSERT_TRUE(ip) << int{i};
    given.insert(*ip);
  }
  EXPECT_EQ(given.size(), 6u);
  std::set<uint64_t> issued;
  for (const auto& [key, entry] : std::as_const(*hosts[0]).node().directory().replica().store().all()) {
    issued.insert(entry.record.issued_ms);
  }
  EXPECT_GT(*issued.rbegin() - *issued.begin(), 150'000u) << "in a minute at most";
}

TEST_P(NetworkOf, AnyHostFindsAGuest) {
  start(GetParam());
  const auto ip = lease(*hosts.back(), 1);
  ASSERT_TRUE(ip);
  world->run_for(10s);
  for (Host* host : hosts) {
    if (host == hosts.back()) continue;  // Its guest answers for itself.
    EXPECT_EQ(resolve(*host, *ip), vnet_testing::mac(1)) << host->name();
  }
}

TEST_F(Network, AnAddressInUseIsNotGivenToAnother) {
  start(9);
  const auto first = lease(*hosts[0], 1);
  ASSERT_TRUE(first);
  const auto second = lease(*hosts[5], 2, first);
  ASSERT_TRUE(second);
  EXPECT_NE(second, first);
}

TEST_F(Network, AStaticAddressThatIsHeldIsNotBelieved) {
  start(9);
  const auto first = lease(*hosts[0], 1);
  ASSERT_TRUE(first);
  world->run_for(5s);
  hosts[5]->send_frame(test::arp_request(test::kBob, *first, *first));
  world->run_for(10s);
  EXPECT_TRUE(holds(*hosts[0], 1, *first));
  const auto known = std::as_const(*hosts[5]).node().vnet().map().find_ip(*first);
  EXPECT_TRUE(!known || known->node == hosts[0]->id());
}

// Its host has not heard of the holder, and its MAC has the higher sequence, since it has moved a few times.
TEST_F(Network, WhoClaimsAHeldAddressIsBelievedByNobody) {
  start(30);
  const auto first = lease(*hosts[0], 1);
  ASSERT_TRUE(first);
  world->run_for(10s);
  const auto knows = [&](const Host* host) {
    return std::as_const(*host).node().vnet().map().find_ip(*first).has_value();
  };
  const auto stranger = std::find_if_not(hosts.begin(), hosts.end(), knows);
  ASSERT_NE(stranger, hosts.end());
  for (int i = 0; i < 6; ++i) {
    Host& host = i % 2 == 0 ? *hosts[0] : **stranger;
    host.send_frame(test::arp_request(test::kBob, test::kBobIp, test::kBobIp));
    world->run_for(2s);
  }
  ASSERT_FALSE(knows(*stranger));
  (*stranger)->send_frame(test::arp_request(test::kBob, *first, *first));
  for (int i = 0; i < 40; ++i) {
    world->run_for(250ms);
    for (const Host* host : hosts) {
      if (host == *stranger) continue;  // It believes its guest until it has the answer.
      const auto known = std::as_const(*host).node().vnet().map().find_ip(*first);
      EXPECT_TRUE(!known || known->mac == vnet_testing::mac(1))
          << host->name() << " after " << i << " x 250 ms";
    }
  }
  EXPECT_TRUE(holds(*hosts[0], 1, *first));
  const auto known = std::as_const(**stranger).node().vnet().map().find_ip(*first);
  EXPECT_TRUE(!known || known->mac == vnet_testing::mac(1));
}

TEST_F(Network, AnAddressIsToldWhenItIsGranted) {
  start(9);
  const Node& node = std::as_const(*hosts[5]).node();
  const auto is_told = [&](const IpAddress& ip) {
    const auto told = node.directory().told_bindings();
    return std::any_of(told.begin(), told.end(),
                       [&](const Binding& one) { return one.mac == test::kBob && one.ip == ip; });
  };
  hosts[5]->send_frame(test::arp_request(test::kBob, test::kBobIp, test::kBobIp));
  const auto claim = node.vnet().map().find_ip(test::kBobIp);
  ASSERT_TRUE(claim);
  EXPECT_FALSE(is_told(test::kBobIp));
  EXPECT_TRUE(is_told({})) << "where the guest is, is for its host to say";
  const auto answer = [&](Query::Kind asked) {
    return node.directory().as_answer(world->now(), asked, *node.vnet().map().find_ip(test::kBobIp));
  };
  EXPECT_EQ(answer(Query::Kind::Ip).expires, world->now() + Directory::kClaimTime);
  EXPECT_EQ(answer(Query::Kind::Mac).ip, IpAddress());
  world->run_for(5s);
  EXPECT_TRUE(is_told(test::kBobIp));
  EXPECT_EQ(answer(Query::Kind::Ip).expires, claim->expires);
  EXPECT_EQ(answer(Query::Kind::Mac).ip, IpAddress(test::kBobIp));
}

// All have just started, and may have missed who has what: everybody is asked about each address.
TEST_F(Network, ManyClaimsWaitUntilEverybodyCanBeAsked) {
  constexpr uint8_t kGuests = 240;
  start(9);
  for (uint8_t guest = 1; guest <= kGuests; ++guest) {
    const Ipv4Address ip{test::kBobIp.value + guest};
    hosts[5]->send_frame(test::arp_request(vnet_testing::mac(guest), ip, ip));
  }
  const Directory& directory = std::as_const(*hosts[5]).node().directory();
  const auto bound = [&] {
    int out = 0;
    for (uint8_t guest = 1; guest <= kGuests; ++guest) {
      out += directory.is_published(Ipv4Address{test::kBobIp.value + guest});
      EXPECT_GE(directory.counts().asked_all, static_cast<uint64_t>(out));
    }
    return out;
  };
  EXPECT_TRUE(world->run_until([&] { return bound() == kGuests; }, 120s)) << bound();
  EXPECT_GT(directory.counts().ask_all_limited, 0u);
}

TEST_F(Network, AHostThatRestartsWithoutItsFileGivesItsGuestTheSameAddress) {
  start(9);
  const auto first = lease(*hosts[4], 1);
  ASSERT_TRUE(first);
  world->run_for(5s);
  world->kill(*hosts[4]);
  world->run_for(10s);
  world->start(*hosts[4]);
  world->run_for(15s);
  EXPECT_EQ(lease(*hosts[4], 1), first);
}

/// Its guest was started elsewhere meanwhile.
TEST_F(Network, AHostThatRestartsWithItsFileCallsNobodyBack) {
  for (const size_t n : {3, 9}) {
    hosts.clear();
    start(n);
    Host& old = *hosts[1];
    const auto ip = lease(old, 1);
    ASSERT_TRUE(ip);
    world->run_for(5s);
    const std::string file = std::as_const(old).node().vnet().save_leases(old.now(), 1'000'000);
    world->kill(old);
    world->run_for(10s);
    ASSERT_EQ(lease(*hosts[2], 1), ip);
    world->run_for(5s);
    world->start(old);
    ASSERT_TRUE(old.node().vnet().load_leases(file, old.now(), 1'000'020));
    world->run_for(30s);
    EXPECT_TRUE(holds(*hosts[2], 1, *ip)) << n;
    EXPECT_FALSE(holds(old, 1, *ip)) << n;
  }
}

TEST_F(Network, AHostThatRestartsWithItsFileHoldsWhatNobodyTook) {
  start(9);
  Host& host = *hosts[1];
  const auto ip = lease(host, 1);
  ASSERT_TRUE(ip);
  const std::string file = std::as_const(host).node().vnet().save_leases(host.now(), 1'000'000);
  world->kill(host);
  world->run_for(10s);
  world->start(host);
  ASSERT_TRUE(host.node().vnet().load_leases(file, host.now(), 1'000'010));
  world->run_for(30s);
  EXPECT_TRUE(std::as_const(host).node().directory().is_published(*ip));
  auto renewal = vnet_testing::dhcp(DhcpMessage::Type::Request, 1);
  renewal.ciaddr = *ip;
  const auto ack = ask(host, renewal);
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->type, DhcpMessage::Type::Ack);
}

/// A guest uses an address, asks DHCP for it, and does not take what it is offered.
TEST_F(Network, WhatIsReservedAgainIsNotBoundUntilItIsTaken) {
  start(9);
  const Ipv4Address used = *Ipv4Address::parse("10.128.0.77");
  show_use(*hosts[4], 1, used);
  world->run_for(5s);
  const Directory& directory = std::as_const(*hosts[4]).node().directory();
  ASSERT_TRUE(directory.is_published(used));
  const auto offer = ask(*hosts[4], vnet_testing::dhcp(DhcpMessage::Type::Discover, 1));
  ASSERT_TRUE(offer);
  ASSERT_EQ(offer->yiaddr, used);
  EXPECT_FALSE(directory.is_published(used)) << "the replicas have a reservation, which runs out";
  world->run_for(Directory::kReservationTime);
  EXPECT_TRUE(directory.is_published(used)) << "it uses it as before";
}

/// Before its record is written.
TEST_F(Network, WhatIsGivenBackAtOnceIsFreeAtOnce) {
  start(9);
  auto release = vnet_testing::dhcp(DhcpMessage::Type::Release, 1);
  const auto offer = ask(*hosts[4], vnet_testing::dhcp(DhcpMessage::Type::Discover, 1));
  ASSERT_TRUE(offer);
  auto request = vnet_testing::dhcp(DhcpMessage::Type::Request, 1);
  request.requested_address = release.ciaddr = offer->yiaddr;
  request.server_id = offer->server_id;
  hosts[4]->send_frame(vnet_testing::dhcp_frame(request));
  world->run_for(1ms);
  hosts[4]->send_frame(vnet_testing::dhcp_frame(release));
  world->run_for(5s);
  EXPECT_EQ(lease(*hosts[6], 2, offer->yiaddr), offer->yiaddr);
}

/// By the record of its MAC, at the replicas: its host is dead, and the new one has never heard of it.
TEST_F(Network, AGuestOfADeadHostGetsItsAddressWhereNobodyKnowsIt) {
  start(9);
  const Ipv4Address wish = *Ipv4Address::parse("10.128.0.77");
  ASSERT_EQ(lease(*hosts[4], 1, wish), wish);
  world->run_for(5s);
  world->kill(*hosts[4]);
  world->run_for(10s);
  Host& fresh = world->add_host("fresh");
  world->run_for(15s);
  ASSERT_FALSE(std::as_const(fresh).node().vnet().map().find_mac(vnet_testing::mac(1)));
  show_up(fresh, 1);
  world->run_for(2s);  // As a guest that speaks IPv6 before it asks DHCP.
  EXPECT_EQ(lease(fresh, 1), wish);
}

/// It wakes just after its record has run out, at a host that has not looked since.
TEST_F(Network, AGuestThatSleptForItsLeaseAsksForItsAddressAnew) {
  start(9);
  const auto ip = lease(*hosts[4], 1);
  ASSERT_TRUE(ip);
  const Directory& directory = std::as_const(*hosts[4]).node().directory();
  world->run_for(59min);
  while (holds(*hosts[4], 1, *ip)) world->run_for(100ms);
  hosts[4]->send_frame(
      arp_frame(MacAddress::broadcast(), vnet_testing::mac(1), vnet_testing::arp_request(1, *ip, *ip)));
  world->run_for(1ms);
  ASSERT_TRUE(holds(*hosts[4], 1, *ip)) << "by the map of its host, that is: it claims it";
  EXPECT_FALSE(directory.is_published(*ip));
  world->run_for(5s);
  EXPECT_TRUE(directory.is_published(*ip));
}

TEST_F(Network, WhatADeadHostHeldIsFreeAfterItsLease) {
  start(9, {.seed = 12, .drift_ppm = 100});
  const auto first = lease(*hosts[4], 1);
  ASSERT_TRUE(first);
  world->run_for(5s);
  world->kill(*hosts[4]);
  world->run_for(30min);
  EXPECT_NE(lease(*hosts[1], 2, first), first);
  world->run_for(37min);
  EXPECT_EQ(lease(*hosts[2], 3, first), first);
}

TEST_F(Network, OneWordLostInTwentyChangesNothing) {
  start(9, {.seed = 13, .loss = 0.05});
  std::set<Ipv4Address> given;
  for (uint8_t guest = 1; guest <= 20; ++guest) {
    const auto ip = lease(*hosts[guest % 9], guest);
    ASSERT_TRUE(ip) << int{guest};
    EXPECT_TRUE(given.insert(*ip).second) << ip->to_string();
  }
}

TEST_F(Network, OwnRecordsAreRefreshedForAsLongAsTheGuestIsHere) {
  start(9);
  const auto ip = lease(*hosts[0], 1);
  ASSERT_TRUE(ip);
  world->run_for(15min);
  EXPECT_GT(std::as_const(*hosts[0]).node().directory().counts().refreshes, 5u);
  const auto [bound, all] = std::as_const(*hosts[0]).node().directory().published();
  EXPECT_EQ(bound, all);
  EXPECT_EQ(all, 2u) << "its IP and its MAC";
}

struct Names : Network {
  /// How many answers the service of `host` gives to the guest's question, within 4 s; nothing: none at all.
  std::optional<unsigned> ask_name(Host& host, const std::string& name, uint16_t type) {
    Writer out;
    for (const uint16_t field : std::initializer_list<uint16_t>{7, 0, 1, 0, 0, 0}) out.u16(field);
    out.bytes(DnsName::of(name).encode());
    out.u16(type);
    out.u16(1);
    const Bytes question = out.take();
    const auto& service = std::as_const(host).node().vnet().service();
    const Bytes udp =
        UdpDatagram{.src_port = 5353, .dst_port = 53, .payload = question}.encode(test::kAliceIp, service.ip);
    const Bytes packet =
        Ipv4Packet{.src = test::kAliceIp, .dst = service.ip, .protocol = kIpProtocolUdp, .payload = udp}
            .encode();
    host.take_frames();
    host.send_frame(EthernetFrame{
        .header = {.dst = service.mac, .src = test::kAlice, .vlan_tci = {}, .ethertype = kEtherTypeIpv4},
        .payload = packet}
                        .encode());
    world->run_for(4s);
    for (const Bytes& bytes : host.take_frames()) {
      const auto frame = EthernetFrame::decode(bytes);
      if (!frame || frame->header.ethertype != kEtherTypeIpv4 || frame->header.dst != test::kAlice) continue;
      const auto reply = Ipv4Packet::decode(frame->payload);
      const auto datagram = reply ? UdpDatagram::decode(*reply) : Error::Malformed;
      if (datagram && datagram->src_port == 53) return datagram->payload[7];
    }
    return std::nullopt;
  }
};

TEST_F(Names, AreFoundWhereverTheGuestIs) {
  start(24);
  world->run_for(8min);  // Votes are sure by then: nobody has to be asked beside the replicas.
  auto discover = vnet_testing::dhcp(DhcpMessage::Type::Discover, 3);
  discover.host_name = "vm3";
  const auto offer = ask(*hosts[2], discover);
  ASSERT_TRUE(offer);
  auto request = vnet_testing::dhcp(DhcpMessage::Type::Request, 3);
  request.host_name = "vm3";
  request.requested_address = offer->yiaddr;
  request.server_id = offer->server_id;
  ASSERT_EQ(ask(*hosts[2], request)->type, DhcpMessage::Type::Ack);
  world->run_for(1s);
  constexpr uint16_t kA = 1, kAaaa = 28;
  size_t strangers = 0;
  for (Host* host : hosts) {
    strangers += !std::as_const(*host).node().vnet().map().find_name("vm3");
    EXPECT_EQ(ask_name(*host, "vm3.grid.ipop", kA), 1u) << host->name();
    EXPECT_EQ(ask_name(*host, "vm3.grid.ipop", kAaaa), 0u) << host->name();
    EXPECT_EQ(ask_name(*host, "vm4.grid.ipop", kA), 0u) << host->name();
  }
  EXPECT_GT(strangers, 0u) << "or nothing had to be asked";
}

}  // namespace
}  // namespace ipop
