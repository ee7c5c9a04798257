// Frames that do not fit the path.
#include "overlay/link/links.h"

#include <gtest/gtest.h>

#include "overlay/wire/ring_message.h"
#include "tests/support/sites.h"

namespace ipop {
namespace {

using test::Flight;
using test::Pair;

struct LinksWithLargeFrames : ::testing::Test {
  /// A frame of so many octets from alpha arrives at beta, whole.
  bool crosses(size_t size) {
    Bytes frame(size);
    SeededRandom(size).fill(frame);
    const size_t before = pair.beta.events.size();
    if (!pair.alpha.links().send_frame(pair.now, pair.beta.id(), frame)) return false;
    pair.settle();
    return std::any_of(pair.beta.events.begin() + static_cast<ptrdiff_t>(before), pair.beta.events.end(),
                       [&](const auto& event) {
                         const auto* arrived = std::get_if<Links::Frame>(&event);
                         return arrived && arrived->frame == frame;
                       });
  }
  size_t max_datagram() { return pair.alpha.link_to(pair.beta)->max_datagram(); }
  /// The path loses what is larger, from now on.
  void narrow(size_t size) {
    pair.loses = [this, size](const Flight& flight) {
      largest = std::max(largest, flight.bytes.size());
      return flight.bytes.size() > size;
    };
  }

  Pair pair;
  size_t largest = 0;  ///< Datagram that was sent.
};

TEST_F(LinksWithLargeFrames, OneThatFitsEveryPathCostsNothing) {
  pair.connect();
  narrow(1500);
  EXPECT_TRUE(crosses(1168));
  EXPECT_EQ(largest, 1200u);
  EXPECT_EQ(max_datagram(), 1200u);
}

TEST_F(LinksWithLargeFrames, TheFirstIsSlicedAndThePathIsProbed) {
  pair.connect();
  const uint64_t version = pair.alpha.links().version();
  narrow(1500);
  EXPECT_TRUE(crosses(1418));
  EXPECT_EQ(max_datagram(), 1452u);
  EXPECT_GT(pair.alpha.links().version(), version) << "the fast path has to know";
  EXPECT_EQ(pair.beta.link_to(pair.alpha)->max_datagram(), 1200u) << "the way back is another";
  EXPECT_EQ(pair.alpha.log.count("carries datagrams of 1452 octets"), 1u);
  const uint64_t sent = pair.alpha.link_to(pair.beta)->activity()->tx_frames;
  EXPECT_TRUE(crosses(1418));
  EXPECT_EQ(pair.alpha.link_to(pair.beta)->activity()->tx_frames, sent + 1) << "whole";
  EXPECT_TRUE(crosses(kMaxCarriedFrame)) << "in slices, however large";
}

TEST_F(LinksWithLargeFrames, ANarrowPathLosesNone) {
  pair.connect();
  narrow(1300);
  EXPECT_TRUE(crosses(1418));
  pair.advance(20s);
  EXPECT_EQ(max_datagram(), 1300u);
  EXPECT_TRUE(crosses(1418));
  EXPECT_TRUE(pair.can_send(pair.alpha, pair.beta)) << "probes that are lost are no sign of death";
}

TEST_F(LinksWithLargeFrames, APathThatBecomesNarrowIsFoundOut) {
  pair.connect();
  EXPECT_TRUE(crosses(1418));
  EXPECT_EQ(max_datagram(), 1452u);
  narrow(1260);
  EXPECT_FALSE(crosses(1418));
  for (int i = 0; i < 60; ++i) {  // A minute of small frames.
    EXPECT_TRUE(crosses(100));
    pair.advance(1s);
    pair.alpha.links().look(pair.now);
  }
  EXPECT_EQ(max_datagram(), 1252u);
  EXPECT_TRUE(crosses(1418));
}

TEST_F(LinksWithLargeFrames, TheFastPathsWordIsEnough) {
  pair.connect();
  pair.alpha.links().handle_too_big(pair.now, pair.beta.id());
  pair.settle();
  EXPECT_EQ(max_datagram(), 1452u);
}

TEST_F(LinksWithLargeFrames, TheRingCarriesSlicesAndIsNotProbed) {
  pair.connect_over_ring();
  narrow(1500);
  EXPECT_TRUE(crosses(1418));
  EXPECT_LE(largest, kMaxCarriedDatagram);
  EXPECT_EQ(max_datagram(), kMaxCarriedDatagram);
  // With all that a Routed, a Carried and the seal of a link add, it fits every path.
  const wire::Carried carried{.datagram = Bytes(kMaxCarriedDatagram)};
  wire::Routed routed;
  routed.via = NodeId{};
  routed.body = encode_ring_message(carried);
  EXPECT_LE(encode_control(routed).size() + Keypair::kOverhead, PathMtu::kBase);
}

}  // namespace
}  // namespace ipop
