#include "overlay/ring/distance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/ring/testing.h"

namespace ipop {
namespace {

using ring_testing::random_node;

NodeId node(const std::string& hex) {
  NodeId out;
  const Bytes bytes = *from_hex(hex);
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  return out;
}
std::string hex(const Distance& distance) { return to_hex(distance.bytes); }

const std::string kZero = "0000000000000000000000000000000000000000";
const std::string kOne = "0000000000000000000000000000000000000001";
const std::string kHalf = "8000000000000000000000000000000000000000";
const std::string kBelowHalf = "7fffffffffffffffffffffffffffffffffffffff";
const std::string kAboveHalf = "8000000000000000000000000000000000000001";
const std::string kLast = "ffffffffffffffffffffffffffffffffffffffff";

struct Case {
  std::string from, to, clockwise, shorter;
};

const std::vector<Case> kCases = {
    {kZero, kZero, kZero, kZero},
    {kLast, kLast, kZero, kZero},
    {kZero, kOne, kOne, kOne},
    {kOne, kZero, kLast, kOne},
    {kLast, kZero, kOne, kOne},  // Over the top of the circle.
    {kZero, kLast, kLast, kOne},
    {kZero, kHalf, kHalf, kHalf},  // Opposite: both ways are equally long.
    {kHalf, kZero, kHalf, kHalf},
    {kZero, kBelowHalf, kBelowHalf, kBelowHalf},
    {kZero, kAboveHalf, kAboveHalf, kBelowHalf},
    // Each octet borrows from the one before.
    {"00000000000000000000000000000000000000ff", "0000000000000000000000000000000000000100", kOne, kOne},
    {kOne, "0100000000000000000000000000000000000000", "00ffffffffffffffffffffffffffffffffffffff",
     "00ffffffffffffffffffffffffffffffffffffff"},
    {"f000000000000000000000000000000000000000", "1000000000000000000000000000000000000000",
     "2000000000000000000000000000000000000000", "2000000000000000000000000000000000000000"},
};

TEST(Distance, BoundaryCases) {
  for (const auto& [from, to, clockwise, shorter] : kCases) {
    EXPECT_EQ(hex(clockwise_distance(node(from), node(to))), clockwise) << from << " to " << to;
    EXPECT_EQ(hex(ring_distance(node(from), node(to))), shorter) << from << " and " << to;
    EXPECT_EQ(clockwise_of(node(from), clockwise_distance(node(from), node(to))), node(to));
  }
}

TEST(Distance, OfRandomNodesObeysTheCircle) {
  SeededRandom random(1);
  const NodeId zero;
  for (int i = 0; i < 10'000; ++i) {
    const NodeId a = random_node(random), b = random_node(random), c = random_node(random);
    const Distance ab = clockwise_distance(a, b), ba = clockwise_distance(b, a);
    // The two directions add up to 2^160, which is nothing on the circle.
    EXPECT_EQ(clockwise_of(clockwise_of(a, ab), ba), a);
    EXPECT_EQ(clockwise_of(a, ab), b);
    EXPECT_EQ(ring_distance(a, b), ring_distance(b, a));
    EXPECT_EQ(ring_distance(a, b), std::min(ab, ba));
    EXPECT_LE(ring_distance(a, b).bytes[0], 0x80);
    // By way of a third node it is as far, perhaps with a turn more.
    EXPECT_EQ(clockwise_of(clockwise_of(a, clockwise_distance(a, c)), clockwise_distance(c, b)), b);
    // Turning the circle changes no distance.
    const Distance turn = clockwise_distance(zero, c);
    EXPECT_EQ(clockwise_distance(clockwise_of(a, turn), clockwise_of(b, turn)), ab);
  }
}

TEST(Distance, ComparesAsANumber) {
  const NodeId zero;
  const auto length = [&](const std::string& text) { return clockwise_distance(zero, node(text)); };
  EXPECT_LT(length(kZero), length(kOne));
  EXPECT_LT(length("00000000000000000000000000000000000000ff"),
            length("0000000000000000000000000000000000000100"));
  EXPECT_LT(length(kBelowHalf), length(kHalf));
  EXPECT_LT(length(kHalf), length(kLast));
}

TEST(Distance, IsAShareOfTheRing) {
  const NodeId zero;
  const auto share = [&](const std::string& text) { return clockwise_distance(zero, node(text)).fraction(); };
  EXPECT_EQ(share(kZero), 0.0);
  EXPECT_EQ(share(kHalf), 0.5);
  EXPECT_EQ(share("4000000000000000000000000000000000000000"), 0.25);
  EXPECT_EQ(share("c000000000000000000000000000000000000000"), 0.75);
  EXPECT_EQ(share("0000000000000001000000000000000000000000"), std::ldexp(1.0, -64));
}

TEST(Distance, OfAShareIsTheInverse) {
  EXPECT_EQ(hex(Distance::from_fraction(0.5)), kHalf);
  EXPECT_EQ(hex(Distance::from_fraction(0.75)), "c000000000000000000000000000000000000000");
  EXPECT_EQ(hex(Distance::from_fraction(std::ldexp(1.0, -64))), "0000000000000001000000000000000000000000");
  for (const double share : {1e-15, 1e-9, 0.001, 1.0 / 3, 0.1, 0.4999, 0.9, 0.999999}) {
    // To 64 bits of the ring, and to the 53 that a double has.
    EXPECT_NEAR(Distance::from_fraction(share).fraction(), share,
                std::ldexp(1.0, -64) + share * std::ldexp(1.0, -52));
  }
}

TEST(Distance, OfNoShareIsTheNearestThereIs) {
  EXPECT_EQ(hex(Distance::from_fraction(0.0)), kZero);
  EXPECT_EQ(hex(Distance::from_fraction(-1.0)), kZero);
  EXPECT_EQ(hex(Distance::from_fraction(std::nan(""))), kZero);
  EXPECT_EQ(hex(Distance::from_fraction(1.0)), kLast);
  EXPECT_EQ(hex(Distance::from_fraction(2.0)), kLast);
}

TEST(Distance, IsAlwaysLessThanTheWholeRing) {
  const NodeId zero;
  EXPECT_LT(clockwise_distance(zero, node(kLast)).fraction(), 1.0) << "[0, 1), says distance.h";
}

}  // namespace
}  // namespace ipop
