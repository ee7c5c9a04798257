// The network's settings in whole nodes: loaded at one, used by the guests of all.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "overlay/crypto/settings.h"
#include "overlay/node/node.h"
#include "overlay/sim/world.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using sim::Host;
using sim::World;
using namespace vnet_testing;

constexpr size_t kHosts = 12;  // More than are neighbours of one: there are some without a link to it.

const char kDocument[] = R"({
  "pool": ["10.128.7.0-10.128.7.99"],
  "reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.10", "name": "db"}],
  "dns": ["10.128.0.1", "192.0.2.53"],
  "ntp": ["10.128.0.20"],
  "mtu": 1300,
  "routes": [{"to": "192.168.7.0/24", "via": "10.128.0.10"}]
})";

struct NodeSettings : ::testing::Test {
  NodeSettings() {
    for (size_t i = 0; i < kHosts; ++i) world.add_host("host" + std::to_string(i));
    world.run_for(20s);
  }

  std::string file(uint64_t version, const std::string& document = kDocument) const {
    return sign_settings(world.authority(), version, document).encode();
  }
  Result<uint64_t, Problem> load(size_t host, const std::string& text) {
    return world.host(host).node().load_settings(world.host(host).now(), text);
  }
  uint64_t version_at(size_t i) const { return world.host(i).node().settings().version(); }
  bool all_have(uint64_t version) const {
    for (size_t i = 0; i < kHosts; ++i) {
      if (world.host(i).is_running() && version_at(i) != version) return false;
    }
    return true;
  }
  /// What a guest of `host` is told next.
  std::optional<DhcpMessage> say(Host& host, const DhcpMessage& message) {
    host.take_frames();
    host.send_frame(dhcp_frame(message));
    std::optional<DhcpMessage> out;
    world.run_until(
        [&] {
          for (const Bytes& frame : host.take_frames()) {
            if (const auto reply = dhcp_in(frame)) out = reply;
          }
          return out.has_value();
        },
        5s);
    return out;
  }
  std::optional<DhcpMessage> boot(Host& host, uint8_t guest) {
    auto offer = say(host, dhcp(DhcpMessage::Type::Discover, guest));
    if (!offer) offer = say(host, dhcp(DhcpMessage::Type::Discover, guest));
    if (!offer) return std::nullopt;
    DhcpMessage request = dhcp(DhcpMessage::Type::Request, guest);
    request.requested_address = offer->yiaddr;
    request.server_id = offer->server_id;
    const auto ack = say(host, request);
    return ack && ack->type == DhcpMessage::Type::Ack ? ack : std::nullopt;
  }

  World world{{.seed = 11}};
};

TEST_F(NodeSettings, LoadedAtOneReachAllAndTheirGuests) {
  ASSERT_LT(world.host(3).node().links().all().size(), kHosts - 1) << "not all are a link away";
  const auto loaded = load(3, file(1764086400));
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_EQ(*loaded, 1764086400u);
  EXPECT_TRUE(world.run_until([&] { return all_have(1764086400); }, 5s));

  const auto ack = boot(world.host(9), 1);
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->yiaddr, ip("10.128.0.10"));
  EXPECT_EQ(ack->host_name, "db");
  EXPECT_EQ(ack->dns_servers, (std::vector{ip("10.128.0.1"), ip("192.0.2.53")}));
  EXPECT_EQ(ack->ntp_servers, std::vector{ip("10.128.0.20")});
  EXPECT_EQ(ack->mtu, 1300);
  ASSERT_EQ(ack->routes.size(), 1u);
  EXPECT_EQ(ack->routes[0].to.to_string(), "192.168.7.0/24");
  const auto other = boot(world.host(5), 2);
  ASSERT_TRUE(other);
  EXPECT_GE(other->yiaddr, ip("10.128.7.0"));
  EXPECT_LE(other->yiaddr, ip("10.128.7.99"));
}

TEST_F(NodeSettings, WhoWasAwayHasThemAsSoonAsItIsBack) {
  ASSERT_TRUE(load(0, file(10)));
  ASSERT_TRUE(world.run_until([&] { return all_have(10); }, 5s));
  world.kill(world.host(4));
  world.run_for(10s);
  ASSERT_TRUE(load(1, file(11)));
  ASSERT_TRUE(world.run_until([&] { return all_have(11); }, 5s));
  world.start(world.host(4));
  EXPECT_EQ(version_at(4), 0u);
  EXPECT_TRUE(world.run_until([&] { return all_have(11); }, 5s));
}

/// Its process has version 10 on disk, and the others have gone on.
TEST_F(NodeSettings, WhatTheDiskRemembersCountsAtOnceAndGivesWayToNewer) {
  ASSERT_TRUE(load(0, file(10)));
  ASSERT_TRUE(world.run_until([&] { return all_have(10); }, 5s));
  const std::string kept = world.host(4).node().settings().file();
  world.kill(world.host(4));
  ASSERT_TRUE(load(1, file(11, R"({"mtu": 1290})")));
  world.run_for(10s);
  world.start(world.host(4));
  Node& node = world.host(4).node();
  ASSERT_TRUE(node.recall_settings(world.host(4).now(), kept));
  EXPECT_EQ(node.vnet().service().guest_mtu(), 1300);
  EXPECT_TRUE(world.run_until([&] { return all_have(11); }, 5s));
  EXPECT_EQ(node.vnet().service().guest_mtu(), 1290);
}

TEST_F(NodeSettings, TheyCrossABadPathToo) {
  for (size_t i = 0; i < kHosts; ++i) {
    for (size_t j = 0; j < i; ++j) {
      if ((i + j) % 3 == 0) world.cut(world.host(i), world.host(j));
    }
  }
  ASSERT_TRUE(load(3, file(10, std::string(20'000, ' ') + kDocument)));
  EXPECT_TRUE(world.run_until([&] { return all_have(10); }, 60s));
}

TEST_F(NodeSettings, AForgedOneIsRefusedWhereverItIsTried) {
  ASSERT_TRUE(load(0, file(10)));
  ASSERT_TRUE(world.run_until([&] { return all_have(10); }, 5s));
  SeededRandom random(99);
  const Authority impostor =
      Authority::create("grid", *Ipv4Subnet::parse("10.128.0.0/16"), 86400, 1'700'000'000, random);
  const std::string forged = sign_settings(impostor, 11, kDocument).encode();
  std::string altered = file(11);
  altered.replace(altered.find("1300"), 4, "1290");
  for (size_t i = 0; i < kHosts; ++i) {
    for (const std::string& text : {forged, altered}) {
      const auto loaded = load(i, text);
      ASSERT_FALSE(loaded);
      EXPECT_NE(loaded.error().text.find("not signed by the CA"), std::string::npos);
    }
  }
  world.run_for(5s);
  EXPECT_TRUE(all_have(10));
}

TEST_F(NodeSettings, WhatCannotBeUsedIsRefusedWithTheReasonAndChangesNothing) {
  ASSERT_TRUE(load(0, file(10)));
  ASSERT_TRUE(world.run_until([&] { return all_have(10); }, 5s));
  const auto problem_of = [&](const std::string& text) {
    const auto loaded = load(0, text);
    return loaded ? std::string() : loaded.error().text;
  };
  EXPECT_NE(problem_of("{}").find("no file of settings"), std::string::npos);
  EXPECT_NE(problem_of(file(9)).find("older than the settings in use, which are version 10"),
            std::string::npos);
  EXPECT_NE(problem_of(file(10, "{}")).find("sign it again"), std::string::npos);
  EXPECT_EQ(problem_of(file(10)), "") << "the same again is fine";
  EXPECT_NE(problem_of(file(11, R"({"mtu": 9000})")).find("mtu: 9000"), std::string::npos);
  world.run_for(5s);
  EXPECT_TRUE(all_have(10));
  EXPECT_EQ(world.host(0).node().vnet().service().guest_mtu(), 1300);
}

/// A field of a later version of the program, which its nodes understand.
TEST_F(NodeSettings, WhatIsNotUnderstoodIsPassedOnAllTheSame) {
  ASSERT_TRUE(load(0, file(10)));
  ASSERT_TRUE(world.run_until([&] { return all_have(10); }, 5s));
  Node& node = world.host(2).node();
  ASSERT_TRUE(node.recall_settings(world.host(2).now(), file(11, R"({"tftp": "10.128.0.9"})")));
  EXPECT_TRUE(world.run_until([&] { return all_have(11); }, 5s));
  for (size_t i = 0; i < kHosts; ++i) {
    const Node& other = world.host(i).node();
    EXPECT_NE(other.settings_problem().find("tftp"), std::string::npos) << i;
    EXPECT_EQ(other.vnet().service().guest_mtu(), 1300) << "those before are in use";
  }
  ASSERT_TRUE(load(5, file(12, "{}")));
  EXPECT_TRUE(world.run_until([&] { return all_have(12); }, 5s));
  EXPECT_EQ(node.settings_problem(), "");
  EXPECT_EQ(node.vnet().service().guest_mtu(), kGuestMtu) << "back to the port's own";
}

}  // namespace
}  // namespace ipop
