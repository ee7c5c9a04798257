#include "overlay/vnet/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Ipv4Address ip(const char* text) { return *Ipv4Address::parse(text); }
MacAddress mac(const char* text) { return *MacAddress::parse(text); }

Result<Settings, Problem> parse(std::string_view document) {
  return Settings::parse(document, *Ipv4Subnet::parse("10.128.0.0/16"), 1400);
}

TEST(Settings, UnderstandsAll) {
  const auto settings = parse(R"({
    "pool": ["10.128.4.0-10.128.4.99", "10.128.1.0-10.128.1.255"],
    "reservations": [{"mac": "52:54:00:12:34:56", "ip": "10.128.0.10", "name": "vm1"},
                     {"ip": "10.128.1.7", "mac": "52:54:00:AB:CD:EF"}],
    "dns": ["10.128.0.1", "192.0.2.53"],
    "search": ["grid.ipop", "example.org"],
    "ntp": ["10.128.0.20"],
    "mtu": 1380,
    "routes": [{"to": "192.168.7.0/24", "via": "10.128.0.7"}, {"to": "0.0.0.0/0", "via": "10.128.0.8"}]
  })");
  ASSERT_TRUE(settings) << settings.error().text;
  Settings expected;
  expected.pool = {{.first = ip("10.128.1.0"), .last = ip("10.128.1.255")},
                   {.first = ip("10.128.4.0"), .last = ip("10.128.4.99")}};
  expected.reservations = {{mac("52:54:00:12:34:56"), {.ip = ip("10.128.0.10"), .name = "vm1"}},
                           {mac("52:54:00:ab:cd:ef"), {.ip = ip("10.128.1.7"), .name = ""}}};
  expected.reserved = {{ip("10.128.0.10"), mac("52:54:00:12:34:56")},
                       {ip("10.128.1.7"), mac("52:54:00:ab:cd:ef")}};
  expected.dns = {ip("10.128.0.1"), ip("192.0.2.53")};
  expected.search = {"grid.ipop", "example.org"};
  expected.ntp = {ip("10.128.0.20")};
  expected.mtu = 1380;
  expected.routes = {{.to = *Ipv4Subnet::parse("192.168.7.0/24"), .via = ip("10.128.0.7")},
                     {.to = *Ipv4Subnet::parse("0.0.0.0/0"), .via = ip("10.128.0.8")}};
  EXPECT_EQ(*settings, expected);
}

TEST(Settings, AllMayBeLeftOut) {
  const auto settings = parse(" {}\n");
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings, Settings());
  EXPECT_TRUE(parse(R"({"reservations": [], "ntp": [], "routes": []})"));
  EXPECT_EQ(parse(R"({"dns": [], "search": []})")->dns, std::vector<Ipv4Address>())
      << "no server, as opposed to the port's own";
}

TEST(Settings, TheLimitsThemselvesAreAllowed) {
  EXPECT_TRUE(parse(R"({"pool": ["10.128.0.2-10.128.255.254"]})"));
  EXPECT_TRUE(parse(R"({"pool": ["10.128.1.0-10.128.1.7", "10.128.1.8-10.128.1.8"]})")) << "side by side";
  EXPECT_TRUE(parse(R"({"mtu": 1280})"));
  EXPECT_TRUE(parse(R"({"mtu": 1400})"));
  EXPECT_TRUE(parse(R"({"dns": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]})"));
  EXPECT_TRUE(parse(R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.2"},
                                         {"mac": "52:54:00:00:00:02", "ip": "10.128.255.254"}]})"));
}

struct Bad {
  const char* document;
  const char* where;
  const char* what;
};

TEST(Settings, WhatIsWrongIsNamedWithWhatIsAllowed) {
  for (const auto& [document, where, what] : std::initializer_list<Bad>{
           {"", "it is no JSON, in line 1", ""},
           {"{\n\"mtu\": 1300,\n}", "it is no JSON, in line 3", ""},
           {"{} {}", "it is no JSON, in line 1: something follows", ""},
           {"[]", "it is no JSON object", "{\"FIELD\": VALUE, ...}"},
           {R"({"leases": 1})", "leases: there is no such field",
            "pool, reservations, dns, search, ntp, mtu"},
           {R"({"pool": "10.128.1.0-10.128.1.9"})", "pool: \"10.128", "[VALUE, ...]"},
           {R"({"pool": []})", "pool: it is empty", "leave it out"},
           {R"({"pool": ["10.128.1.0"]})", "pool[0]: \"10.128.1.0\"", "within 10.128.0.2-10.128.255.254"},
           {R"({"pool": ["10.128.1.0-10.128.1.9", "10.128.1.0/24"]})", "pool[1]: ", "FIRST-LAST"},
           {R"({"pool": ["10.128.1.9-10.128.1.0"]})", "pool[0]: ", "FIRST-LAST"},
           {R"({"pool": ["10.128.0.1-10.128.0.9"]})", "pool[0]: ", "10.128.0.2-"},
           {R"({"pool": ["10.128.255.0-10.128.255.255"]})", "pool[0]: ", "-10.128.255.254"},
           {R"({"pool": [17]})", "pool[0]: 17 is", "FIRST-LAST"},
           {R"({"pool": ["10.128.1.0-10.128.1.9", "10.128.1.9-10.128.1.12"]})",
            "pool: ", "10.128.1.0-10.128.1.9 and 10.128.1.9-10.128.1.12 overlap"},
           {R"({"reservations": {}})", "reservations: ", "[VALUE, ...]"},
           {R"({"reservations": ["vm1"]})", "reservations[0]: \"vm1\"", "{\"mac\": ..., \"ip\": ...}"},
           {R"({"reservations": [{"mac": "52:54:00:00:00:01"}]})", "reservations[0].ip: it is missing", ""},
           {R"({"reservations": [{"ip": "10.128.0.9"}]})", "reservations[0].mac: it is missing", ""},
           {R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.9", "host": "vm1"}]})",
            "reservations[0].host: there is no such field", "mac, ip, name"},
           {R"({"reservations": [{"mac": "53:54:00:00:00:01", "ip": "10.128.0.9"}]})",
            "reservations[0].mac: \"53:", "52:54:00:12:34:56"},
           {R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.129.0.9"}]})",
            "reservations[0].ip: \"10.129.0.9\"", "10.128.0.2-10.128.255.254"},
           {R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.1"}]})",
            "reservations[0].ip: ", "10.128.0.2-10.128.255.254"},
           {R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.9", "name": "vm 1"}]})",
            "reservations[0].name: \"vm 1\"", "1 to 63 letters, digits and inner hyphens"},
           {R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.9"},
                                 {"mac": "52:54:00:00:00:01", "ip": "10.128.0.8"}]})",
            "reservations[1].mac: ", "has a reservation already"},
           {R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.9"},
                                 {"mac": "52:54:00:00:00:02", "ip": "10.128.0.9"}]})",
            "reservations[1].ip: ", "for another guest already"},
           {R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.9", "name": "vm1"},
                                 {"mac": "52:54:00:00:00:02", "ip": "10.128.0.8", "name": "VM1"}]})",
            "reservations[1].name: ", "for another guest already"},
           {R"({"dns": ["ns.example.org"]})", "dns[0]: \"ns.example.org\"", "192.0.2.53"},
           {R"({"dns": ["0.0.0.0"]})", "dns[0]: ", "192.0.2.53"},
           {R"({"dns": ["127.0.0.1"]})", "dns[0]: ", "192.0.2.53"},
           {R"({"ntp": ["224.0.1.1"]})", "ntp[0]: ", "192.0.2.53"},
           {R"({"ntp": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"]})",
            "ntp: ", "5 entries, and at most 4"},
           {R"({"search": ["example..org"]})", "search[0]: \"example..org\"", "labels"},
           {R"({"search": [""]})", "search[0]: ", "labels"},
           {R"({"mtu": 1401})", "mtu: 1401", "from 1280 to 1400"},
           {R"({"mtu": 1279})", "mtu: 1279", "from 1280 to 1400"},
           {R"({"mtu": "1300"})", "mtu: \"1300\"", "from 1280 to 1400"},
           {R"({"mtu": 1300.5})", "mtu: ", "from 1280 to 1400"},
           {R"({"routes": [{"to": "192.168.7.1/24", "via": "10.128.0.7"}]})",
            "routes[0].to: ", "zeros in the host part"},
           {R"({"routes": [{"to": "10.128.7.0/24", "via": "10.128.0.7"}]})",
            "routes[0].to: ", "not in 10.128.0.0/16"},
           {R"({"routes": [{"to": "192.168.7.0/24", "via": "192.168.7.1"}]})",
            "routes[0].via: ", "10.128.0.2-10.128.255.254"},
       }) {
    const auto settings = parse(document);
    ASSERT_FALSE(settings) << document;
    EXPECT_THAT(settings.error().text, StartsWith(where)) << document;
    EXPECT_THAT(settings.error().text, HasSubstr(what)) << document;
  }
}

TEST(Settings, AFieldThatIsThereTwiceIsNotHalfUsed) {
  for (const char* document :
       {R"({"mtu": 1300, "mtu": 1300})", R"({"pool": [], "p\u006fol": []})",
        R"({"routes": [{"to": "0.0.0.0/0", "via": "10.128.0.7", "via": "10.128.0.8"}]})"}) {
    const auto settings = parse(document);
    ASSERT_FALSE(settings) << document;
    EXPECT_THAT(settings.error().text, HasSubstr("twice")) << document;
  }
  EXPECT_TRUE(parse(R"({"reservations": [{"mac": "52:54:00:00:00:01", "ip": "10.128.0.9"},
                                         {"mac": "52:54:00:00:00:02", "ip": "10.128.0.8"}]})"))
      << "in objects of their own";
}

TEST(Settings, ListsAreBounded) {
  std::string many;
  for (size_t i = 0; i <= Settings::kMaxRoutes; ++i) {
    many += std::string(many.empty() ? "" : ",") + R"({"to": "0.0.0.0/0", "via": "10.128.0.7"})";
  }
  EXPECT_THAT(parse("{\"routes\": [" + many + "]}").error().text, HasSubstr("at most 16"));
  const std::string domain(63, 'a');
  const std::string four = '"' + domain + "." + domain + "." + domain + "." + std::string(60, 'a') + '"';
  EXPECT_TRUE(parse("{\"search\": [" + four + "]}"));
  EXPECT_THAT(parse("{\"search\": [" + four + ", \"b\"]}").error().text, HasSubstr("at most 255"));
  EXPECT_FALSE(parse("{\"search\": [\"" + std::string(64, 'a') + "\"]}"));
  EXPECT_FALSE(parse(std::string(1000, '[')));
}

TEST(Settings, TheSmallestNetworkHasRoomForOne) {
  const auto settings =
      Settings::parse(R"({"pool": ["192.168.7.2-192.168.7.2"]})", *Ipv4Subnet::parse("192.168.7.0/30"), 1400);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->pool.front().size(), 1u);
}

}  // namespace
}  // namespace ipop
