#include "overlay/sim/digest.h"

#include <gtest/gtest.h>

#include <set>

namespace ipop::sim {
namespace {

uint64_t digest_of(std::initializer_list<Bytes> parts) {
  Digest digest;
  for (const Bytes& part : parts) digest.add(part);
  return digest.value();
}

TEST(Digest, TellsContentsLengthsAndBordersApart) {
  const std::set<uint64_t> values = {digest_of({}),
                                     digest_of({{}}),
                                     digest_of({{0}}),
                                     digest_of({{0, 0}}),
                                     digest_of({{0}, {0}}),
                                     digest_of({{1}}),
                                     digest_of({{1, 2, 3, 4, 5, 6, 7, 8}}),
                                     digest_of({{1, 2, 3, 4, 5, 6, 7, 8, 9}}),
                                     digest_of({{1, 2, 3, 4, 5, 6, 7, 8}, {9}}),
                                     digest_of({{9}, {1, 2, 3, 4, 5, 6, 7, 8}})};
  EXPECT_EQ(values.size(), 10u);
}

TEST(Digest, FitsANumberOfJson) {
  Digest digest;
  for (uint64_t i = 0; i < 1000; ++i) {
    digest.add(i);
    EXPECT_LT(digest.value(), uint64_t{1} << 53);
  }
}

}  // namespace
}  // namespace ipop::sim
