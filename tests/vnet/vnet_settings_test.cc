// A virtual network whose settings change, on a host whose certificate is for half of the subnet.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

struct VnetSettings : ::testing::Test {
  void use(const std::string& document) {
    const auto settings = Settings::parse(document, subnet(), 1380);
    ASSERT_TRUE(settings) << settings.error().text;
    vnet.use_settings(std::make_shared<const Settings>(*settings));
  }
  /// Guest n has the address 10.128.0.(last), for each in turn.
  static std::string reservations(std::initializer_list<int> last) {
    std::string out;
    uint8_t guest = 1;
    for (const int octet : last) {
      out += std::string(out.empty() ? "" : ", ") + R"({"mac": ")" + mac(guest++).to_string() +
             R"(", "ip": "10.128.0.)" + std::to_string(octet) + "\"}";
    }
    return "\"reservations\": [" + out + "]";
  }
  size_t log_count(std::string_view text) const {
    return static_cast<size_t>(std::count_if(log.lines.begin(), log.lines.end(),
                                             [&](const auto& line) { return line.find(text) != line.npos; }));
  }
  /// What a guest is told; nobody else knows anything.
  std::optional<DhcpMessage> say(const DhcpMessage& message) {
    (void)vnet.handle_guest_frame(at(1s), dhcp_frame(message));
    while (const auto query = vnet.poll_query()) (void)vnet.handle_answer(at(1s), query->id, std::nullopt);
    std::optional<DhcpMessage> out;
    while (const auto frame = vnet.poll_guest_frame()) {
      if (const auto reply = dhcp_in(*frame)) out = reply;
    }
    return out;
  }

  SeededRandom random{1};
  TestLog log;
  Vnet vnet{{.network_name = "grid",
             .subnet = subnet(),
             .network_hash = 0x1234,
             .own = node(1),
             .mtu = 1380,
             .allowed = {*Ipv4Subnet::parse("10.128.0.0/25")}},
            random,
            log};
};

TEST_F(VnetSettings, HoldFromTheNextExchangeOn) {
  EXPECT_EQ(say(dhcp(DhcpMessage::Type::Discover, 9))->mtu, 1380);
  use(R"({"mtu": 1300, "ntp": ["10.128.0.20"], )" + reservations({10}) + "}");
  const auto again = say(dhcp(DhcpMessage::Type::Discover, 9));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->mtu, 1300);
  EXPECT_EQ(again->ntp_servers, std::vector{ip("10.128.0.20")});
  EXPECT_EQ(say(dhcp(DhcpMessage::Type::Discover, 1))->yiaddr, ip("10.128.0.10"));
  EXPECT_TRUE(log.lines.empty()) << "there is nothing to complain of";
  use("{}");
  EXPECT_EQ(say(dhcp(DhcpMessage::Type::Discover, 9))->mtu, 1380);
}

TEST_F(VnetSettings, WhatTheCertificateDoesNotAllowIsNamedInTheLogAndNotGiven) {
  use("{\"pool\": [\"10.128.0.50-10.128.0.59\"], " + reservations({200, 10}) + "}");
  EXPECT_FALSE(vnet.may_give(ip("10.128.0.200")));
  EXPECT_TRUE(vnet.may_give(ip("10.128.0.10")));
  EXPECT_EQ(log.lines.size(), 1u);
  EXPECT_EQ(log_count("The reservation of 10.128.0.200 for 52:54:00:00:00:01 is not given here"), 1u);
  const auto offered = say(dhcp(DhcpMessage::Type::Discover, 1));
  ASSERT_TRUE(offered);
  EXPECT_TRUE(vnet.service().is_in_pool(offered->yiaddr)) << offered->yiaddr.to_string();
  EXPECT_EQ(say(dhcp(DhcpMessage::Type::Discover, 2))->yiaddr, ip("10.128.0.10"));
}

TEST_F(VnetSettings, WhatTheCertificateDoesNotAllowNoGuestHasHere) {
  const auto use = [&](Ipv4Address address) {
    return vnet.handle_guest_frame(
        at(1s), arp_frame(MacAddress::broadcast(), mac(9), arp_request(9, address, address)));
  };
  EXPECT_EQ(use(ip("10.128.0.200")).error(), Error::NotAllowed);
  EXPECT_EQ(vnet.map().find_ip(ip("10.128.0.200")), std::nullopt);
  EXPECT_TRUE(vnet.map().is_local(mac(9)));
  EXPECT_EQ(log_count("Guest " + mac(9).to_string() + " uses 10.128.0.200"), 1u);
  EXPECT_TRUE(use(ip("10.128.0.20")));
  EXPECT_EQ(vnet.map().find_ip(ip("10.128.0.20"))->mac, mac(9));
}

TEST_F(VnetSettings, ManyOfThemDoNotFillTheLog) {
  use("{" + reservations({201, 202, 203, 204, 205, 206, 207, 208, 209, 210}) + "}");
  EXPECT_EQ(log_count("is not given here"), 8u);
  EXPECT_EQ(log_count("2 more reservations are not given here"), 1u);
}

TEST_F(VnetSettings, WhatLibvirtSaysOfAGuestItIsGiven) {
  ASSERT_TRUE(vnet.introduce({.mac = mac(9), .ip = ip("10.128.0.33"), .name = "web"}));
  auto discover = dhcp(DhcpMessage::Type::Discover, 9);
  discover.host_name = "localhost";
  discover.requested_address = ip("10.128.0.44");
  discover.parameter_list = {12};
  const auto offered = say(discover);
  ASSERT_TRUE(offered);
  EXPECT_EQ(offered->yiaddr, ip("10.128.0.33"));
  EXPECT_EQ(offered->host_name, "web") << "an image may have any";
  discover.chaddr = mac(8);
  discover.requested_address = ip("10.128.0.33");
  EXPECT_NE(say(discover)->yiaddr, ip("10.128.0.33")) << "it is kept for that one here";
  ASSERT_TRUE(vnet.introduce({.mac = mac(9)}));
  EXPECT_EQ(vnet.service().name_for(mac(9)), "");
}

TEST_F(VnetSettings, AGuestThatAsksForNothingHasItsNameToo) {
  ASSERT_TRUE(vnet.introduce({.mac = mac(9), .name = "web"}));
  (void)vnet.handle_guest_frame(at(1s), arp_frame(MacAddress::broadcast(), mac(9),
                                                  arp_request(9, ip("10.128.0.33"), ip("10.128.0.33"))));
  EXPECT_EQ(vnet.map().find_name("web"), mac(9));
}

TEST_F(VnetSettings, TheSettingsComeBeforeWhatLibvirtSays) {
  use("{" + reservations({10}) + "}");
  ASSERT_TRUE(vnet.introduce({.mac = mac(1), .ip = ip("10.128.0.33"), .name = "web"}));
  EXPECT_EQ(say(dhcp(DhcpMessage::Type::Discover, 1))->yiaddr, ip("10.128.0.10"));
  EXPECT_EQ(vnet.service().name_for(mac(1)), "web") << "of its name they say nothing";
}

TEST_F(VnetSettings, AnAddressThatAGuestCannotHaveHereIsRefusedWithAReason) {
  use("{" + reservations({10}) + "}");
  ASSERT_TRUE(vnet.introduce({.mac = mac(8), .ip = ip("10.128.0.33")}));
  const std::pair<const char*, const char*> cases[] = {
      {"10.128.0.1", "is no address for guests of this network"},
      {"192.0.2.1", "is no address for guests of this network"},
      {"10.128.0.200", "is not among the addresses that this host may give"},
      {"10.128.0.10", "is reserved for 52:54:00:00:00:01 by the network's settings"},
      {"10.128.0.33", "is to be that of 52:54:00:00:00:08"},
  };
  for (const auto& [address, reason] : cases) {
    const auto refused = vnet.introduce({.mac = mac(9), .ip = ip(address), .name = "web"});
    ASSERT_FALSE(refused) << address;
    EXPECT_EQ(refused.error().text, std::string(address) + " " + reason);
  }
  EXPECT_EQ(vnet.service().name_for(mac(9)), "");
}

}  // namespace
}  // namespace ipop
