#include "overlay/vnet/dhcp_options.h"

#include <gtest/gtest.h>

#include "overlay/wire/dns.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

struct DhcpOptions : ::testing::Test {
  DhcpMessage reply() const {
    DhcpMessage out;
    out.op = DhcpMessage::Op::Reply;
    out.type = DhcpMessage::Type::Ack;
    out.chaddr = request.chaddr;
    out.server_id = network.ip;
    out.lease_seconds = 3600;
    out.renewal_seconds = 1800;
    out.rebinding_seconds = 3150;
    add_options(network, request, name, out);
    return out;
  }
  void use(const std::string& document) {
    const auto settings = Settings::parse(document, network.subnet, network.mtu);
    ASSERT_TRUE(settings) << settings.error().text;
    network.settings = std::make_shared<const Settings>(*settings);
  }
  /// Of the message, in its packet.
  static size_t packet_size(const DhcpMessage& message) { return message.encode().size() + 28; }

  Service network = service();
  DhcpMessage request = dhcp(DhcpMessage::Type::Request, 1);
  std::string name = "vm1";
};

TEST_F(DhcpOptions, WithoutSettingsAreThePortsOwn) {
  const DhcpMessage out = reply();
  EXPECT_EQ(out.subnet_mask, ip("255.255.255.0"));
  EXPECT_EQ(out.broadcast_address, ip("10.128.0.255"));
  EXPECT_EQ(out.mtu, 1380);
  EXPECT_EQ(out.dns_servers, std::vector{ip("10.128.0.1")});
  EXPECT_EQ(out.domain_name, "grid.ipop");
  EXPECT_EQ(out.host_name, "vm1");
  EXPECT_TRUE(out.ntp_servers.empty());
  EXPECT_TRUE(out.routes.empty());
}

TEST_F(DhcpOptions, OfTheSettingsTakeTheirPlace) {
  use(R"({"dns": ["192.0.2.53", "10.128.0.1"], "search": ["example.org", "grid.ipop"], "ntp": ["10.128.0.20"],
          "mtu": 1300, "routes": [{"to": "192.168.7.0/24", "via": "10.128.0.7"}]})");
  request.parameter_list = {119};
  const DhcpMessage out = reply();
  EXPECT_EQ(out.dns_servers, (std::vector{ip("192.0.2.53"), ip("10.128.0.1")})) << "in their order";
  EXPECT_EQ(out.search_domain, encode_names({"example.org", "grid.ipop"}));
  EXPECT_EQ(out.ntp_servers, std::vector{ip("10.128.0.20")});
  EXPECT_EQ(out.mtu, 1300);
  ASSERT_EQ(out.routes.size(), 1u);
  EXPECT_EQ(out.routes[0].via, ip("10.128.0.7"));
  EXPECT_EQ(out.domain_name, "grid.ipop") << "where its own name is stays as it is";
  EXPECT_TRUE(out.host_name.empty()) << "who wants option 12 asks for it";
}

TEST_F(DhcpOptions, AnEmptyListOfServersIsNoOption) {
  use(R"({"dns": [], "search": []})");
  request.parameter_list = {119};
  EXPECT_TRUE(reply().dns_servers.empty());
  EXPECT_TRUE(reply().search_domain.empty());
}

/// The most that there can be of everything, to a client that takes 576 octets and to one that takes more.
TEST_F(DhcpOptions, WhatIsTooLongIsLeftOutAndRoutesNever) {
  network.network_name = std::string(63, 'n');
  name = std::string(63, 'h');
  std::string routes;
  for (size_t i = 0; i < Settings::kMaxRoutes; ++i) {
    routes += (i == 0 ? "" : ", ") + (R"({"to": "192.168.7.)" + std::to_string(i)) +
              R"(/32", "via": "10.128.0.7"})";
  }
  use(R"({"dns": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"],
          "ntp": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"],
          "search": [")" +
      std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') +
      R"("], "mtu": 1300, "routes": [)" + routes + "]}");
  request.parameter_list = {12, 119};
  const DhcpMessage small = reply();
  EXPECT_LE(packet_size(small), 576u);
  EXPECT_TRUE(small.search_domain.empty());
  EXPECT_TRUE(small.host_name.empty());
  EXPECT_EQ(small.ntp_servers.size(), 4u) << "what fits is there";
  EXPECT_EQ(small.dns_servers.size(), 4u);
  EXPECT_EQ(small.routes.size(), Settings::kMaxRoutes);

  request.max_size = 700;
  const DhcpMessage medium = reply();
  EXPECT_LE(packet_size(medium), 700u);
  EXPECT_TRUE(medium.search_domain.empty());
  EXPECT_EQ(medium.host_name, name);

  request.max_size = 1500;
  const DhcpMessage large = reply();
  EXPECT_FALSE(large.search_domain.empty());
  EXPECT_LE(packet_size(large), 1300u) << "not more than the network carries in one piece";

  request.max_size = 68;  // Less than anybody may.
  EXPECT_EQ(reply(), small);
}

}  // namespace
}  // namespace ipop
