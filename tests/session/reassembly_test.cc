#include "overlay/session/reassembly.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "overlay/base/random.h"

namespace ipop {
namespace {

Bytes frame_of(size_t size, uint64_t seed) {
  Bytes out(size);
  SeededRandom(seed).fill(out);
  return out;
}

/// The plaintexts of a frame's slices.
std::vector<Bytes> slice(const Bytes& frame, uint8_t count) {
  std::vector<Bytes> out;
  for (uint8_t i = 0; i < count; ++i) {
    const wire::SliceHeader header{.index = i, .count = count, .size = static_cast<uint16_t>(frame.size())};
    Bytes& one = out.emplace_back(wire::SliceHeader::kSize);
    header.encode_to(one.data());
    const auto from = frame.begin() + static_cast<ptrdiff_t>(header.offset());
    one.insert(one.end(), from, from + static_cast<ptrdiff_t>(header.octets()));
  }
  return out;
}

struct ReassemblyTest : testing::Test {
  /// The frame that the slice completes, or nothing.
  Bytes add(uint64_t counter, const Bytes& plaintext, uint32_t session = 1) {
    const auto whole = reassembly.add(session, counter, plaintext);
    EXPECT_TRUE(whole);
    return whole && *whole ? Bytes((*whole)->begin(), (*whole)->end()) : Bytes();
  }
  bool refuses(uint64_t counter, const Bytes& plaintext) {
    return !reassembly.add(1, counter, plaintext).has_value();
  }

  Reassembly reassembly;
};

TEST_F(ReassemblyTest, MakesTheFrameInAnyOrder) {
  const Bytes frame = frame_of(3001, 1);
  const auto slices = slice(frame, 4);
  std::vector<size_t> order{0, 1, 2, 3};
  uint64_t counter = 0;
  do {
    for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(add(counter + order[i], slices[order[i]]).empty());
    EXPECT_EQ(add(counter + order[3], slices[order[3]]), frame);
    counter += 4;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(reassembly.incomplete(), 0u);
}

TEST_F(ReassemblyTest, KeepsFramesAndSessionsApart) {
  const Bytes a = frame_of(2000, 1), b = frame_of(2000, 2), c = frame_of(2000, 3);
  const auto as = slice(a, 2), bs = slice(b, 2), cs = slice(c, 2);
  EXPECT_TRUE(add(10, as[0]).empty());
  EXPECT_TRUE(add(12, bs[0]).empty());
  EXPECT_TRUE(add(10, cs[0], 2).empty());
  EXPECT_EQ(add(13, bs[1]), b);
  EXPECT_EQ(add(11, cs[1], 2), c);
  EXPECT_EQ(add(11, as[1]), a);
}

TEST_F(ReassemblyTest, WhatContradictsTheOthersIsRefusedAndChangesNothing) {
  const Bytes frame = frame_of(2000, 1);
  const auto slices = slice(frame, 2);
  EXPECT_TRUE(add(10, slices[0]).empty());
  EXPECT_TRUE(refuses(11, slice(frame_of(2002, 2), 2)[1])) << "of a frame of another size";
  EXPECT_TRUE(refuses(11, slice(frame_of(2000, 2), 3)[1])) << "of a frame in three";
  EXPECT_TRUE(refuses(0, slices[1])) << "its first would be under counter -1";
  EXPECT_TRUE(refuses(11, Bytes(3)));
  EXPECT_EQ(add(11, slices[1]), frame);
}

TEST_F(ReassemblyTest, RefusesFramesThatAreTooLarge) {
  const Bytes largest = frame_of(kMaxCarriedFrame, 1);
  Bytes whole;
  const auto slices = slice(largest, 8);
  for (size_t i = 0; i < 8; ++i) whole = add(i, slices[i]);
  EXPECT_EQ(whole, largest);
  EXPECT_TRUE(refuses(100, slice(frame_of(kMaxCarriedFrame + 1, 1), 8)[0]));
}

TEST_F(ReassemblyTest,
       ASliceThatComesTwiceIsNotAFrame) {  // The replay window lets none through; all the same.
  const auto slices = slice(frame_of(2000, 1), 2);
  EXPECT_TRUE(add(10, slices[0]).empty());
  EXPECT_TRUE(add(10, slices[0]).empty());
}

TEST_F(ReassemblyTest, ASessionThatLosesSlicesTakesNoPlacesOfOthers) {
  const Bytes frame = frame_of(2000, 1);
  const auto slices = slice(frame, 2);
  EXPECT_TRUE(add(0, slices[0], 2).empty());
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_TRUE(add(2 * i, slices[0]).empty());
  EXPECT_EQ(add(1, slices[1], 2), frame);
  EXPECT_EQ(reassembly.incomplete(), 1000 - Reassembly::kMaxFramesOfSession);
  EXPECT_TRUE(add(1, slices[1]).empty()) << "its first slice had to go";
  EXPECT_EQ(add(1999, slices[1]), frame);
}

TEST_F(ReassemblyTest, ManySessionsMakeTheOldestGo) {
  const Bytes frame = frame_of(2000, 1);
  const auto slices = slice(frame, 2);
  for (uint32_t session = 0; session <= Reassembly::kMaxFrames; ++session) add(0, slices[0], session);
  EXPECT_EQ(reassembly.incomplete(), 1u);
  EXPECT_TRUE(add(1, slices[1], 0).empty());
  EXPECT_EQ(add(1, slices[1], Reassembly::kMaxFrames), frame);
}

TEST_F(ReassemblyTest, NothingOfOneFrameIsEverInAnother) {
  SeededRandom random(5);
  std::vector<std::pair<uint64_t, Bytes>> pieces;
  std::vector<Bytes> frames;
  for (uint64_t counter = 0, n = 0; n < 200; ++n) {
    const auto count = static_cast<uint8_t>(2 + random.below(7));
    frames.push_back(frame_of(200 + random.below(8800), 1000 + n));
    const auto slices = slice(frames.back(), count);
    for (const Bytes& one : slices) {
      pieces.emplace_back(counter + static_cast<uint64_t>(one[0]), one);
    }
    counter += count;
  }
  for (size_t i = 0; i + 4 < pieces.size(); ++i) std::swap(pieces[i], pieces[i + random.below(4)]);
  size_t whole = 0;
  for (const auto& [counter, plaintext] : pieces) {
    if (random.below(50) == 0) continue;
    const Bytes out = add(counter, plaintext);
    if (out.empty()) continue;
    ++whole;
    EXPECT_NE(std::find(frames.begin(), frames.end(), out), frames.end());
  }
  EXPECT_GT(whole, 150u);
}

}  // namespace
}  // namespace ipop
