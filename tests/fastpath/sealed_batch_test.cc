#include "overlay/fastpath/sealed_batch.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ipop {
namespace {

const Endpoint kA = Endpoint::from_ipv4({0xc0000201}, 1);
const Endpoint kB = Endpoint::from_ipv4({0xc0000202}, 1);

class SealedBatchTest : public ::testing::Test {
 protected:
  /// A datagram of `size` octets, each `fill`.
  bool add(const Endpoint& to, size_t size, uint8_t fill = 0) {
    uint8_t* room = batch_.reserve(size);
    if (room == nullptr) return false;
    std::fill_n(room, size, fill);
    batch_.commit(to, size);
    return true;
  }
  /// | size, segment size | of each train.
  std::vector<std::pair<size_t, size_t>> sizes() const {
    std::vector<std::pair<size_t, size_t>> out;
    for (const auto& train : batch_.trains()) out.push_back({train.size, train.segment_size});
    return out;
  }
  using Sizes = std::vector<std::pair<size_t, size_t>>;
  SealedBatch batch_;
};

TEST_F(SealedBatchTest, BeginsEmpty) {
  EXPECT_TRUE(batch_.empty());
  EXPECT_TRUE(batch_.trains().empty());
}

TEST_F(SealedBatchTest, EqualSizesForOneEndpointFormATrain) {
  for (int i = 0; i < 5; ++i) add(kA, 1000);
  EXPECT_EQ(sizes(), (Sizes{{5000, 1000}}));
  EXPECT_EQ(batch_.trains()[0].to, kA);
}

TEST_F(SealedBatchTest, AShorterOneEndsATrain) {
  add(kA, 1000);
  add(kA, 1000);
  add(kA, 999);
  add(kA, 999);
  EXPECT_EQ(sizes(), (Sizes{{2999, 1000}, {999, 999}}));
}

TEST_F(SealedBatchTest, EvenOneOfTheTrainsSizeDoesNotFollowAShorter) {
  add(kA, 1000);
  add(kA, 500);
  add(kA, 1000);
  EXPECT_EQ(sizes(), (Sizes{{1500, 1000}, {1000, 1000}}));
}

TEST_F(SealedBatchTest, ALongerOneBeginsATrain) {
  add(kA, 1000);
  add(kA, 1001);
  EXPECT_EQ(sizes(), (Sizes{{1000, 1000}, {1001, 1001}}));
}

TEST_F(SealedBatchTest, AnotherEndpointBeginsATrain) {
  add(kA, 1000);
  add(kB, 1000);
  add(kA, 1000);
  EXPECT_EQ(sizes(), (Sizes{{1000, 1000}, {1000, 1000}, {1000, 1000}}));
  EXPECT_EQ(batch_.trains()[1].to, kB);
}

TEST_F(SealedBatchTest, ATrainHas64DatagramsAtMost) {
  for (int i = 0; i < 130; ++i) add(kA, 100);
  EXPECT_EQ(sizes(), (Sizes{{6400, 100}, {6400, 100}, {200, 100}}));
}

TEST_F(SealedBatchTest, ATrainFitsOneDatagramOfUdp) {
  for (int i = 0; i < 50; ++i) add(kA, 1400);  // 46 of them are 64400 octets, 47 would be 65800.
  EXPECT_EQ(sizes(), (Sizes{{64400, 1400}, {5600, 1400}}));
  EXPECT_LE(SealedBatch::kMaxTrainSize, 65535u - 40 - 8);
}

TEST_F(SealedBatchTest, KeepsEveryOctetInItsPlace) {
  add(kA, 3, 0xa1);
  add(kA, 3, 0xa2);
  add(kB, 2, 0xb1);
  ASSERT_EQ(batch_.trains().size(), 2u);
  EXPECT_EQ(to_hex(batch_.bytes(batch_.trains()[0])), "a1a1a1a2a2a2");
  EXPECT_EQ(to_hex(batch_.bytes(batch_.trains()[1])), "b1b1");
}

TEST_F(SealedBatchTest, WhatIsNotCommittedLeavesNoGap) {
  add(kA, 2, 0xa1);
  std::fill_n(batch_.reserve(9), 9, uint8_t{0xee});
  add(kA, 2, 0xa2);
  EXPECT_EQ(to_hex(batch_.bytes(batch_.trains()[0])), "a1a1a2a2");
}

TEST_F(SealedBatchTest, HasRoomForFourSuperFramesAndNoOctetMore) {
  size_t left = SealedBatch::kCapacity;
  while (left > 5000) {
    ASSERT_TRUE(add(kA, 5000));
    left -= 5000;
  }
  EXPECT_FALSE(add(kA, left + 1));
  EXPECT_TRUE(add(kA, left));
  EXPECT_FALSE(add(kA, 1));
  batch_.clear();
  EXPECT_TRUE(batch_.empty());
  EXPECT_TRUE(add(kA, SealedBatch::kCapacity));
}

TEST_F(SealedBatchTest, AfterClearingBeginsANewTrain) {
  add(kA, 1000);
  batch_.clear();
  add(kA, 1000, 7);
  EXPECT_EQ(sizes(), (Sizes{{1000, 1000}}));
  EXPECT_EQ(batch_.trains()[0].offset, 0u);
}

}  // namespace
}  // namespace ipop
