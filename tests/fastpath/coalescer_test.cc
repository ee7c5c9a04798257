#include "overlay/fastpath/coalescer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "overlay/base/random.h"
#include "tests/fastpath/cutting.h"
#include "tests/fastpath/frames.h"

namespace ipop {
namespace {

using test::FrameSpec;
using test::kAck;
using test::kPsh;
using test::pattern;

/// What a network would carry of a super-frame.
std::vector<Bytes> cut(const FrameSpec& spec, size_t segment_size) {
  return test::cut(spec.build(), segment_size);
}

/// Plays the receiver: frames are written to where the coalescer wants them.
struct Batch {
  explicit Batch(size_t count = 16, bool is_enabled = true)
      : rooms(count, Bytes(kMaxSuperFrame)), frames(count) {
    for (size_t i = 0; i < count; ++i) frames[i] = {.data = rooms[i].data(), .capacity = rooms[i].size()};
    coalescer.emplace(frames, is_enabled);
  }
  void receive(const Bytes& frame, bool partial_checksum = false) {
    ASSERT_TRUE(coalescer->has_room());
    std::copy(frame.begin(), frame.end(), coalescer->place(frame.size()));
    coalescer->add(frame.size(), partial_checksum);
  }
  void receive(const std::vector<Bytes>& all, bool partial_checksum = false) {
    for (const Bytes& frame : all) receive(frame, partial_checksum);
  }
  /// A datagram that turned out to be forged: whatever was written must leave no trace.
  void receive_forged(size_t size) {
    std::fill_n(coalescer->place(size), size, uint8_t{0xee});
    coalescer->cancel();
  }
  std::vector<Coalescer::Frame> finish() {
    const size_t count = coalescer->finish();
    return {frames.begin(), frames.begin() + static_cast<ptrdiff_t>(count)};
  }
  static Bytes bytes(const Coalescer::Frame& frame) { return {frame.data, frame.data + frame.size}; }
  /// What a port without offloads would send of the result, and whether the partial checksums are what they
  /// claim.
  std::vector<Bytes> finish_and_cut() {
    std::vector<Bytes> out;
    for (const auto& frame : finish()) {
      if (frame.segment_size == 0) {
        out.push_back(bytes(frame));
        continue;
      }
      for (Bytes& segment : test::cut(bytes(frame), frame.segment_size)) out.push_back(std::move(segment));
    }
    return out;
  }

  std::vector<Bytes> rooms;
  std::vector<Coalescer::Frame> frames;
  std::optional<Coalescer> coalescer;
};

const Bytes kTimestamps{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};

TEST(Coalescer, JoinsWhatWasCutAndWouldBeCutTheSameAgain) {
  for (const bool ipv6 : {false, true}) {
    for (const auto& tags : {std::vector<uint16_t>{}, std::vector<uint16_t>{0x8100}}) {
      for (const Bytes& options : {Bytes{}, kTimestamps}) {
        const FrameSpec spec{.ipv6 = ipv6,
                             .tags = tags,
                             .flags = kAck | kPsh,
                             .tcp_options = options,
                             .payload = pattern(30000)};
        const auto segments = cut(spec, 1348);
        Batch batch;
        batch.receive(segments);
        const auto frames = batch.finish();
        ASSERT_EQ(frames.size(), 1u);
        EXPECT_EQ(frames[0].segment_size, 1348u);
        EXPECT_EQ(frames[0].size, spec.build().size());
        Batch again;
        again.receive(segments);
        EXPECT_EQ(again.finish_and_cut(), segments);
      }
    }
  }
}

TEST(Coalescer, TheChecksumFieldHoldsThePseudoHeaderSum) {
  const FrameSpec spec{.payload = pattern(3000)};
  Batch batch;
  batch.receive(cut(spec, 1000));
  const auto frames = batch.finish();
  ASSERT_EQ(frames.size(), 1u);
  const Bytes frame = Batch::bytes(frames[0]);
  const size_t ip = spec.network_offset();
  const size_t tcp = spec.transport_offset();
  Writer pseudo;  // RFC 9293, section 3.1: addresses, protocol, length.
  pseudo.bytes(ByteView(frame).subspan(ip + 12, 8));
  pseudo.u16(6);
  pseudo.u16(static_cast<uint16_t>(frame.size() - tcp));
  EXPECT_EQ(test::u16_at(frame, tcp + 16), static_cast<uint16_t>(~test::naive_checksum(pseudo.view())));
  EXPECT_EQ(test::naive_checksum(ByteView(frame).subspan(ip, 20)), 0) << "the IPv4 header's own is complete";
}

TEST(Coalescer, SeveralFlowsAreJoinedSideBySide) {
  const FrameSpec one{.payload = pattern(8000)};
  const FrameSpec two{.ipv6 = true, .payload = pattern(8000)};
  const auto first = cut(one, 1000);
  const auto second = cut(two, 1000);
  Batch batch;
  for (size_t i = 0; i < first.size(); ++i) {
    batch.receive(first[i]);
    batch.receive(second[i]);
  }
  const auto frames = batch.finish();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].size, one.build().size());
  EXPECT_EQ(frames[1].size, two.build().size());
}

TEST(Coalescer, AGapOrAReorderingStaysVisible) {
  const auto segments = cut({.payload = pattern(5000)}, 1000);
  for (const std::vector<size_t>& order :
       {std::vector<size_t>{0, 1, 3, 4}, {1, 0, 2}, {0, 0, 1}, {4, 3, 2, 1, 0}}) {
    std::vector<Bytes> sent;
    for (const size_t i : order) sent.push_back(segments[i]);
    Batch batch;
    batch.receive(sent);
    EXPECT_EQ(batch.finish_and_cut(), sent);
  }
}

/// Two consecutive segments, the second changed by `change` and, if asked, its checksum made right again.
size_t frames_of_two(const std::function<void(FrameSpec&)>& change) {
  FrameSpec first{.payload = pattern(1000)};
  FrameSpec second{.id = 0x1235, .sequence = 2000, .payload = pattern(1000)};
  change(second);
  Batch batch;
  batch.receive(cut(first, 1448));
  batch.receive(cut(second, 1448));
  return batch.finish().size();
}

TEST(Coalescer, OnlyEqualHeadersJoin) {
  EXPECT_EQ(frames_of_two([](FrameSpec&) {}), 1u);
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.payload = pattern(10); }), 1u) << "a shorter last one";
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.flags = kAck | kPsh; }), 1u);
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.id = 0x1234; }), 1u) << "the same id, with DF";

  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.payload = pattern(1001); }), 2u) << "a longer one";
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.sequence = 2001; }), 2u);
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.id = 0x1236; }), 2u);
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.fragment = 0; }), 2u);
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.tags = {0x8100}; }), 2u);
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.tcp_options = kTimestamps; }), 2u);
  EXPECT_EQ(frames_of_two([](FrameSpec& s) { s.payload = {}; }), 2u) << "an acknowledgment alone";
  for (const uint8_t flag : {test::kFin, test::kSyn, test::kRst, test::kUrg, test::kEce, test::kCwr}) {
    EXPECT_EQ(frames_of_two([&](FrameSpec& s) { s.flags = kAck | flag; }), 2u) << int{flag};
  }
}

TEST(Coalescer, EachByteOfTheHeaderThatDiffersKeepsThemApartUnlessItHasTo) {
  const FrameSpec first{.payload = pattern(1000)};
  const FrameSpec second{.id = 0x1235, .sequence = 2000, .payload = pattern(1000)};
  const Bytes a = cut(first, 1448).front();
  const Bytes b = cut(second, 1448).front();
  for (size_t i = 0; i < b.size(); ++i) {
    Bytes changed =
        b;  // Its checksums are wrong now: for whatever reason, it must not be joined, and stay as it is.
    changed[i] ^= 1;
    Batch batch;
    batch.receive(a);
    batch.receive(changed);
    const auto frames = batch.finish();
    // The destination MAC is under no checksum, and a foreign one is another flow.
    ASSERT_EQ(frames.size(), 2u) << i;
    EXPECT_EQ(Batch::bytes(frames[0]), a) << i;
    EXPECT_EQ(Batch::bytes(frames[1]), changed) << i;
  }
}

TEST(Coalescer, AFirstSegmentWithAWrongChecksumIsNotLaundered) {
  const auto segments = cut({.payload = pattern(3000)}, 1000);
  Bytes damaged = segments[0];
  damaged.back() ^= 1;  // In the octets that the next segment's headers are opened over.
  Batch batch;
  batch.receive(damaged);
  batch.receive(segments[1]);
  batch.receive(segments[2]);
  const auto result = batch.finish_and_cut();
  EXPECT_EQ(result, (std::vector<Bytes>{damaged, segments[1], segments[2]}));
}

/// As they come from a host whose guest left the sum to its card: what is there is of no value.
std::vector<Bytes> without_checksums(const FrameSpec& spec, std::vector<Bytes> segments) {
  const size_t field = spec.transport_offset() + (spec.protocol == 6 ? 16 : 6);
  for (Bytes& segment : segments) segment[field] ^= 0x55;
  return segments;
}

TEST(Coalescer, PartialChecksumsJoinAndWhatStaysAloneIsCompleted) {
  for (const bool ipv6 : {false, true}) {
    const FrameSpec spec{.ipv6 = ipv6, .payload = pattern(5000)};
    const auto segments = cut(spec, 1000);
    Batch batch;
    batch.receive(without_checksums(spec, segments), true);
    EXPECT_EQ(batch.finish_and_cut(), segments);
    EXPECT_EQ(batch.frames[0].segment_size, 1000u) << "joined";

    Batch alone;
    alone.receive(without_checksums(spec, segments)[2], true);
    EXPECT_EQ(alone.finish_and_cut(), std::vector<Bytes>{segments[2]});
    Batch off(16, false);
    off.receive(without_checksums(spec, segments), true);
    EXPECT_EQ(off.finish_and_cut(), segments);
  }
  FrameSpec udp{.protocol = 17, .payload = pattern(300)};
  Bytes whole = udp.build();
  complete_checksum(whole);
  Batch batch;
  batch.receive(without_checksums(udp, {whole}), true);
  EXPECT_EQ(batch.finish_and_cut(), std::vector<Bytes>{whole});
}

TEST(Coalescer, WholeAndPartialChecksumsMayMixButAWrongOneStays) {
  const FrameSpec spec{.payload = pattern(4000)};
  const auto segments = cut(spec, 1000);
  const auto partial = without_checksums(spec, segments);
  Batch batch;
  batch.receive(segments[0]);
  batch.receive(partial[1], true);
  batch.receive(segments[2]);
  batch.receive(partial[3], true);
  EXPECT_EQ(batch.finish_and_cut(), segments);
  EXPECT_EQ(batch.frames[0].segment_size, 1000u) << "joined";

  Batch wrong_first;
  wrong_first.receive(partial[0]);  // It says that its sum is whole, and it is not.
  wrong_first.receive(partial[1], true);
  EXPECT_EQ(wrong_first.finish_and_cut(), (std::vector<Bytes>{partial[0], segments[1]}));
  Batch wrong_later;
  wrong_later.receive(partial[0], true);
  wrong_later.receive(partial[1]);
  EXPECT_EQ(wrong_later.finish_and_cut(), (std::vector<Bytes>{segments[0], partial[1]}));
}

TEST(Coalescer, AnIpv4HeaderThatDoesNotVerifyIsNotLaundered) {  // Its sum is never partial.
  const FrameSpec spec{.payload = pattern(2000)};
  auto segments = cut(spec, 1000);
  segments[1][spec.network_offset() + 10] ^= 1;
  Batch batch;
  batch.receive(segments, true);
  EXPECT_EQ(batch.finish_and_cut(), segments);
}

TEST(Coalescer, PshAndAShortSegmentEndASuperFrame) {
  FrameSpec one{.flags = kAck | kPsh, .payload = pattern(2500)};
  FrameSpec two = one;
  two.sequence += 2500;
  two.id = static_cast<uint16_t>(two.id + 3);
  Batch batch;
  batch.receive(cut(one, 1000));
  batch.receive(cut(two, 1000));
  const auto frames = batch.finish();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(Batch::bytes(frames[0])[one.transport_offset() + 13], kAck | kPsh);
}

TEST(Coalescer, ForgedDatagramsInBetweenLeaveNoTrace) {
  const FrameSpec spec{.payload = pattern(20000)};
  const auto segments = cut(spec, 1348);
  Batch batch;
  for (const Bytes& segment : segments) {
    batch.receive(segment);
    batch.receive_forged(1400);
    batch.receive_forged(60);
    batch.receive_forged(0);
  }
  EXPECT_EQ(batch.finish_and_cut(), segments);
}

TEST(Coalescer, OtherTrafficInBetweenIsKeptWholeAndInOrder) {
  const auto segments = cut({.payload = pattern(4000)}, 1000);
  const Bytes other = FrameSpec{.protocol = 17, .payload = pattern(200)}.build();
  Batch batch;
  for (const Bytes& segment : segments) {
    batch.receive(segment);
    batch.receive(other);
  }
  const auto frames = batch.finish();
  ASSERT_EQ(frames.size(), 5u) << "one super-frame, four datagrams";
  for (size_t i = 1; i < 5; ++i) EXPECT_EQ(Batch::bytes(frames[i]), other);
}

TEST(Coalescer, ASuperFrameStaysBelowItsLimitAndTheRestGoesOn) {
  const FrameSpec first{.payload = pattern(60000)};
  FrameSpec second = first;
  second.sequence += 60000;
  second.id = static_cast<uint16_t>(second.id + 60);
  auto segments = cut(first, 1000);
  const auto more = cut(second, 1000);
  segments.insert(segments.end(), more.begin(), more.end());
  Batch batch;
  batch.receive(segments);
  const auto frames = batch.finish();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_LE(frames[0].size, kMaxSuperFrame);
  EXPECT_GT(frames[0].size, kMaxSuperFrame - 1000);
  Batch again;
  again.receive(segments);
  EXPECT_EQ(again.finish_and_cut(), segments);
}

TEST(Coalescer, SwitchedOffItPassesEverythingOnAsItCame) {
  const auto segments = cut({.payload = pattern(5000)}, 1000);
  Batch batch(16, false);
  batch.receive(segments);
  const auto frames = batch.finish();
  ASSERT_EQ(frames.size(), segments.size());
  for (size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(Batch::bytes(frames[i]), segments[i]);
}

/// Frames by flow, which here is the VLAN tag's identifier.
std::map<uint16_t, std::vector<Bytes>> by_flow(const std::vector<Bytes>& frames) {
  std::map<uint16_t, std::vector<Bytes>> out;
  for (const Bytes& frame : frames) out[test::u16_at(frame, 14)].push_back(frame);
  return out;
}

TEST(Coalescer, WhateverComesEachFlowIsWholeAndInOrder) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    std::vector<std::vector<Bytes>> flows;
    for (size_t flow = 0; flow < 1 + random.below(4); ++flow) {
      FrameSpec spec{.ipv6 = random.below(2) == 0, .tags = {0x8100}, .payload = pattern(random.below(20000))};
      if (random.below(2) == 0) spec.tcp_options = kTimestamps;
      auto segments = cut(spec, 500 + random.below(1000));
      for (Bytes& segment : segments) {
        segment[15] = static_cast<uint8_t>(flow);  // The tag is under no checksum.
        if (random.below(20) == 0) segment[random.below(segment.size() - 16) + 16] ^= 4;
      }
      if (random.below(3) == 0) std::swap(segments[random.below(segments.size())], segments.back());
      flows.push_back(std::move(segments));
    }
    std::vector<Bytes> sent;
    std::vector<size_t> next(flows.size());
    for (bool left = true; left;) {
      left = false;
      for (size_t flow = 0; flow < flows.size(); ++flow) {
        const size_t burst = random.below(5);
        for (size_t i = 0; i < burst && next[flow] < flows[flow].size(); ++i)
          sent.push_back(flows[flow][next[flow]++]);
        left |= next[flow] < flows[flow].size();
      }
    }
    Batch batch(32);
    size_t received = 0;
    while (received < sent.size() && batch.coalescer->has_room()) {
      if (random.below(10) == 0) batch.receive_forged(random.below(2000));
      batch.receive(sent[received++]);
    }
    sent.resize(received);
    EXPECT_EQ(by_flow(batch.finish_and_cut()), by_flow(sent));
  }
}

}  // namespace
}  // namespace ipop
