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
  EXPECT_EQ(*show({.mac = kMac, .result = Done{}, .at = node(2)}, false),
            "52:54:00:00:00:01 is expected from beta (02000000)\n");
  EXPECT_EQ(*show({.mac = kMac, .result = Done{}, .at = node(3)}, false),
            "52:54:00:00:00:01 is expected from - (03000000)\n");
  EXPECT_EQ(*show({.mac = kMac, .result = Done{}, .at = {}}, false),
            "52:54:00:00:00:01 is expected; where it is now is being found out\n");
  EXPECT_EQ(*show({.mac = kMac, .result = Done{}, .at = node(1)}, false), "52:54:00:00:00:01 is here\n");
  EXPECT_EQ(
      *show({.mac = kMac, .result = Done{}, .at = node(2)}, true),
      "{\"mac\":\"52:54:00:00:00:01\",\"node\":\"02" + std::string(38, '0') + "\",\"host\":\"beta\"}\n");
  EXPECT_EQ(*show({.mac = kMac, .result = Done{}, .at = {}}, true),
            "{\"mac\":\"52:54:00:00:00:01\",\"node\":\"\",\"host\":\"\"}\n");
}

TEST(AnswerView, WhyAGuestIsNotExpectedIsAProblem) {
  const auto nobody = show({.mac = MacAddress::broadcast(), .result = Error::Malformed, .at = {}}, false);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().text, "ff:ff:ff:ff:ff:ff: no guest can have this address");
  const auto many = show({.mac = kMac, .result = Error::Full, .at = {}}, true);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().text, "52:54:00:00:00:01: too many guests are expected");
}

}  // namespace
}  // namespace ipop
