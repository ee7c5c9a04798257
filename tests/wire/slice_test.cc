#include "overlay/wire/slice.h"

#include <gtest/gtest.h>

namespace ipop::wire {
namespace {

Bytes plaintext(const SliceHeader& header) {
  Bytes out(SliceHeader::kSize + header.octets());
  header.encode_to(out.data());
  return out;
}

TEST(SliceHeader, IsFourOctets) {
  const SliceHeader header{.index = 1, .count = 3, .size = 1000};  // 334, 334, 332.
  Bytes octets(4);
  header.encode_to(octets.data());
  EXPECT_EQ(to_hex(octets), "010303e8");
  EXPECT_EQ(header.offset(), 334u);
  EXPECT_EQ(header.octets(), 334u);
  EXPECT_EQ((SliceHeader{.index = 2, .count = 3, .size = 1000}.octets()), 332u);
}

TEST(SliceHeader, IsReadBackIfTheLengthIsRight) {
  for (const uint8_t index : Bytes{0, 1, 2}) {
    Bytes whole = plaintext({.index = index, .count = 3, .size = 1000});
    const auto decoded = SliceHeader::decode(whole);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->index, index);
    EXPECT_EQ(decoded->count, 3);
    EXPECT_EQ(decoded->size, 1000);
    whole.pop_back();
    EXPECT_EQ(SliceHeader::decode(whole).error(), Error::Malformed);
    whole.resize(whole.size() + 2);
    EXPECT_EQ(SliceHeader::decode(whole).error(), Error::Malformed);
  }
  for (size_t n = 0; n < SliceHeader::kSize; ++n) EXPECT_FALSE(SliceHeader::decode(Bytes(n)));
}

TEST(SliceHeader, RefusesWhatNoFrameIsCutInto) {
  const auto refused = [](uint8_t index, uint8_t count, uint16_t size, size_t octets) {
    Bytes whole(SliceHeader::kSize + octets);
    SliceHeader{.index = index, .count = count, .size = size}.encode_to(whole.data());
    return !SliceHeader::decode(whole);
  };
  EXPECT_TRUE(refused(0, 0, 100, 100));
  EXPECT_TRUE(refused(0, 1, 100, 100)) << "one slice is a frame";
  EXPECT_TRUE(refused(2, 2, 100, 50)) << "beyond the last";
  EXPECT_TRUE(refused(0, 17, 1700, 100)) << "too many";
  EXPECT_FALSE(refused(15, 16, 1600, 100));
  EXPECT_TRUE(refused(0, 2, 0, 0)) << "nothing";
  EXPECT_TRUE(refused(4, 5, 6, 0)) << "two each: three slices hold it, and two are empty";
}

TEST(SlicesOf, IsAsManyAsNeeded) {
  EXPECT_EQ(slices_of(1168, 1168), 1u);
  EXPECT_EQ(slices_of(1169, 1168), 2u);
  EXPECT_EQ(slices_of(2 * 1164, 1168), 2u) << "each has four octets of its own";
  EXPECT_EQ(slices_of(2 * 1164 + 1, 1168), 3u);
  for (size_t size = 1169; size <= 9022; ++size) {
    const auto count = static_cast<uint8_t>(slices_of(size, 1168));
    size_t sum = 0;
    for (uint8_t i = 0; i < count; ++i) {
      const SliceHeader header{.index = i, .count = count, .size = static_cast<uint16_t>(size)};
      ASSERT_LE(SliceHeader::kSize + header.octets(), 1168u) << size;
      ASSERT_EQ(header.offset(), sum) << size;
      ASSERT_GT(header.octets(), 0u) << size;
      sum += header.octets();
    }
    ASSERT_EQ(sum, size);
  }
}

}  // namespace
}  // namespace ipop::wire
