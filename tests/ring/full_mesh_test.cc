#include "overlay/ring/full_mesh.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace ipop {
namespace {

NodeId node(uint16_t number) {
  NodeId out;
  out.bytes[0] = static_cast<uint8_t>(number >> 8);
  out.bytes[1] = static_cast<uint8_t>(number);
  return out;
}
Endpoint at(uint16_t port) { return Endpoint::from_ipv4({0xc0000201}, port); }

constexpr Instant kStart{100s};

class FullMeshTest : public ::testing::Test {
 protected:
  /// Whom to call now.
  std::vector<NodeId> calls(Instant now) {
    std::vector<NodeId> out;
    while (const auto member = mesh_.poll_connect(now)) out.push_back(member->node);
    return out;
  }
  FullMesh mesh_{node(1)};
};

TEST_F(FullMeshTest, CallsWhomItHearsOfOnce) {
  mesh_.handle_heard_of(kStart, node(2), at(2));
  EXPECT_LE(mesh_.next_timeout(), kStart);
  const auto member = mesh_.poll_connect(kStart);
  ASSERT_TRUE(member);
  EXPECT_EQ(member->node, node(2));
  EXPECT_EQ(member->endpoint, at(2));
  mesh_.handle_heard_of(kStart, node(2), at(2));
  EXPECT_TRUE(calls(kStart + 1000s).empty()) << "the call is under way";
  EXPECT_EQ(mesh_.next_timeout(), kNever);
}

TEST_F(FullMeshTest, DoesNotCallItself) {
  mesh_.handle_heard_of(kStart, node(1), at(1));
  EXPECT_TRUE(calls(kStart).empty());
  EXPECT_EQ(mesh_.next_timeout(), kNever);
}

TEST_F(FullMeshTest, NextHopIsTheNodeItselfIfConnected) {
  EXPECT_EQ(mesh_.next_hop(node(2)), std::nullopt);
  mesh_.handle_heard_of(kStart, node(2), at(2));
  EXPECT_EQ(mesh_.next_hop(node(2)), std::nullopt);
  mesh_.handle_connected(node(2), at(2));
  EXPECT_EQ(mesh_.next_hop(node(2)), node(2));
  mesh_.handle_disconnected(kStart, node(2));
  EXPECT_EQ(mesh_.next_hop(node(2)), std::nullopt);
}

TEST_F(FullMeshTest, ConnectedNodesComeInOrder) {
  mesh_.handle_connected(node(9), at(9));
  mesh_.handle_connected(node(3), at(3));
  mesh_.handle_heard_of(kStart, node(5), at(5));
  const auto connected = mesh_.connected();
  ASSERT_EQ(connected.size(), 2u);
  EXPECT_EQ(connected[0].node, node(3));
  EXPECT_EQ(connected[0].endpoint, at(3));
  EXPECT_EQ(connected[1].node, node(9));
}

TEST_F(FullMeshTest, AConnectedNodeIsNotCalled) {  // It called us first.
  mesh_.handle_connected(node(2), at(2));
  mesh_.handle_heard_of(kStart, node(2), at(22));
  EXPECT_TRUE(calls(kStart).empty());
  EXPECT_EQ(mesh_.connected().front().endpoint, at(2)) << "we know better where it is";
}

TEST_F(FullMeshTest, ALostNodeIsCalledAtOnce) {
  mesh_.handle_connected(node(2), at(2));
  mesh_.handle_disconnected(kStart, node(2));
  EXPECT_EQ(calls(kStart), (std::vector{node(2)}));
}

TEST_F(FullMeshTest, PausesDoubleUpToAMinute) {
  Instant now = kStart;
  mesh_.handle_heard_of(now, node(2), at(2));
  for (const Duration pause : std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    ASSERT_EQ(calls(now).size(), 1u);
    now += 10s;  // The call's patience.
    mesh_.handle_unreachable(now, node(2));
    EXPECT_EQ(mesh_.next_timeout(), now + pause);
    EXPECT_TRUE(calls(now + pause - 1us).empty());
    now += pause;
  }
}

TEST_F(FullMeshTest, ANewEndpointIsTriedAtOnce) {
  mesh_.handle_heard_of(kStart, node(2), at(2));
  calls(kStart);
  for (int i = 0; i < 4; ++i) {  // To a pause of 8 s.
    mesh_.handle_unreachable(kStart + i * 20s, node(2));
    calls(kStart + i * 20s + 19s);
  }
  mesh_.handle_unreachable(kStart + 80s, node(2));
  mesh_.handle_heard_of(kStart + 81s, node(2), at(2));
  EXPECT_TRUE(calls(kStart + 81s).empty()) << "the same endpoint is no news";
  mesh_.handle_heard_of(kStart + 82s, node(2), at(22));
  const auto member = mesh_.poll_connect(kStart + 82s);
  ASSERT_TRUE(member);
  EXPECT_EQ(member->endpoint, at(22));
  mesh_.handle_unreachable(kStart + 92s, node(2));
  EXPECT_EQ(mesh_.next_timeout(), kStart + 93s);
}

TEST_F(FullMeshTest, ConnectingForgetsThePauses) {
  mesh_.handle_heard_of(kStart, node(2), at(2));
  for (int i = 0; i < 3; ++i) {
    calls(kStart + i * 60s);
    mesh_.handle_unreachable(kStart + i * 60s, node(2));
  }
  mesh_.handle_connected(node(2), at(2));
  mesh_.handle_disconnected(kStart + 300s, node(2));
  calls(kStart + 300s);
  mesh_.handle_unreachable(kStart + 310s, node(2));
  EXPECT_EQ(mesh_.next_timeout(), kStart + 311s);
}

TEST_F(FullMeshTest, ANodeOfWhichNobodySpeaksIsForgotten) {
  mesh_.handle_heard_of(kStart, node(2), at(2));
  calls(kStart);
  mesh_.handle_unreachable(kStart + 600s - 1us, node(2));
  EXPECT_NE(mesh_.next_timeout(), kNever);
  ASSERT_EQ(calls(kStart + 601s).size(), 1u);
  mesh_.handle_unreachable(kStart + 611s, node(2));
  EXPECT_EQ(mesh_.next_timeout(), kNever);
}

TEST_F(FullMeshTest, ANodeThatOthersSpeakOfIsNot) {
  mesh_.handle_heard_of(kStart, node(2), at(2));
  calls(kStart);
  mesh_.handle_heard_of(kStart + 500s, node(2), at(2));
  mesh_.handle_unreachable(kStart + 700s, node(2));
  EXPECT_EQ(mesh_.next_timeout(), kStart + 701s);
}

TEST_F(FullMeshTest, NewsOfStrangersChangesNothing) {
  mesh_.handle_unreachable(kStart, node(7));
  mesh_.handle_disconnected(kStart, node(7));
  EXPECT_TRUE(calls(kStart).empty());
  mesh_.handle_connected(node(2), at(2));
  mesh_.handle_unreachable(kStart, node(2));  // A call that came too late to matter.
  EXPECT_EQ(mesh_.next_hop(node(2)), node(2));
}

TEST_F(FullMeshTest, KeepsABoundedNumber) {
  for (uint16_t i = 0; i < 2 * kMaxMembers; ++i)
    mesh_.handle_heard_of(kStart, node(static_cast<uint16_t>(10 + i)), at(1));
  EXPECT_EQ(calls(kStart).size(), kMaxMembers);
  mesh_.handle_connected(node(5000), at(1));  // Whoever proved to be a member is never refused.
  EXPECT_EQ(mesh_.next_hop(node(5000)), node(5000));
}

}  // namespace
}  // namespace ipop
