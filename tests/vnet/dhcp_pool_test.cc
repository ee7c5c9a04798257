#include "overlay/vnet/dhcp_pool.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

/// A pool of five addresses, 10.128.0.10 to 14, of a host that may give the lower half of the subnet.
struct DhcpPoolTest : ::testing::Test {
  void SetUp() override {
    const auto settings = Settings::parse(R"({"pool": ["10.128.0.10-10.128.0.14"], "reservations": [
        {"mac": "52:54:00:00:00:01", "ip": "10.128.0.12"}, {"mac": "52:54:00:00:00:02", "ip": "10.128.0.20"},
        {"mac": "52:54:00:00:00:03", "ip": "10.128.0.200"}]})",
                                          network.subnet, network.mtu);
    ASSERT_TRUE(settings) << settings.error().text;
    network.settings = std::make_shared<const Settings>(*settings);
  }
  void give(uint8_t guest, const char* address, Instant expires) {
    ASSERT_TRUE(leases.put(now, mac(guest), {.ip = ip(address), .expires = expires, .name = {}}));
  }
  /// All that guest n would be given, one after the other.
  std::vector<Ipv4Address> free_for(uint8_t guest) {
    std::vector<Ipv4Address> out;
    uint64_t offset = 0;
    while (const auto found = pool.find_free(now, mac(guest), offset)) out.push_back(*found);
    return out;
  }

  const Instant now = at(1000s);
  Service network = service();
  AddressMap map{node(1)};
  LeaseTable leases;
  DhcpPool pool{network, map, leases, {*Ipv4Subnet::parse("10.128.0.0/25")}};
};

TEST_F(DhcpPoolTest, AReservationIsForItsMacAlone) {
  EXPECT_EQ(pool.reserved_for(mac(1)), ip("10.128.0.12"));
  EXPECT_TRUE(pool.is_for(ip("10.128.0.20"), mac(2))) << "outside the pool";
  EXPECT_FALSE(pool.is_for(ip("10.128.0.20"), mac(1)));
  EXPECT_FALSE(pool.is_taken(now, ip("10.128.0.12"), mac(1)));
  EXPECT_TRUE(pool.is_taken(now, ip("10.128.0.12"), mac(9)));
  EXPECT_FALSE(pool.is_in_use(now, ip("10.128.0.12"), mac(9))) << "nobody has it";
}

TEST_F(DhcpPoolTest, WhatTheCertificateDoesNotAllowIsNotReserved) {
  EXPECT_TRUE(pool.may_give(ip("10.128.0.127")));
  EXPECT_FALSE(pool.may_give(ip("10.128.0.128")));
  EXPECT_EQ(pool.reserved_for(mac(3)), std::nullopt);
  EXPECT_TRUE(pool.is_reserved_for_another(ip("10.128.0.200"), mac(9))) << "another host may give it";
}

TEST_F(DhcpPoolTest, WhatTheCertificateDoesNotAllowIsNotSearched) {
  network.settings = std::make_shared<const Settings>(*Settings::parse(
      R"({"pool": ["10.128.0.60-10.128.0.61", "10.128.0.126-10.128.0.200"]})", network.subnet, network.mtu));
  const std::vector<Ipv4Address> found = free_for(9);
  const std::set<Ipv4Address> different(found.begin(), found.end());
  EXPECT_EQ(different, (std::set<Ipv4Address>{ip("10.128.0.60"), ip("10.128.0.61"), ip("10.128.0.126"),
                                              ip("10.128.0.127")}));
  EXPECT_FALSE(pool.is_for(ip("10.128.0.128"), mac(9)));
  EXPECT_TRUE(pool.is_for(ip("10.128.0.127"), mac(9)));
  EXPECT_TRUE(pool.is_taken(now, ip("10.128.0.128"), mac(9)));
  network.settings = std::make_shared<const Settings>(
      *Settings::parse(R"({"pool": ["10.128.0.128-10.128.0.200"]})", network.subnet, network.mtu));
  EXPECT_TRUE(free_for(9).empty());
}

TEST_F(DhcpPoolTest, TheSearchGoesAroundTwice) {
  std::vector<Ipv4Address> once;
  for (uint64_t n = 0; n < network.pool_size(); ++n) {
    const auto next = network.pool_address((network.pool_start(mac(9)) + n) % network.pool_size());
    if (next != ip("10.128.0.12")) once.push_back(next);  // Reserved.
  }
  std::vector<Ipv4Address> twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(free_for(9), twice);

  // What another MAC had once comes the second time only; the same of its own at once.
  give(8, once[0].to_string().c_str(), now);
  twice.erase(twice.begin());
  EXPECT_EQ(free_for(9), twice);
  EXPECT_EQ(free_for(8).size(), 8u);
}

TEST_F(DhcpPoolTest, WhatSomebodyHasIsLeftOut) {
  give(4, "10.128.0.10", now + 1s);
  (void)map.upsert(now, binding(5, "10.128.0.11", 2, 1, now + 1s));
  pool.keep(ip("10.128.0.13"), mac(6));
  ASSERT_TRUE(pool.decline(now, ip("10.128.0.14")));
  EXPECT_TRUE(free_for(9).empty());
  EXPECT_EQ(free_for(4), (std::vector{ip("10.128.0.10"), ip("10.128.0.10")})) << "it has that itself";
  EXPECT_EQ(free_for(5), (std::vector{ip("10.128.0.11"), ip("10.128.0.11")}));
  EXPECT_EQ(pool.kept_for(ip("10.128.0.13")), mac(6));
  EXPECT_EQ(free_for(6), (std::vector{ip("10.128.0.13"), ip("10.128.0.13")}));
  pool.give_back(ip("10.128.0.13"));
  EXPECT_EQ(free_for(9), (std::vector{ip("10.128.0.13"), ip("10.128.0.13")}));
}

TEST_F(DhcpPoolTest, TellsUntilWhenAnAddressIsHeld) {
  give(4, "10.128.0.10", now + 20s);
  (void)map.upsert(now, binding(5, "10.128.0.11", 2, 1, now + 10s));
  EXPECT_EQ(pool.held_until(now, ip("10.128.0.10"), mac(4)), now + 20s);
  EXPECT_EQ(pool.held_until(now + 20s, ip("10.128.0.10"), mac(4)), std::nullopt);
  EXPECT_EQ(pool.held_until(now, ip("10.128.0.10"), mac(5)), std::nullopt);
  EXPECT_EQ(pool.held_until(now, ip("10.128.0.11"), mac(5)), now + 10s);
  EXPECT_EQ(pool.held_until(now + 10s, ip("10.128.0.11"), mac(5)), std::nullopt);
}

TEST_F(DhcpPoolTest, AClaimIsNoGrant) {
  give(4, "10.128.0.10", now + 20s);
  (void)map.upsert(now, binding(5, "10.128.0.11", 2, 1, now + 10s));
  (void)map.upsert(now, binding(6, "10.128.0.13", 1, 1, now + 10s));
  EXPECT_TRUE(pool.is_granted(now, ip("10.128.0.10"), mac(4)));
  EXPECT_FALSE(pool.is_granted(now + 20s, ip("10.128.0.10"), mac(4)));
  EXPECT_FALSE(pool.is_granted(now, ip("10.128.0.11"), mac(5))) << "it has, or had, it at another host";
  EXPECT_FALSE(pool.is_granted(now, ip("10.128.0.13"), mac(6))) << "it uses it here";
  EXPECT_TRUE(pool.held_until(now, ip("10.128.0.13"), mac(6)));
}

TEST_F(DhcpPoolTest, DeclinedAddressesComeBackAndAreBounded) {
  ASSERT_TRUE(pool.decline(now, ip("10.128.0.10")));
  EXPECT_EQ(pool.next_timeout(), now + DhcpPool::kDeclineTime);
  EXPECT_TRUE(pool.is_in_use(now + DhcpPool::kDeclineTime - 1us, ip("10.128.0.10"), mac(1)));
  EXPECT_FALSE(pool.is_in_use(now + DhcpPool::kDeclineTime, ip("10.128.0.10"), mac(1)));

  for (uint32_t i = 1; i < DhcpPool::kMaxDeclined; ++i) ASSERT_TRUE(pool.decline(now, {i}));
  EXPECT_EQ(pool.decline(now, {1000}).error(), Error::Full);
  pool.handle_timeout(now + DhcpPool::kDeclineTime);
  EXPECT_EQ(pool.next_timeout(), kNever);
  EXPECT_TRUE(pool.decline(now, {1000}));
}

}  // namespace
}  // namespace ipop
