#include "overlay/io/settings_view.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "overlay/crypto/settings.h"
#include "overlay/sim/world.h"

namespace ipop {
namespace {

Ipv4Subnet subnet() { return *Ipv4Subnet::parse("10.128.0.0/16"); }

Report report(const std::string& document = "{}") {
  Report out;
  out.settings.service = Service::make("grid", subnet(), 42, 1400);
  const auto settings = Settings::parse(document, subnet(), 1400);
  EXPECT_TRUE(settings);
  out.settings.service.settings = std::make_shared<const Settings>(*settings);
  return out;
}

Report full() {
  Report out = report(R"({
    "pool": ["10.128.4.0-10.128.4.99", "10.128.1.0-10.128.1.255"],
    "reservations": [{"mac": "52:54:00:12:34:56", "ip": "10.128.0.10", "name": "vm1"},
                     {"mac": "52:54:00:00:00:01", "ip": "10.128.200.1"}],
    "dns": ["192.0.2.53", "10.128.0.1"],
    "search": ["example.org", "grid.ipop"],
    "ntp": ["10.128.0.20"],
    "mtu": 1300,
    "routes": [{"to": "192.168.7.0/24", "via": "10.128.0.7"}]
  })");
  out.settings.version = 1764086400;
  out.settings.not_given = {*Ipv4Address::parse("10.128.200.1")};
  return out;
}

TEST(SettingsView, PeopleSeeWhatGuestsAreTold) {
  EXPECT_EQ(show_settings(full(), false),
            "version          1764086400, signed 2025-11-25 16:00 UTC\n"
            "pool             10.128.1.0-10.128.1.255, 10.128.4.0-10.128.4.99\n"
            "dns              192.0.2.53, 10.128.0.1\n"
            "search           example.org, grid.ipop\n"
            "ntp              10.128.0.20\n"
            "mtu              1300\n"
            "routes           192.168.7.0/24 via 10.128.0.7\n"
            "reservations     2\n"
            "  52:54:00:12:34:56  10.128.0.10      vm1\n"
            "  52:54:00:00:00:01  10.128.200.1     -  not given here: the certificate does not allow it\n");
}

TEST(SettingsView, WithoutAnyThePortsOwnAreShown) {
  EXPECT_EQ(show_settings(report(), false),
            "version          none: all is as the port has it\n"
            "pool             10.128.0.2-10.128.255.254\n"
            "dns              10.128.0.1\n"
            "search           grid.ipop\n"
            "ntp              -\n"
            "mtu              1400\n"
            "routes           -\n"
            "reservations     0\n");
}

TEST(SettingsView, ProgramsGetTheSame) {
  const auto json = boost::json::parse(show_settings(full(), true));
  EXPECT_EQ(json.at("version").to_number<uint64_t>(), 1764086400u);
  EXPECT_EQ(json.at("problem").as_string(), "");
  EXPECT_EQ(json.at("pool").at(1).as_string(), "10.128.4.0-10.128.4.99");
  EXPECT_EQ(json.at("dns").as_array().size(), 2u);
  EXPECT_EQ(json.at("search").at(0).as_string(), "example.org");
  EXPECT_EQ(json.at("ntp").at(0).as_string(), "10.128.0.20");
  EXPECT_EQ(json.at("mtu").to_number<int>(), 1300);
  EXPECT_EQ(json.at("routes").at(0).at("via").as_string(), "10.128.0.7");
  const auto& reservations = json.at("reservations").as_array();
  ASSERT_EQ(reservations.size(), 2u);
  EXPECT_EQ(reservations[0].at("name").as_string(), "vm1");
  EXPECT_TRUE(reservations[0].at("given").as_bool());
  EXPECT_FALSE(reservations[1].at("given").as_bool());
}

TEST(SettingsView, ANodeSaysWhyThoseThatItKeepsAreNotInUse) {
  sim::World world({.seed = 1});
  sim::Host& alpha = world.add_host("alpha");
  const auto file = [&](uint64_t version, const char* document) {
    return sign_settings(world.authority(), version, document).encode();
  };
  ASSERT_TRUE(alpha.node().load_settings(world.now(), file(1764086400, R"({"mtu": 1300})")));
  ASSERT_TRUE(alpha.node().recall_settings(world.now(), file(1764086460, R"({"tftp": 1})")));
  const Report shown = make_report(alpha.node(), world.now());
  const std::string text = show_settings(shown, false);
  EXPECT_NE(text.find("version          1764086460, signed 2025-11-25 16:01 UTC\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("NOT IN USE       tftp: there is no such field"), std::string::npos) << text;
  EXPECT_NE(text.find("mtu              1300\n"), std::string::npos) << text;
}

TEST(SettingsView, WhoLoadsAFileHearsWhatCameOfIt) {
  const Questions::SettingsLoaded good{.path = "/x", .version = uint64_t{1764086400}, .peers = 3};
  EXPECT_EQ(*show_settings_loaded(good, false),
            "version 1764086400, signed 2025-11-25 16:00 UTC, is in use; peers that are told: 3\n");
  const auto json = boost::json::parse(*show_settings_loaded(good, true));
  EXPECT_EQ(json.at("version").to_number<uint64_t>(), 1764086400u);
  EXPECT_EQ(json.at("peers").to_number<int>(), 3);
  const Questions::SettingsLoaded bad{.path = "/x", .version = Problem{"it is too old"}, .peers = 3};
  const auto refused = show_settings_loaded(bad, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "/x: it is too old");
}

}  // namespace
}  // namespace ipop
