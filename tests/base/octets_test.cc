#include "overlay/base/octets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "overlay/base/random.h"

namespace ipop {
namespace {

TEST(NumberOf, IsInNetworkOrder) {
  const std::array<uint8_t, 8> octets = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(number_of<uint64_t>(octets.data()), 0x0102030405060708u);
  EXPECT_EQ(number_of<uint32_t>(octets.data()), 0x01020304u);
  EXPECT_EQ(number_of<uint16_t>(octets.data() + 6), 0x0708u);
}

TEST(PutPair, IsTwoNumbersInNetworkOrder) {
  std::array<uint8_t, 16> octets;
  put_pair(0x0102030405060708, 0x090a0b0c0d0e0f10, octets.data());
  for (size_t i = 0; i < octets.size(); ++i) EXPECT_EQ(octets[i], i + 1);
}

TEST(EqualOctets, EachCountsAndNoOther) {
  for (size_t n = 0; n <= 70; ++n) {
    SeededRandom random(n);
    std::array<uint8_t, 72> a, b;
    random.fill(a);
    random.fill(b);  // What is outside differs.
    std::copy_n(a.begin() + 1, n, b.begin() + 1);
    EXPECT_TRUE(equal_octets(a.data() + 1, b.data() + 1, n)) << n;
    for (size_t i = 1; i <= n; ++i) {
      b[i] ^= 0x10;
      EXPECT_FALSE(equal_octets(a.data() + 1, b.data() + 1, n)) << "octet " << i << " of " << n;
      b[i] ^= 0x10;
    }
  }
}

/// The first octet that differs decides, as for memcmp().
template <size_t N>
void expect_order_of_the_first_difference() {
  SeededRandom random(N);
  for (size_t i = 0; i < N; ++i) {
    std::array<uint8_t, N> low, high;
    random.fill(low);
    random.fill(high);
    std::copy_n(low.begin(), i, high.begin());
    low[i] = 0x7f;
    high[i] = 0x80;
    EXPECT_TRUE(compare_octets(low, high) < 0) << "octet " << i << " of " << N;
    EXPECT_TRUE(compare_octets(high, low) > 0) << "octet " << i << " of " << N;
    EXPECT_TRUE(compare_octets(low, low) == 0) << N;
  }
}

TEST(CompareOctets, TheFirstDifferenceDecides) {
  expect_order_of_the_first_difference<6>();
  expect_order_of_the_first_difference<8>();
  expect_order_of_the_first_difference<16>();
  expect_order_of_the_first_difference<20>();
}

}  // namespace
}  // namespace ipop
