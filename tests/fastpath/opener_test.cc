#include "overlay/fastpath/opener.h"

#include <gtest/gtest.h>

#include "overlay/fastpath/sealer.h"
#include "overlay/wire/checksum.h"
#include "tests/fastpath/frames.h"
#include "tests/support/allocations.h"
#include "tests/support/fast_path.h"

namespace ipop {
namespace {

using test::ethernet;
using test::kElsewhere;
using test::kGuest1;
using test::kGuest2;
using test::kGuest3;
using test::kTheirEndpoint;

class OpenerTest : public ::testing::Test {
 protected:
  OpenerTest() {
    peer_ = path_.add_peer(ends_, kTheirEndpoint, kGuest2);
    path_.add_peer(other_ends_, kElsewhere, kGuest3);
    path_.now = Instant{200s};
  }
  Bytes from_them(const Bytes& frame) { return test::seal(*ends_.them, frame); }

  test::FastPath path_;
  test::KeypairEnds ends_{1, 0x100, 0x200};
  test::KeypairEnds other_ends_{2, 0x101, 0x201};
  uint32_t peer_;
};

TEST_F(OpenerTest, GivesTheSwitchAFrameOfALiveSession) {
  const Bytes frame = ethernet(kGuest1, kGuest2, 100);
  EXPECT_EQ(path_.open(kTheirEndpoint, from_them(frame)), frame);
  EXPECT_TRUE(path_.inbox.empty()) << "the core hears nothing of it";
  EXPECT_EQ(path_.counters.rx_datagrams, 1u);
  EXPECT_EQ(ends_.our_activity->rx_frames, 1u);
  EXPECT_EQ(ends_.our_activity->rx_bytes, 100u);
  EXPECT_EQ(ends_.our_activity->last_received, Instant{200s}.time_since_epoch().count());
}

TEST_F(OpenerTest, ReplayedDatagramsAreCounted) {
  const Bytes datagram = from_them(ethernet(kGuest1, kGuest2, 100));
  EXPECT_FALSE(path_.open(kTheirEndpoint, datagram).empty());
  path_.now += 1s;
  EXPECT_TRUE(path_.open(kTheirEndpoint, datagram).empty());
  EXPECT_TRUE(path_.open(kElsewhere, datagram).empty());
  EXPECT_EQ(path_.refused.get(Error::Replayed), 2u);
  EXPECT_EQ(ends_.our_activity->last_received, Instant{200s}.time_since_epoch().count()) << "no sign of life";
  EXPECT_TRUE(path_.inbox.empty()) << "nor of a move";
}

TEST_F(OpenerTest, ForgedDatagramsAreCounted) {
  const Bytes genuine = from_them(ethernet(kGuest1, kGuest2, 60));
  for (size_t i = 8; i < genuine.size(); ++i) {
    Bytes forged = genuine;
    forged[i] ^= 1;
    EXPECT_TRUE(path_.open(kTheirEndpoint, forged).empty());
  }
  EXPECT_EQ(path_.refused.get(Error::BadAuthTag), genuine.size() - 8);
  EXPECT_EQ(ends_.our_activity->rx_frames, 0u);
  EXPECT_TRUE(path_.inbox.empty());
  EXPECT_FALSE(path_.open(kTheirEndpoint, genuine).empty());
}

TEST_F(OpenerTest, EveryTruncationIsRefused) {
  const Bytes genuine = from_them(ethernet(kGuest1, kGuest2, 60));
  for (size_t n = 0; n < genuine.size(); ++n) {
    EXPECT_TRUE(path_.open(kTheirEndpoint, ByteView(genuine).first(n)).empty());
  }
  EXPECT_EQ(path_.refused.get(Error::Malformed), 32u);
  EXPECT_EQ(path_.refused.get(Error::BadAuthTag), genuine.size() - 32);
  EXPECT_TRUE(path_.inbox.empty());
}

TEST_F(OpenerTest, TheNoiseOfTheInternetEndsHere) {
  EXPECT_TRUE(path_.open(kElsewhere, {}).empty());
  EXPECT_TRUE(path_.open(kElsewhere, Bytes{9, 0, 0, 0, 1, 2, 3}).empty());
  EXPECT_TRUE(path_.open(kElsewhere, as_bytes("GET / HTTP/1.1\r\n")).empty());
  EXPECT_EQ(path_.refused.get(Error::Malformed), 2u);
  EXPECT_EQ(path_.refused.get(Error::UnknownType), 1u);
  EXPECT_TRUE(path_.inbox.empty());
}

TEST_F(OpenerTest, HandshakesGoToTheCore) {
  for (const uint8_t type : Bytes{1, 2, 3, 6, 7}) {
    const Bytes datagram = {type, 0, 0, 0, 5};
    EXPECT_TRUE(path_.open(kElsewhere, datagram).empty());
    EXPECT_EQ(path_.inbox.datagrams.back().bytes, datagram);
    EXPECT_EQ(path_.inbox.datagrams.back().from, kElsewhere);
  }
  EXPECT_EQ(path_.inbox.datagrams.size(), 5u);
}

TEST_F(OpenerTest, WhatIsTooLongForAHandshakeIsNone) {
  Bytes datagram(wire::kMaxHandshakeSize);
  datagram[0] = 1;
  EXPECT_TRUE(path_.open(kElsewhere, datagram).empty());
  EXPECT_EQ(path_.inbox.datagrams.size(), 1u);
  datagram.push_back(0);
  EXPECT_TRUE(path_.open(kElsewhere, datagram).empty());
  EXPECT_EQ(path_.inbox.datagrams.size(), 1u);
  EXPECT_EQ(path_.refused.get(Error::Malformed), 1u);
}

TEST_F(OpenerTest, SessionsItDoesNotKnowGoToTheCore) {
  path_.snapshot.receiving.clear();
  const Bytes datagram = from_them(ethernet(kGuest1, kGuest2, 60));
  EXPECT_TRUE(path_.open(kTheirEndpoint, datagram).empty());
  ASSERT_EQ(path_.inbox.datagrams.size(), 1u);
  EXPECT_EQ(path_.inbox.datagrams[0].bytes, datagram) << "sealed: it may hold the key";
}

TEST_F(OpenerTest, ControlGoesToTheCoreOpened) {
  const Bytes plaintext = {1, 2, 3};
  EXPECT_TRUE(path_.open(kTheirEndpoint, test::seal(*ends_.them, plaintext, wire::Type::Control)).empty());
  ASSERT_EQ(path_.inbox.openeds.size(), 1u);
  EXPECT_EQ(path_.inbox.openeds[0].local_index, 0x100u);
  EXPECT_EQ(path_.inbox.openeds[0].from, kTheirEndpoint);
  EXPECT_EQ(path_.inbox.openeds[0].type, wire::Type::Control);
  EXPECT_EQ(path_.inbox.openeds[0].plaintext, plaintext);
  EXPECT_EQ(ends_.our_activity->last_received, Instant{200s}.time_since_epoch().count());
  EXPECT_EQ(ends_.our_activity->rx_frames, 0u);
}

TEST_F(OpenerTest, APeerThatMovedIsReportedAndServed) {
  const Bytes frame = ethernet(kGuest1, kGuest2, 100);
  EXPECT_EQ(path_.open(kElsewhere, from_them(frame)), frame);
  EXPECT_EQ(path_.inbox.receiveds, (std::vector<test::RecordingInbox::Received>{{0x100, kElsewhere}}));
}

TEST_F(OpenerTest, TheFirstFrameUnderAnUnconfirmedKeypairIsReported) {
  path_.snapshot.receiving[0x100].unconfirmed = true;
  EXPECT_FALSE(path_.open(kTheirEndpoint, from_them(ethernet(kGuest1, kGuest2, 100))).empty());
  EXPECT_EQ(path_.inbox.receiveds, (std::vector<test::RecordingInbox::Received>{{0x100, kTheirEndpoint}}));
}

// A member may say that a guest lives at its host, but the core must agree before the switch learns it.
TEST_F(OpenerTest, FramesWithASourceThatIsNotThePeersGoToTheCore) {
  const MacAddress stranger = {{0x52, 0x54, 0, 9, 9, 9}};
  for (const MacAddress& source : {kGuest1, kGuest3, stranger, MacAddress::broadcast(), MacAddress{}}) {
    const Bytes frame = ethernet(kGuest1, source, 60);
    EXPECT_TRUE(path_.open(kTheirEndpoint, from_them(frame)).empty()) << source.to_string();
    ASSERT_FALSE(path_.inbox.openeds.empty());
    EXPECT_EQ(path_.inbox.openeds.back().plaintext, frame);
    EXPECT_EQ(path_.inbox.openeds.back().type, wire::Type::Data);
  }
  EXPECT_EQ(path_.inbox.openeds.size(), 5u);
}

TEST_F(OpenerTest, FramesForAGuestThatHasLeftGoToTheCore) {  // Which passes them on.
  path_.snapshot.departed = {kGuest3};
  const Bytes frame = ethernet(kGuest3, kGuest2, 60);
  EXPECT_TRUE(path_.open(kTheirEndpoint, from_them(frame)).empty());
  ASSERT_EQ(path_.inbox.openeds.size(), 1u);
  EXPECT_EQ(path_.inbox.openeds.back().plaintext, frame);
}

TEST_F(OpenerTest, SealedScrapsAreRefused) {  // Even a member's.
  for (size_t n = 0; n < 14; ++n) EXPECT_TRUE(path_.open(kTheirEndpoint, from_them(Bytes(n))).empty());
  EXPECT_EQ(path_.refused.get(Error::Malformed), 14u);
  EXPECT_TRUE(path_.inbox.empty());
}

TEST_F(OpenerTest, FramesTooLargeToCarryAreRefusedUnopened) {
  const Bytes largest = ethernet(kGuest1, kGuest2, kMaxCarriedFrame);
  EXPECT_EQ(path_.open(kTheirEndpoint, from_them(largest)), largest);
  EXPECT_TRUE(
      path_.open(kTheirEndpoint, from_them(ethernet(kGuest1, kGuest2, kMaxCarriedFrame + 1))).empty());
  EXPECT_TRUE(path_.open(kTheirEndpoint, from_them(ethernet(kGuest1, kGuest2, 60'000))).empty());
  EXPECT_EQ(path_.refused.get(Error::Malformed), 2u);
}

/// What the last datagram had is no reason to believe the next one.
TEST_F(OpenerTest, DatagramsOfOneCallMayHaveNothingInCommon) {
  const OpenContext context = path_.opening();
  Bytes out(kMaxCarriedFrame);
  {
    Opener opener(context);
    const auto opens = [&](test::KeypairEnds& ends, const Endpoint& from, const MacAddress& guest) {
      const auto frame = opener.open(from, test::seal(*ends.them, ethernet(kGuest1, guest, 100)), out);
      return frame && frame->bytes.size() == 100;
    };
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(opens(ends_, kTheirEndpoint, kGuest2));
      EXPECT_TRUE(opens(other_ends_, kElsewhere, kGuest3));
      EXPECT_TRUE(opens(other_ends_, kElsewhere, kGuest3));
      EXPECT_FALSE(opens(other_ends_, kElsewhere, kGuest2)) << "that one is elsewhere";
      EXPECT_FALSE(opens(ends_, kTheirEndpoint, kGuest3));
    }
    EXPECT_FALSE(opener.open(kTheirEndpoint, Bytes(100, 4), out)) << "not even a type";
    EXPECT_TRUE(opens(ends_, kTheirEndpoint, kGuest2));
  }
  EXPECT_EQ(ends_.our_activity->rx_frames, 7u);
  EXPECT_EQ(other_ends_.our_activity->rx_frames, 9u);
  EXPECT_EQ(other_ends_.our_activity->rx_bytes, 900u);
  EXPECT_EQ(path_.counters.rx_datagrams, 16u);
}

TEST_F(OpenerTest, SaysWhichChecksumsAreOpenAndCompletesThemForTheCore) {
  Bytes frame = test::FrameSpec{.payload = test::pattern(100)}.build();  // From guest 1 to guest 2.
  std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
  Bytes whole = frame;
  ASSERT_TRUE(complete_checksum(whole));
  const auto datagram = [&](uint8_t flags) {
    Bytes out(frame.size() + Keypair::kOverhead);
    ends_.them->seal_frame(*ends_.them->reserve(1), flags, frame, out.data());
    return out;
  };
  const OpenContext context = path_.opening();
  Bytes out(kMaxCarriedFrame);
  for (const uint8_t flags : Bytes{0, wire::DataHeader::kPartialChecksum}) {
    const auto opened = Opener(context).open(kTheirEndpoint, datagram(flags), out);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(std::equal(frame.begin(), frame.end(), opened->bytes.begin(), opened->bytes.end()));
    EXPECT_EQ(opened->partial_checksum, flags != 0);
  }
  Bytes forged = datagram(0);
  forged[1] = wire::DataHeader::kPartialChecksum;  // The flags are under the seal.
  EXPECT_FALSE(Opener(context).open(kTheirEndpoint, forged, out));
  EXPECT_EQ(path_.refused.get(Error::BadAuthTag), 1u);

  path_.snapshot.departed = {kGuest1};
  EXPECT_FALSE(Opener(context).open(kTheirEndpoint, datagram(wire::DataHeader::kPartialChecksum), out));
  ASSERT_EQ(path_.inbox.openeds.size(), 1u);
  EXPECT_EQ(path_.inbox.openeds[0].plaintext, whole);
}

TEST_F(OpenerTest, SlicesBecomeAFrameThatIsLookedAtAsAnyOther) {
  const auto sliced = [&](const Bytes& frame) {
    std::vector<Bytes> out;
    const uint64_t first = *ends_.them->reserve(3);
    for (size_t i = 0; i < 3; ++i) {
      Bytes& one = out.emplace_back(Keypair::slice_datagram_size(frame.size(), 3));
      one.resize(ends_.them->seal_slice(first + i, 0, frame, i, 3, one.data()));
    }
    return out;
  };
  const Bytes frame = ethernet(kGuest1, kGuest2, 3001);
  const auto slices = sliced(frame);
  EXPECT_TRUE(path_.open(kTheirEndpoint, slices[0]).empty());
  EXPECT_TRUE(path_.open(kTheirEndpoint, slices[2]).empty());
  EXPECT_EQ(path_.open(kTheirEndpoint, slices[1]), frame);
  EXPECT_TRUE(path_.inbox.empty());
  EXPECT_EQ(path_.counters.rx_datagrams, 3u);
  EXPECT_EQ(ends_.our_activity->rx_frames, 3u) << "what trials of trains count are datagrams";

  const Bytes foreign = ethernet(kGuest1, kGuest3, 3001);  // From a guest that is elsewhere.
  for (const Bytes& slice : sliced(foreign)) EXPECT_TRUE(path_.open(kTheirEndpoint, slice).empty());
  ASSERT_EQ(path_.inbox.openeds.size(), 1u);
  EXPECT_EQ(path_.inbox.openeds[0].plaintext, foreign);

  for (const Bytes& slice : sliced(Bytes(13))) path_.open(kTheirEndpoint, slice);
  EXPECT_EQ(path_.refused.get(Error::Malformed), 1u) << "no frame";
  EXPECT_TRUE(path_.open(kElsewhere, sliced(frame)[0]).empty());
  EXPECT_EQ(path_.inbox.receiveds.size(), 1u) << "a slice says as much of the path as a frame";
}

TEST_F(OpenerTest, SlicesThatContradictEachOtherAreRefused) {
  const Bytes frame = ethernet(kGuest1, kGuest2, 2000);
  const uint64_t counter = *ends_.them->reserve(3);
  const auto seal = [&](uint64_t at, const Bytes& whole, size_t index, size_t count) {
    Bytes out(Keypair::slice_datagram_size(whole.size(), count));
    out.resize(ends_.them->seal_slice(at, 0, whole, index, count, out.data()));
    return out;
  };
  EXPECT_TRUE(path_.open(kTheirEndpoint, seal(counter, frame, 0, 2)).empty());
  EXPECT_TRUE(path_.open(kTheirEndpoint, seal(counter + 1, frame, 1, 3)).empty());
  EXPECT_EQ(path_.refused.get(Error::Malformed), 1u);
}

TEST_F(OpenerTest, TakesNothingFromTheHeapInTheSteadyState) {
  std::vector<Bytes> datagrams;
  for (int i = 0; i < 100; ++i) datagrams.push_back(from_them(ethernet(kGuest1, kGuest2, 1400)));
  Bytes out(kMaxCarriedFrame);
  const OpenContext context = path_.opening();
  {
    Opener opener(context);
    (void)opener.open(kTheirEndpoint, datagrams[0], out);
    const uint64_t before = test::allocations();
    for (const Bytes& datagram : datagrams) (void)opener.open(kTheirEndpoint, datagram, out);
    EXPECT_EQ(test::allocations(), before);
  }
  EXPECT_EQ(path_.counters.rx_datagrams, 100u);
  EXPECT_EQ(path_.refused.get(Error::Replayed), 1u);
}

}  // namespace
}  // namespace ipop
