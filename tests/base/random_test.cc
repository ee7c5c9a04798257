#include "overlay/base/random.h"

#include <gtest/gtest.h>

#include <array>

namespace ipop {
namespace {

// The first outputs of SplitMix64 for seed 1234567, as widely published for checking implementations.
TEST(SeededRandom, IsSplitMix64) {
  SeededRandom random(1234567);
  const std::array<uint64_t, 5> expected = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                            4593380528125082431u, 16408922859458223821u};
  for (const uint64_t value : expected) EXPECT_EQ(random.u64(), value);
}

TEST(SeededRandom, SameSeedSameRun) {
  SeededRandom one(7), two(7), other(8);
  std::array<uint8_t, 37> a{}, b{}, c{};
  one.fill(a);
  two.fill(b);
  other.fill(c);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  SeededRandom random(1);
  for (const uint64_t bound : {1ull, 2ull, 3ull, 10ull}) {
    std::array<int, 10> seen{};
    for (int i = 0; i < 10000; ++i) {
      const uint64_t value = random.below(bound);
      ASSERT_LT(value, bound);
      ++seen[value];
    }
    for (uint64_t value = 0; value < bound; ++value) {
      EXPECT_NEAR(seen[value], 10000.0 / static_cast<double>(bound), 300) << value << " of " << bound;
    }
  }
  EXPECT_LE(random.below(UINT64_MAX), UINT64_MAX - 1);
}

/// Says what it was told to.
class ScriptedRandom : public Random {
 public:
  explicit ScriptedRandom(std::vector<uint64_t> values) : values_(std::move(values)) {}
  void fill(ByteSpan out) override {
    ASSERT_LT(next_, values_.size());
    std::memcpy(out.data(), &values_[next_++], out.size());
  }

 private:
  std::vector<uint64_t> values_;
  size_t next_ = 0;
};

// 2^64 mod 3 is 1: the single value 0 would make residue 0 come once more than the others, so it is drawn
// again.
TEST(Random, BelowDrawsAgainWhatWouldBeUnfair) {
  ScriptedRandom random({0, 5});
  EXPECT_EQ(random.below(3), 2u);
}

}  // namespace
}  // namespace ipop
