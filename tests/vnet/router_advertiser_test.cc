#include "overlay/vnet/router_advertiser.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

struct Fixture : testing::Test {
  Service network = service();
  SeededRandom random{1};
  RouterAdvertiser routers{network, random};
};
using RouterAdvertiserTest = Fixture;

TEST_F(RouterAdvertiserTest, AnswersWhoAsksAndNobodyElse) {
  ASSERT_TRUE(routers.handle_solicitation(at(0s), mac(1), link_local(1)));
  const auto frame = routers.poll_frame();
  ASSERT_TRUE(frame);
  EXPECT_FALSE(routers.poll_frame());
  const auto header = EthernetFrame::decode(*frame)->header;
  EXPECT_EQ(header.dst, mac(1));
  EXPECT_EQ(header.src, network.mac);
  const auto packet = ipv6_in(*frame);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->src, network.link_local);
  EXPECT_EQ(packet->dst, link_local(1));
  EXPECT_EQ(packet->hop_limit, 255);
  const auto message = Icmpv6Message::decode(*packet);
  ASSERT_TRUE(message) << "the checksum is right";
  EXPECT_EQ(message->type, 134);
  // No router (lifetime 0); MTU 1380; fd00::/64, on-link and autonomous, for 30 and 7 days; names at fd00::1
  // for half an hour, in grid.ipop.  The MAC is SplitMix64's of 0x1234.
  EXPECT_EQ(to_hex(message->body),
            "0000"
            "0000"
            "00000000"
            "00000000"
            "0101"
            "0236f3c06f1d"
            "0501"
            "0000"
            "00000564"
            "0304"
            "40"
            "c0"
            "00278d00"
            "00093a80"
            "00000000"
            "fd000000000000000000000000000000"
            "1903"
            "0000"
            "00000708"
            "fd000000000000000000000000000001"
            "1f03"
            "0000"
            "00000708"
            "04677269640469706f70000000000000");
}

TEST_F(RouterAdvertiserTest, AGuestWithoutAnAddressIsAnsweredAtAllNodes) {
  ASSERT_TRUE(routers.handle_solicitation(at(0s), mac(1), {}));
  const auto frame = routers.poll_frame();
  EXPECT_EQ(EthernetFrame::decode(*frame)->header.dst, mac(1)) << "RFC 6085: in a frame to it alone";
  EXPECT_EQ(ipv6_in(*frame)->dst, kAllNodes);
}

TEST_F(RouterAdvertiserTest, RepeatsItselfRarelyWhileThereAreGuests) {
  EXPECT_EQ(routers.next_timeout(), kNever);
  routers.handle_guest(at(1000s));
  Instant now = at(1000s);
  for (int i = 0; i < 20; ++i) {
    const Instant next = routers.next_timeout();
    EXPECT_GE(next - now, 200s);
    EXPECT_LT(next - now, 600s);
    routers.handle_guest(now + 1s);
    EXPECT_EQ(routers.next_timeout(), next) << "what guests do does not put it off";
    routers.handle_timeout(next - 1us, true);
    EXPECT_FALSE(routers.poll_frame());
    routers.handle_timeout(next, true);
    const auto frame = routers.poll_frame();
    ASSERT_TRUE(frame);
    EXPECT_EQ(EthernetFrame::decode(*frame)->header.dst.to_string(), "33:33:00:00:00:01");
    EXPECT_EQ(ipv6_in(*frame)->dst, kAllNodes);
    now = next;
  }
  routers.handle_timeout(routers.next_timeout(), false);
  EXPECT_FALSE(routers.poll_frame());
  EXPECT_EQ(routers.next_timeout(), kNever);
}

TEST_F(RouterAdvertiserTest, AFloodOfSolicitationsIsLimited) {
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(routers.handle_solicitation(at(10s), mac(1), link_local(1)));
  EXPECT_EQ(routers.handle_solicitation(at(10s), mac(1), link_local(1)).error(), Error::RateLimited);
  EXPECT_TRUE(routers.handle_solicitation(at(10s) + 10ms, mac(1), link_local(1)));
  EXPECT_EQ(routers.sent(), 501u);
}

TEST_F(RouterAdvertiserTest, SaysNothingElseThanDhcp) {
  const auto body = [&] {
    EXPECT_TRUE(routers.handle_solicitation(at(0s), mac(1), link_local(1)));
    const Bytes frame = *routers.poll_frame();
    return to_hex(Icmpv6Message::decode(*ipv6_in(frame))->body);
  };
  Settings settings;
  settings.mtu = 1300;
  settings.search = {"a.b"};
  settings.dns = {ip("192.0.2.53"), network.ip};
  network.settings = std::make_shared<const Settings>(settings);
  std::string said = body();
  EXPECT_NE(said.find("0501000000000514"), std::string::npos) << "the MTU";
  EXPECT_NE(said.find("1903000000000708" + to_hex(network.ipv6.bytes)), std::string::npos) << "our resolver";
  EXPECT_NE(said.find("1f020000000007080161016200000000"), std::string::npos) << "the domain";
  settings.dns = {ip("192.0.2.53")};
  network.settings = std::make_shared<const Settings>(settings);
  said = body();
  EXPECT_EQ(said.find("1903"), std::string::npos) << "guests are not to ask us";
}

}  // namespace
}  // namespace ipop
