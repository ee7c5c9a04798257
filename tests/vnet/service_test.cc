#include "overlay/vnet/service.h"

#include <gtest/gtest.h>

#include <set>

namespace ipop {
namespace {

Service make(const char* subnet, uint64_t hash) {
  return Service::make("grid", *Ipv4Subnet::parse(subnet), hash, 1400);
}

TEST(Service, TakesTheFirstAddressAndAMacThatIsTheSameOnEveryHost) {
  const Service service = make("10.128.0.0/16", 42);
  EXPECT_EQ(service.ip.to_string(), "10.128.0.1");
  EXPECT_EQ(service.mac, make("10.128.0.0/16", 42).mac);
  EXPECT_NE(service.mac, make("10.128.0.0/16", 43).mac) << "two networks on one wire are two";
  EXPECT_FALSE(service.mac.is_group());
  EXPECT_EQ(service.mac.bytes[0] & 2, 2) << "locally administered";
  EXPECT_EQ(service.domain(), "grid.ipop");
}

TEST(Service, HasAnIpv6NetworkOfItsOwn) {
  // fd and the first 40 bits of the hash; the MAC's mixing is SplitMix64's, computed apart from this code.
  const Service service = make("10.128.0.0/16", 0xa1b2c3d4e5f60718);
  EXPECT_EQ(service.prefix.to_string(), "fda1:b2c3:d4e5::");
  EXPECT_EQ(service.ipv6.to_string(), "fda1:b2c3:d4e5::1");
  EXPECT_EQ(service.mac.to_string(), "02:61:13:ac:f8:13");
  EXPECT_EQ(service.link_local.to_string(), "fe80::61:13ff:feac:f813") << "RFC 4291, appendix A";
  for (const char* own : {"10.128.0.1", "fda1:b2c3:d4e5::1", "fe80::61:13ff:feac:f813"}) {
    EXPECT_TRUE(service.is_own_address(*IpAddress::parse(own))) << own;
    EXPECT_FALSE(service.is_guest_address(*IpAddress::parse(own))) << own;
  }
  for (const char* guest : {"fda1:b2c3:d4e5::2", "fda1:b2c3:d4e5:0:5054:ff:fe12:3456", "fe80::1"}) {
    EXPECT_TRUE(service.is_guest_address(*IpAddress::parse(guest))) << guest;
  }
  for (const char* other : {"::", "::1", "fda1:b2c3:d4e5::", "fe80::", "fda1:b2c3:d4e5:1::2", "ff02::1",
                            "2001:db8::1", "::ffff:10.129.0.1"}) {
    EXPECT_FALSE(service.is_guest_address(*IpAddress::parse(other))) << other;
  }
}

TEST(Service, ThePoolIsTheSubnetWithoutItsOwnAddresses) {
  const Service service = make("192.168.7.0/29", 1);
  std::set<Ipv4Address> pool;
  for (uint64_t n = 0; n < service.pool_size(); ++n) {
    const Ipv4Address address = service.pool_address(n);
    EXPECT_TRUE(service.is_guest_address(address)) << address.to_string();
    pool.insert(address);
  }
  EXPECT_EQ(pool.size(), 5u);
  for (const char* other : {"192.168.7.0", "192.168.7.1", "192.168.7.7", "192.168.7.8", "192.168.6.255"}) {
    EXPECT_FALSE(service.is_guest_address(*Ipv4Address::parse(other))) << other;
  }
}

TEST(Service, TheSearchStartsInThePoolAndSpreads) {
  const Service service = make("10.128.0.0/16", 42);
  std::set<uint64_t> starts;
  for (uint8_t i = 0; i < 100; ++i) {
    const MacAddress mac{{0x52, 0x54, 0, 0, 0, i}};
    const uint64_t start = service.pool_start(mac);
    EXPECT_LT(start, service.pool_size());
    EXPECT_EQ(start, service.pool_start(mac));
    starts.insert(start);
  }
  EXPECT_GE(starts.size(), 97u) << "100 draws of 65533 collide with probability 0.07";
}

TEST(Service, ThePoolOfTheSettingsTakesThePlaceOfTheSubnet) {
  Service service = make("10.128.0.0/16", 42);
  auto settings = Settings::parse(R"({"pool": ["10.128.2.10-10.128.2.10", "10.128.1.0-10.128.1.3"]})",
                                  service.subnet, service.mtu);
  ASSERT_TRUE(settings);
  service.settings = std::make_shared<const Settings>(*settings);
  ASSERT_EQ(service.pool_size(), 5u);
  std::vector<std::string> pool;
  for (uint64_t n = 0; n < 5; ++n) pool.push_back(service.pool_address(n).to_string());
  EXPECT_EQ(pool, (std::vector<std::string>{"10.128.1.0", "10.128.1.1", "10.128.1.2", "10.128.1.3",
                                            "10.128.2.10"}));
  for (const char* inside : {"10.128.1.0", "10.128.1.3", "10.128.2.10"}) {
    EXPECT_TRUE(service.is_in_pool(*Ipv4Address::parse(inside))) << inside;
  }
  for (const char* outside : {"10.128.0.255", "10.128.1.4", "10.128.2.9", "10.128.2.11", "10.128.0.1"}) {
    EXPECT_FALSE(service.is_in_pool(*Ipv4Address::parse(outside))) << outside;
  }
  EXPECT_LT(service.pool_start({{0x52, 0x54, 0, 0, 0, 1}}), 5u);
  service.settings = std::make_shared<const Settings>();
  EXPECT_TRUE(service.is_in_pool(*Ipv4Address::parse("10.128.2.11")));
  EXPECT_FALSE(service.is_in_pool(service.ip));
}

TEST(Service, WhatTheSettingsDoNotSayIsThePortsOwn) {
  Service service = make("10.128.0.0/16", 42);
  EXPECT_EQ(service.guest_mtu(), 1400);
  EXPECT_EQ(service.dns_servers(), std::vector{service.ip});
  EXPECT_EQ(service.search_domains(), std::vector<std::string>{"grid.ipop"});
  Settings settings;
  settings.mtu = 1300;
  settings.dns.emplace();
  settings.search = {"example.org"};
  service.settings = std::make_shared<const Settings>(settings);
  EXPECT_EQ(service.guest_mtu(), 1300);
  EXPECT_TRUE(service.dns_servers().empty()) << "an empty list is a word, too";
  EXPECT_EQ(service.search_domains(), std::vector<std::string>{"example.org"});
}

}  // namespace
}  // namespace ipop
