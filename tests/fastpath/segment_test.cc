#include "overlay/fastpath/segment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "overlay/base/random.h"
#include "tests/fastpath/cutting.h"
#include "tests/fastpath/frames.h"

namespace ipop {
namespace {

using test::FrameSpec;
using test::kAck;
using test::kCwr;
using test::kEce;
using test::kFin;
using test::kPsh;
using test::kRst;
using test::kSyn;
using test::kUrg;
using test::pattern;
using test::u16_at;
using test::u32_at;

bool accepts(Bytes frame, size_t segment_size) { return Segmenter::parse(frame, segment_size).has_value(); }

/// What a receiver sees: checks every frame by itself and returns the payload joined by sequence number.
Bytes receive(const FrameSpec& spec, const std::vector<Bytes>& frames, size_t segment_size) {
  const Bytes super = spec.build();
  const size_t ip = spec.network_offset(), tcp = spec.transport_offset(), data = spec.header_size();
  Bytes joined;
  for (size_t i = 0; i < frames.size(); ++i) {
    const Bytes& frame = frames[i];
    const bool first = i == 0, last = i + 1 == frames.size();
    SCOPED_TRACE(i);
    if (frame.size() < data) {
      ADD_FAILURE() << "shorter than its headers";
      return {};
    }
    EXPECT_LE(frame.size() - data, segment_size);
    EXPECT_TRUE(last || frame.size() == data + segment_size);
    EXPECT_TRUE(frames.size() == 1 || frame.size() > data);

    // Network layer: the packet ends where the frame ends, and the header verifies.
    if (spec.ipv6) {
      EXPECT_EQ(u16_at(frame, ip + 4), frame.size() - ip - 40);
    } else {
      EXPECT_EQ(u16_at(frame, ip + 2), frame.size() - ip);
      EXPECT_EQ(u16_at(frame, ip + 4), static_cast<uint16_t>(spec.id + i));
      EXPECT_EQ(test::naive_checksum(ByteView(frame).subspan(ip, tcp - ip)), 0);
    }
    // Transport layer.
    EXPECT_EQ(test::naive_checksum(
                  test::covered(spec.ipv6, ByteView(frame).subspan(ip), 6, ByteView(frame).subspan(tcp))),
              0);
    EXPECT_EQ(u32_at(frame, tcp + 4), static_cast<uint32_t>(spec.sequence + joined.size()));
    uint8_t flags = spec.flags;
    if (!first) flags &= static_cast<uint8_t>(~kCwr);
    if (!last) flags &= static_cast<uint8_t>(~(kFin | kPsh));
    EXPECT_EQ(frame[tcp + 13], flags);

    // All the rest of the headers is the super-frame's.
    Bytes same = frame;
    same.resize(data);
    const auto restore = [&](size_t at, size_t n) {
      std::copy_n(super.begin() + static_cast<ptrdiff_t>(at), n, same.begin() + static_cast<ptrdiff_t>(at));
    };
    if (spec.ipv6) {
      restore(ip + 4, 2);
    } else {
      restore(ip + 2, 4);
      restore(ip + 10, 2);
    }
    restore(tcp + 4, 4);
    restore(tcp + 13, 1);
    restore(tcp + 16, 2);
    EXPECT_EQ(same, Bytes(super.begin(), super.begin() + static_cast<ptrdiff_t>(data)));

    joined.insert(joined.end(), frame.begin() + static_cast<ptrdiff_t>(data), frame.end());
  }
  return joined;
}

/// Cuts and receives; the payload must come through whole, in ceil(payload / segment_size) frames.
void expect_cut(const FrameSpec& spec, size_t segment_size) {
  SCOPED_TRACE(testing::Message() << spec.payload.size() << " octets by " << segment_size);
  Bytes super = spec.build();
  const auto segmenter = Segmenter::parse(super, segment_size);
  ASSERT_TRUE(segmenter);
  EXPECT_EQ(segmenter->header_size(), spec.header_size());
  EXPECT_EQ(segmenter->count(), std::max<size_t>(1, (spec.payload.size() + segment_size - 1) / segment_size));
  const auto frames = test::cut(super, segment_size);
  ASSERT_EQ(frames.size(), segmenter->count());
  EXPECT_EQ(segmenter->max_frame_size(), frames[0].size());
  EXPECT_EQ(receive(spec, frames, segment_size), spec.payload);
}

const Bytes kTimestamps = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};

std::vector<FrameSpec> kinds() {
  return {
      {},
      {.ipv6 = true},
      {.tags = {0x8100}},
      {.ipv6 = true, .tags = {0x88a8, 0x8100}},
      {.ip_options = {148, 4, 0, 0}},
      {.ipv6 = true, .extensions = {6, 0, 1, 4, 0, 0, 0, 0}, .first_extension = 60},
      {.flags = kAck | kPsh | kFin | kCwr | kEce, .tcp_options = kTimestamps},
      {.ipv6 = true, .flags = kAck | kPsh | kCwr, .tcp_options = kTimestamps},
      {.flags = kAck | kPsh, .tcp_options = Bytes(40, 1)},
      {.fragment = 0, .padding = 6},
  };
}

TEST(Segmenter, CutsEveryKindOfFrameAtEveryBoundary) {
  for (FrameSpec spec : kinds()) {
    for (const size_t n : {0, 1, 99, 100, 101, 199, 200, 201, 1000}) {
      spec.payload = pattern(n);
      expect_cut(spec, 100);
    }
  }
}

TEST(Segmenter, CutsTheLargestSuperFrames) {
  expect_cut({.payload = pattern(65535 - 14 - 40)}, 1460);
  expect_cut({.tcp_options = kTimestamps, .payload = pattern(65535 - 14 - 52)}, 1448);
  expect_cut({.ipv6 = true, .payload = pattern(65535 - 14 - 60)}, 1440);
  expect_cut({.tags = {0x8100}, .payload = pattern(65535 - 18 - 40)}, 1361);  // Odd payloads.
}

TEST(Segmenter, LeavesASmallPayloadInOneFrame) {
  expect_cut({.flags = kAck | kPsh | kFin | kCwr, .payload = pattern(1000)}, 1448);
  expect_cut({.flags = kAck | kPsh, .payload = pattern(1448)}, 1448);
  expect_cut({.payload = pattern(5)}, 65535);
  expect_cut({.payload = pattern(5)}, SIZE_MAX);
  expect_cut({.flags = kSyn, .payload = pattern(5)}, 100);  // One frame is as the guest made it.
}

TEST(Segmenter, WrapsTheSequenceNumberAndTheIdentification) {
  expect_cut({.id = 0xfffe, .sequence = 0xffffff00, .payload = pattern(1000)}, 100);
  expect_cut({.sequence = 0xffffffff, .payload = pattern(300)}, 100);
}

TEST(Segmenter, GoesDownToTheSmallestSegmentAndNoFurther) {
  expect_cut({.payload = pattern(65535 - 14 - 40)}, kMinSegmentSize);
  const Bytes super = FrameSpec{.payload = pattern(1000)}.build();
  for (size_t size = 0; size < kMinSegmentSize; ++size) EXPECT_FALSE(accepts(super, size)) << size;
}

TEST(Segmenter, RefusesWhatNoStackLeavesToACard) {
  for (const uint8_t flag : {kSyn, kRst, kUrg}) {
    const FrameSpec spec{.flags = static_cast<uint8_t>(kAck | flag), .payload = pattern(1000)};
    EXPECT_FALSE(accepts(spec.build(), 100)) << int{flag};
    EXPECT_TRUE(accepts(spec.build(), 1000)) << int{flag};
  }
  EXPECT_FALSE(accepts(FrameSpec{.protocol = 17, .payload = pattern(1000)}.build(), 100));
  EXPECT_FALSE(accepts(FrameSpec{.fragment = 0x2000, .payload = pattern(1000)}.build(), 100));
  EXPECT_FALSE(accepts(FrameSpec{.payload = pattern(65535 - 40), .padding = 0}.build(), 1000));
}

TEST(Segmenter, RefusesHeadersThatNoGuestHas) {
  const auto with_extension = [](size_t size) {  // Options for the destination, all of them padding.
    Bytes extension(size);
    extension[0] = 6;
    extension[1] = static_cast<uint8_t>(size / 8 - 1);
    extension[2] = 1;
    extension[3] = static_cast<uint8_t>(size - 4);
    return FrameSpec{.ipv6 = true, .extensions = extension, .first_extension = 60, .payload = pattern(1000)};
  };
  expect_cut(with_extension(Segmenter::kMaxHeaders - 14 - 40 - 20 - 6), 100);  // A multiple of eight.
  EXPECT_FALSE(accepts(with_extension(Segmenter::kMaxHeaders - 14 - 40 - 20 + 2).build(), 100));
}

TEST(Segmenter, RefusesADataOffsetOutsideTheSegment) {
  const FrameSpec spec{.payload = pattern(12)};
  for (unsigned words = 0; words < 16; ++words) {
    Bytes frame = spec.build();
    frame[spec.transport_offset() + 12] = static_cast<uint8_t>(words << 4);
    EXPECT_EQ(accepts(frame, 100), words >= 5 && words <= 8) << words;
  }
}

TEST(Segmenter, RefusesEveryTruncation) {
  for (FrameSpec spec : kinds()) {
    spec.payload = pattern(250);
    const Bytes super = spec.build();
    for (size_t n = 0; n < super.size() - spec.padding; ++n) {
      const Bytes truncated(super.begin(), super.begin() + static_cast<ptrdiff_t>(n));
      EXPECT_FALSE(accepts(truncated, 100)) << n;
    }
  }
}

TEST(Segmenter, SurvivesMutatedHeaders) {
  SeededRandom random(3);
  size_t accepted = 0;
  for (int round = 0; round < 30'000; ++round) {
    const auto all = kinds();
    FrameSpec spec = all[random.below(all.size())];
    spec.payload = pattern(300);
    Bytes super = spec.build();
    for (uint64_t n = 1 + random.below(3); n > 0; --n) {
      super[random.below(spec.header_size())] = static_cast<uint8_t>(random.u32());
    }
    const size_t segment_size = kMinSegmentSize + random.below(200);
    if (!accepts(super, segment_size)) continue;
    ++accepted;
    for (Bytes& frame : test::cut(super, segment_size)) {
      ASSERT_TRUE(complete_checksum(frame));  // Whatever it is now, it is a well-formed frame.
    }
  }
  EXPECT_GT(accepted, 5'000u);
}

}  // namespace
}  // namespace ipop
