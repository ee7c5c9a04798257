#include "overlay/io/answer_view.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

constexpr MacAddress kMac{{0x52, 0x54, 0, 0, 0, 1}};

NodeId node(uint8_t n) {
  NodeId out;
  out.bytes[0] = n;
  return out;
}

/// Of node 1, which knows node 2 as beta.
Report report() {
  Report out;
  out.node = node(1);
  Report::Peer& peer = out.peers.emplace_back();
  peer.node = node(2);
  peer.host = "beta";
  return out;
}

Result<std::string, Problem> show(const Questions::GuestExpected& expected, bool json) {
  return show_answer(report(), expected, json);
}

TEST(AnswerView, WhereAGuestIsExpectedFromIsSaid) {
  EXPECT_EQ(*show({.guest = {.mac = kMac}, .result = Done{}, .at = node(2)}, false),
            "52:54:00:00:00:01 is expected from beta (02000000)\n");
  EXPECT_EQ(*show({.guest = {.mac = kMac}, .result = Done{}, .at = node(3)}, false),
            "52:54:00:00:00:01 is expected from - (03000000)\n");
  EXPECT_EQ(*show({.guest = {.mac = kMac}, .result = Done{}, .at = {}}, false),
            "52:54:00:00:00:01 is expected; where it is now is being found out\n");
  EXPECT_EQ(*show({.guest = {.mac = kMac}, .result = Done{}, .at = node(1)}, false),
            "52:54:00:00:00:01 is here\n");
  EXPECT_EQ(*show({.guest = {.mac = kMac}, .result = Done{}, .at = node(2)}, true),
            "{\"mac\":\"52:54:00:00:00:01\",\"node\":\"02" + std::string(38, '0') +
                "\",\"host\":\"beta\",\"ip\":\"\",\"name\":\"\"}\n");
  const Introduction web{.mac = kMac, .ip = Ipv4Address{0x0a800009}, .name = "web"};
  EXPECT_EQ(*show({.guest = web, .result = Done{}, .at = {}}, false),
            "52:54:00:00:00:01 is expected; where it is now is being found out; DHCP gives it 10.128.0.9; "
            "its name is "
            "web\n");
  EXPECT_THAT(*show({.guest = web, .result = Done{}, .at = {}}, true),
              testing::HasSubstr("\"ip\":\"10.128.0.9\",\"name\":\"web\""));
  EXPECT_EQ(*show({.guest = {.mac = kMac}, .result = Done{}, .at = {}}, true),
            "{\"mac\":\"52:54:00:00:00:01\",\"node\":\"\",\"host\":\"\",\"ip\":\"\",\"name\":\"\"}\n");
}

TEST(AnswerView, WhyAGuestIsNotExpectedIsAProblem) {
  const auto refused = show({.guest = {.mac = kMac}, .result = Problem{"there is no room"}, .at = {}}, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "52:54:00:00:00:01: there is no room");
}

}  // namespace
}  // namespace ipop
