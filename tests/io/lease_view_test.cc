#include "overlay/io/lease_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "overlay/sim/world.h"
#include "tests/vnet/testing.h"

namespace ipop {
namespace {

constexpr Instant kNow{1000s};

Report report() {
  Report out;
  out.leases = {{.mac = {{0x52, 0x54, 0, 0, 0, 1}},
                 .ip = *Ipv4Address::parse("10.128.0.7"),
                 .name = "",
                 .sequence = 2,
                 .expires = kNow - 60s,
                 .is_published = false},
                {.mac = {{0x52, 0x54, 0, 0, 0, 2}},
                 .ip = *Ipv4Address::parse("10.128.0.8"),
                 .name = "vm2",
                 .sequence = 4,
                 .expires = kNow + 3500s,
                 .is_published = true},
                {.mac = {{0x52, 0x54, 0, 0, 0, 3}},
                 .ip = *Ipv4Address::parse("10.128.0.9"),
                 .name = "vm3",
                 .sequence = 1,
                 .expires = kNow + 3599s,
                 .is_published = false}};
  out.reservations = {{.mac = {{0x52, 0x54, 0, 0, 0, 4}},
                       .ip = *Ipv4Address::parse("10.128.0.10"),
                       .is_offered = true,
                       .expires = kNow + 59s},
                      {.mac = {{0x52, 0x54, 0, 0, 0, 5}},
                       .ip = *Ipv4Address::parse("10.128.0.11"),
                       .is_offered = false,
                       .expires = kNow + 60s}};
  return out;
}

TEST(LeaseView, PeopleSeeWhatIsGivenAndWhatIsAboutToBe) {
  EXPECT_EQ(show_leases(report(), kNow, false),
            "  MAC                IP               NAME                 EXPIRES    IN THE DHT SEQUENCE\n"
            "  52:54:00:00:00:02  10.128.0.8       vm2                  58 min     yes        4\n"
            "  52:54:00:00:00:03  10.128.0.9       vm3                  59 min     NO         1\n"
            "  52:54:00:00:00:01  10.128.0.7       -                    ended      -          2\n"
            "reserved for clients that have not taken it yet\n"
            "  52:54:00:00:00:04  10.128.0.10      offered, for 59 s\n"
            "  52:54:00:00:00:05  10.128.0.11      asking the network, for 60 s\n");
  EXPECT_EQ(show_leases(Report(), kNow, false), "");
}

TEST(LeaseView, ProgramsGetTheSame) {
  const auto json = boost::json::parse(show_leases(report(), kNow, true)).as_object();
  const auto& leases = json.at("leases").as_array();
  ASSERT_EQ(leases.size(), 3u);
  EXPECT_EQ(leases[0].at("mac").as_string(), "52:54:00:00:00:02");
  EXPECT_EQ(leases[0].at("ip").as_string(), "10.128.0.8");
  EXPECT_EQ(leases[0].at("name").as_string(), "vm2");
  EXPECT_EQ(leases[0].at("sequence").to_number<int>(), 4);
  EXPECT_EQ(leases[0].at("expires_s").to_number<int>(), 3500);
  EXPECT_TRUE(leases[0].at("published").as_bool());
  EXPECT_FALSE(leases[2].at("living").as_bool());
  EXPECT_EQ(leases[2].at("expires_s").to_number<int>(), 0);
  const auto& reservations = json.at("reservations").as_array();
  ASSERT_EQ(reservations.size(), 2u);
  EXPECT_TRUE(reservations[0].at("offered").as_bool());
  EXPECT_EQ(reservations[1].at("expires_s").to_number<int>(), 60);
}

/// A guest asks, is offered an address, and takes it; the DHT has it a little later.
TEST(LeaseView, ALiveNodeShowsALeaseFromItsOfferOn) {
  sim::World world({.seed = 1});
  sim::Host& alpha = world.add_host("alpha");
  world.add_host("beta");
  world.run_for(12s);
  const auto shown = [&] {
    return boost::json::parse(show_leases(make_report(alpha.node(), world.now()), world.now(), true));
  };
  alpha.send_frame(vnet_testing::dhcp_frame(vnet_testing::dhcp(DhcpMessage::Type::Discover, 1)));
  world.run_for(1s);
  auto json = shown();
  ASSERT_EQ(json.at("reservations").as_array().size(), 1u);
  EXPECT_TRUE(json.at("reservations").at(0).at("offered").as_bool());
  EXPECT_TRUE(json.at("leases").as_array().empty());
  const std::string ip(json.at("reservations").at(0).at("ip").as_string());

  auto request = vnet_testing::dhcp(DhcpMessage::Type::Request, 1);
  request.requested_address = Ipv4Address::parse(ip);
  request.server_id = alpha.node().vnet().service().ip;
  alpha.send_frame(vnet_testing::dhcp_frame(request));
  world.run_for(5s);
  json = shown();
  EXPECT_TRUE(json.at("reservations").as_array().empty());
  ASSERT_EQ(json.at("leases").as_array().size(), 1u);
  EXPECT_EQ(json.at("leases").at(0).at("ip").as_string(), ip);
  EXPECT_TRUE(json.at("leases").at(0).at("published").as_bool());
}

}  // namespace
}  // namespace ipop
