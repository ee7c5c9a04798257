#include "overlay/wire/internet_checksum.h"

#include <gtest/gtest.h>

#include <cstring>

#include "overlay/base/random.h"
#include "tests/fastpath/frames.h"

namespace ipop {
namespace {

using test::naive_checksum;
using test::pattern;

/// finish() leaves wire order in memory; this is the number it spells.
uint16_t number(uint16_t in_memory) {
  uint8_t octets[2];
  std::memcpy(octets, &in_memory, 2);
  return static_cast<uint16_t>(octets[0] << 8 | octets[1]);
}

TEST(InternetChecksum, AddsTheExampleOfRfc1071) {  // Section 3: the sum is ddf2.
  InternetChecksum sum;
  sum.add(*from_hex("0001f203f4f5f6f7"));
  EXPECT_EQ(number(sum.finish()), 0xffff ^ 0xddf2);
}

TEST(InternetChecksum, IsAllOnesForNothing) { EXPECT_EQ(InternetChecksum().finish(), 0xffff); }

TEST(InternetChecksum, EqualsTheNaiveSumForEverySizeAndAlignment) {
  Bytes data(64 + 8);
  SeededRandom(1).fill(data);
  for (size_t from = 0; from < 8; ++from) {
    for (size_t n = 0; n <= 64; ++n) {
      const ByteView piece = ByteView(data).subspan(from, n);
      InternetChecksum sum;
      sum.add(piece);
      EXPECT_EQ(number(sum.finish()), naive_checksum(piece)) << from << " " << n;
    }
  }
}

TEST(InternetChecksum, CarriesThroughTheLargestFrameOfOnes) {
  const Bytes ones(65535, 0xff);
  InternetChecksum sum;
  sum.add(ones);
  EXPECT_EQ(number(sum.finish()), naive_checksum(ones));
}

TEST(InternetChecksum, JoinsPieces) {
  const Bytes data = pattern(101);
  InternetChecksum sum;
  sum.add(ByteView(data).first(6));
  sum.add_u16(static_cast<uint16_t>(data[6] << 8 | data[7]));
  sum.add(ByteView(data).subspan(8));
  EXPECT_EQ(number(sum.finish()), naive_checksum(data));
}

TEST(InternetSum, ExampleOfRfc1071) {
  const Bytes data = *from_hex("0001f203f4f5f6f7");
  EXPECT_EQ(internet_sum(data), 0xddf2);
  EXPECT_EQ(internet_checksum(data), 0x220d);
}

TEST(InternetSum, OddSizesAndChaining) {
  Bytes data;
  for (int i = 0; i < 301; ++i) {
    EXPECT_EQ(internet_checksum(data), naive_checksum(data)) << i;
    data.push_back(static_cast<uint8_t>(255 - i * 7));
  }
  const ByteView view(data);
  EXPECT_EQ(internet_sum(view.subspan(100), internet_sum(view.first(100))), internet_sum(view));
  EXPECT_EQ(internet_sum(Bytes(65534, 0xff)), 0xffff);
  EXPECT_EQ(internet_sum(Bytes(65534, 0)), 0);
}

}  // namespace
}  // namespace ipop
