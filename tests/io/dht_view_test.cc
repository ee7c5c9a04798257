#include "overlay/io/dht_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "overlay/sim/world.h"
#include "tests/support/guest_frames.h"

namespace ipop {
namespace {

using testing::HasSubstr;

constexpr Instant kNow{1000s};

Report report() {
  Report out;
  out.host = "alpha";
  out.node = {{0x10}};
  out.dht.is_synchronised = true;
  out.dht.record_count = 300;
  out.dht.records = {{.address = "10.128.0.7",
                      .state = "bound",
                      .ip = *Ipv4Address::parse("10.128.0.7"),
                      .mac = {{0x52, 0x54, 0, 0, 0, 1}},
                      .node = {{0x10}},
                      .host = "alpha",
                      .sequence = 4,
                      .expires = kNow + 60s}};
  out.dht.writers = {{.node = {{0x10}}, .host = "alpha", .records = 300}};
  out.dht.replicas = {{{0x10}}, {{0x20}}};
  out.dht.published = 1;
  out.dht.addresses = 2;
  out.dht.round_trip = 12500us;
  out.dht.counters = {{"asked", 5}, {"failed", 0}};
  return out;
}

TEST(DhtView, PeopleSeeWhatIsKeptForWhom) {
  EXPECT_EQ(
      show_dht(report(), kNow, false),
      "state            synchronised\n"
      "own addresses    2, 1 with a record\n"
      "lookup           12.5 ms\n"
      "replicas with    alpha, 20000000\n"
      "records          300\n"
      "  alpha            10000000   300\n"
      "  ADDRESS            STATE      MAC                HOST             NODE       EXPIRES    SEQUENCE\n"
      "  10.128.0.7         bound      52:54:00:00:00:01  alpha            10000000   60 s       4\n"
      "  and 299 more\n"
      "counters (those not zero)\n"
      "  asked                          5\n");
}

TEST(DhtView, ProgramsGetTheSame) {
  const auto json = boost::json::parse(show_dht(report(), kNow, true)).as_object();
  EXPECT_TRUE(json.at("synchronised").as_bool());
  EXPECT_EQ(json.at("record_count").to_number<int>(), 300);
  EXPECT_EQ(json.at("lookup_ms").as_double(), 12.5);
  const auto& record = json.at("records").as_array().at(0).as_object();
  EXPECT_EQ(record.at("address").as_string(), "10.128.0.7");
  EXPECT_EQ(record.at("expires_s").to_number<int>(), 60);
  EXPECT_EQ(json.at("counters").at("asked").to_number<int>(), 5);
}

TEST(DhtView, ALiveNodeShowsItsGuestsRecords) {
  sim::World world({.seed = 1});
  sim::Host& alpha = world.add_host("alpha");
  sim::Host& beta = world.add_host("beta");
  world.run_for(5s);
  beta.send_frame(test::arp_request(test::kBob, test::kBobIp, test::kBobIp));
  world.run_for(10s);
  const std::string text = show_dht(make_report(alpha.node(), world.now()), world.now(), false);
  EXPECT_THAT(text, HasSubstr("10.128.0.11"));
  EXPECT_THAT(text, HasSubstr("52:54:00:00:00:0b"));
  EXPECT_THAT(text, HasSubstr("beta"));
}

}  // namespace
}  // namespace ipop
