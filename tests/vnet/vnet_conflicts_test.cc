// Two guests of one host that use one address, of which neither asked for it (vnet/contests.h).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

constexpr Instant kStart{100s};
const Ipv4Address kUsed = ip("10.128.0.30");

/// Guest 1 uses an address, and guest 2 wants it.
struct AConflict : testing::Test {
  AConflict() { use(kStart, 1); }

  std::vector<Bytes> use(Instant now, uint8_t guest, Ipv4Address address = kUsed) {
    return hosts.frame(now, host,
                       arp_frame(MacAddress::broadcast(), mac(guest), arp_request(guest, address, address)));
  }
  /// The answer to a question for the address.
  void answer(Instant now, uint8_t guest) {
    const ArpPacket reply{.operation = ArpPacket::Operation::Reply,
                          .sender_mac = mac(guest),
                          .sender_ip = kUsed,
                          .target_mac = service().mac,
                          .target_ip = service().ip};
    hosts.frame(now, host, arp_frame(service().mac, mac(guest), reply));
  }
  /// Questions for the address to `to` among frames.
  static size_t questions(const std::vector<Bytes>& frames, const MacAddress& to) {
    return static_cast<size_t>(std::count_if(frames.begin(), frames.end(), [&](const Bytes& frame) {
      const auto packet = arp_in(frame);
      return packet && packet->operation == ArpPacket::Operation::Request && packet->target_ip == kUsed &&
             EthernetFrame::decode(frame)->header.dst == to;
    }));
  }
  /// What the guests get until `end`, with nothing from them.
  std::vector<Bytes> pass(Instant end) {
    host.to_guests.clear();
    while (host.vnet.next_timeout() <= end) hosts.timeouts(host.vnet.next_timeout());
    return host.to_guests;
  }
  MacAddress holder(const IpAddress& address = kUsed) {
    return host.vnet.map().find_ip(address).value_or(Binding{}).mac;
  }

  Hosts hosts;
  Host& host = hosts.add();
};

TEST_F(AConflict, IsWonByWhoAnswers) {
  host.log.lines.clear();
  EXPECT_EQ(questions(use(kStart + 1s, 2), mac(1)), 1u);
  EXPECT_EQ(holder(), mac(1));
  EXPECT_EQ(counter(host, "address_conflicts"), 1u);
  ASSERT_EQ(host.log.lines.size(), 1u);
  EXPECT_NE(host.log.lines[0].find(mac(2).to_string() + " uses 10.128.0.30"), std::string::npos);
  answer(kStart + 4s, 1);
  EXPECT_EQ(questions(pass(kStart + 1min), MacAddress::broadcast()), 0u);
  EXPECT_EQ(holder(), mac(1));
}

TEST_F(AConflict, IsLostByWhoIsSilentToWhoSpokeOnce) {
  use(kStart + 1s, 2);
  pass(kStart + 4999ms);
  EXPECT_EQ(holder(), mac(1));
  EXPECT_EQ(questions(pass(kStart + 5s), MacAddress::broadcast()), 1u);
  EXPECT_EQ(holder(), MacAddress{});
  answer(kStart + 5s, 2);
  EXPECT_EQ(holder(), mac(2));
}

TEST_F(AConflict, IsWonByAnAnswerThatIsOneOfMany) {
  use(kStart + 1s, 2);
  for (int i = 0; i < 5000; ++i)
    use(kStart + 2s, 2, Ipv4Address{0x0a800032 + static_cast<uint32_t>(i % 100)});
  answer(kStart + 2s, 1);
  pass(kStart + 1min);
  EXPECT_EQ(holder(), mac(1));
}

TEST_F(AConflict, TakesNoLease) {
  const auto leased = *hosts.lease(kStart, host, 3);
  EXPECT_EQ(questions(use(kStart + 1s, 2, leased), mac(3)), 0u);
  pass(kStart + 1min);
  EXPECT_EQ(holder(leased), mac(3));
}

TEST_F(AConflict, OfIpv6IsWonByAnAdvertisement) {
  Ipv6Address address = host.vnet.service().prefix;
  address.bytes[15] = 0x30;
  const auto use6 = [&](Instant now, uint8_t guest) {
    hosts.frame(now, host, nd_request(guest, address, ip6("fe80::1")));
  };
  use6(kStart, 1);
  ASSERT_EQ(holder(address), mac(1));
  use6(kStart + 1s, 2);
  use6(kStart + 2s, 1);
  pass(kStart + 1min);
  EXPECT_EQ(holder(address), mac(1));
  use6(kStart + 1min, 2);
  pass(kStart + 2min);
  EXPECT_EQ(holder(address), MacAddress{});
}

/// Two that have one address for ever.
TEST_F(AConflict, AsksSeldomWhoAnswers) {
  size_t asked = 0;
  for (Instant now = kStart; now < kStart + 100s; now += 100ms) {
    asked += questions(use(now, 2), mac(1));
    answer(now, 1);
    pass(now);
  }
  EXPECT_EQ(asked, 10u);
  EXPECT_EQ(holder(), mac(1));
}

}  // namespace
}  // namespace ipop
