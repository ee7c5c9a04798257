// What a guest says to one guest elsewhere of who has which address: carried on if it is true, and to nobody
// if it is another's.
#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

constexpr Instant kStart = at(1000s);
const Ipv4Address kFirst = ip("10.128.0.11"), kSecond = ip("10.128.0.12");

/// Guest 1 is at `a`, guest 2 at `b`, each with an address of either family that it has told.
struct BetweenGuests : testing::Test {
  BetweenGuests() {
    for (const uint8_t guest : {uint8_t{1}, uint8_t{2}}) {
      Host& host = guest == 1 ? a : b;
      const Ipv4Address own = guest == 1 ? kFirst : kSecond;
      hosts.frame(kStart, host, arp_frame(MacAddress::broadcast(), mac(guest), arp_request(guest, own, own)));
      hosts.frame(kStart, host, nd_request(guest, {}, link_local(guest)));
    }
  }

  /// What guest 2 hears of this frame of guest 1.
  std::vector<Bytes> heard(const Bytes& frame) {
    b.to_guests.clear();
    hosts.frame(kStart + 1s, a, frame);
    return b.to_guests;
  }
  static Bytes arp_of(ArpPacket::Operation operation, Ipv4Address sender) {
    return arp_frame(mac(2), mac(1),
                     {.operation = operation,
                      .sender_mac = mac(1),
                      .sender_ip = sender,
                      .target_mac = mac(2),
                      .target_ip = kSecond});
  }
  static Bytes solicitation_from(const Ipv6Address& src) {
    const NeighbourSolicitation message{.target = link_local(2), .source_mac = mac(1)};
    return nd_frame(mac(2), mac(1), link_local(2), src, message.encode(src, link_local(2)));
  }
  static Bytes advertisement_of(const Ipv6Address& target) {
    const NeighbourAdvertisement message{
        .is_solicited = true, .overrides = true, .target = target, .target_mac = mac(1)};
    return nd_frame(mac(2), mac(1), link_local(2), link_local(1),
                    message.encode(link_local(1), link_local(2)));
  }
  /// Guest 3 is at `a`, too, or, as a stranger there, at `b`.
  void add_third(Host& host) {
    const Ipv4Address own = ip("10.128.0.13");
    hosts.frame(kStart, host, arp_frame(MacAddress::broadcast(), mac(3), arp_request(3, own, own)));
    hosts.frame(kStart, host, nd_request(3, {}, link_local(3)));
  }

  Hosts hosts;
  Host& a = hosts.add();
  Host& b = hosts.add();
};

TEST_F(BetweenGuests, AGuestItselfIsAskedWhetherItIsStillThere) {
  for (const Bytes& frame :
       {arp_of(ArpPacket::Operation::Request, kFirst), solicitation_from(link_local(1))}) {
    EXPECT_EQ(heard(frame), std::vector<Bytes>{frame});
    EXPECT_TRUE(a.to_guests.empty()) << "nobody answers in its place";
  }
}

TEST_F(BetweenGuests, AnswersArrive) {
  for (const Bytes& frame : {arp_of(ArpPacket::Operation::Reply, kFirst), advertisement_of(link_local(1))}) {
    EXPECT_EQ(heard(frame), std::vector<Bytes>{frame});
  }
}

TEST_F(BetweenGuests, WhatIsAnothersAddressIsToldToNobody) {
  add_third(b);
  const Ipv4Address third = ip("10.128.0.13");
  const Bytes lies[] = {arp_of(ArpPacket::Operation::Reply, third),
                        arp_of(ArpPacket::Operation::Request, third), advertisement_of(link_local(3)),
                        solicitation_from(link_local(3))};
  uint64_t conflicts = counter(a, "address_conflicts");
  for (const Bytes& frame : lies) {
    EXPECT_TRUE(heard(frame).empty());
    EXPECT_EQ(counter(a, "address_conflicts"), ++conflicts);
  }
  ASSERT_FALSE(a.log.lines.empty());
  EXPECT_NE(a.log.lines.back().find("uses fe80::5054:ff:fe00:3, which is " + mac(3).to_string()),
            std::string::npos);
}

TEST_F(BetweenGuests, NorWhatIsAGuestsOfTheSameHost) {
  add_third(a);
  EXPECT_TRUE(heard(arp_of(ArpPacket::Operation::Reply, ip("10.128.0.13"))).empty());
  EXPECT_TRUE(heard(advertisement_of(link_local(3))).empty());
}

TEST_F(BetweenGuests,
       WhatIsOfNoConcernToTheNetworkPasses) {  // Of a network that the two have made themselves.
  const Bytes frame = arp_of(ArpPacket::Operation::Reply, ip("192.0.2.1"));
  EXPECT_EQ(heard(frame), std::vector<Bytes>{frame});
}

TEST_F(BetweenGuests, NorByAnAnnouncementToAll) {
  add_third(b);
  const Ipv6Address foreign = ip6("2001:db8::2"), group = foreign.solicited_node();
  const NeighbourSolicitation message{.target = foreign, .source_mac = mac(1)};
  EXPECT_TRUE(heard(nd_frame(group.multicast_mac(), mac(1), group, link_local(3),
                             message.encode(link_local(3), group)))
                  .empty());
  EXPECT_EQ(heard(nd_frame(group.multicast_mac(), mac(1), group, link_local(1),
                           message.encode(link_local(1), group)))
                .size(),
            1u);
}

TEST_F(BetweenGuests, NorInATagThatNamesNoVlan) {
  add_third(b);
  const auto tagged = [](Bytes frame, const char* tag) {
    const Bytes octets = *from_hex(tag);
    frame.insert(frame.begin() + 12, octets.begin(), octets.end());
    return frame;
  };
  const Bytes lies[] = {arp_of(ArpPacket::Operation::Reply, ip("10.128.0.13")),
                        advertisement_of(link_local(3)), solicitation_from(link_local(3))};
  const Bytes truth = arp_of(ArpPacket::Operation::Reply, kFirst);
  for (const Bytes& lie : lies) {
    EXPECT_TRUE(heard(tagged(lie, "8100e000")).empty());
    EXPECT_TRUE(heard(tagged(lie, "88a8e000")).empty());
    EXPECT_TRUE(heard(tagged(lie, "8100e0008100e000")).empty());
  }
  EXPECT_EQ(heard(tagged(truth, "8100e000")), std::vector<Bytes>{tagged(truth, "8100e000")});
  EXPECT_EQ(heard(tagged(lies[0], "81000005")).size(), 1u) << "a VLAN is its guests' own";
}

TEST_F(BetweenGuests, WhatCannotBeDecidedIsNotTold) {
  for (uint8_t i = 0; i < 20; ++i) {  // More addresses than a guest may have.
    hosts.frame(kStart, a, nd_request(1, {}, ip6(("fe80::" + std::to_string(100 + i)).c_str())));
  }
  const Ipv6Address undecided = ip6("fe80::999");
  EXPECT_TRUE(heard(advertisement_of(undecided)).empty());
  EXPECT_TRUE(heard(solicitation_from(undecided)).empty());
  EXPECT_EQ(heard(advertisement_of(link_local(1))).size(), 1u) << "what it has";
}

TEST_F(BetweenGuests, AProbeToOneGuestIsAnsweredForIt) {
  const Bytes arp = arp_of(ArpPacket::Operation::Request, {});
  EXPECT_TRUE(heard(arp).empty()) << "a client that is asked so gives its address up";
  ASSERT_EQ(a.to_guests.size(), 1u);
  EXPECT_EQ(arp_in(a.to_guests[0])->sender_mac, mac(2));
  const Ipv6Address target = link_local(2), group = target.solicited_node();
  const NeighbourSolicitation message{.target = target, .source_mac = {}};
  EXPECT_TRUE(heard(nd_frame(mac(2), mac(1), group, {}, message.encode({}, group))).empty());
  ASSERT_EQ(a.to_guests.size(), 1u);
  EXPECT_EQ(advertisement_in(a.to_guests[0])->target_mac, mac(2));
}

TEST_F(BetweenGuests, WhoHasAllItMayHaveTakesNoTimeOfOthers) {
  hosts.frame(kStart, a, nd_request(4, {}, link_local(4)));
  for (int i = 0; i < 5000; ++i) {  // More than may be told at a time.
    hosts.frame(kStart + 1s, a, nd_request(1, ip6(("fe80::1:" + std::to_string(i)).c_str()), link_local(9)));
  }
  const Ipv6Address another = ip6("fe80::444");
  const NeighbourAdvertisement message{.overrides = true, .target = another, .target_mac = mac(4)};
  EXPECT_EQ(
      heard(nd_frame(mac(2), mac(4), link_local(2), another, message.encode(another, link_local(2)))).size(),
      1u);
}

}  // namespace
}  // namespace ipop
