#include "overlay/base/bytes.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

TEST(Reader, ReadsBigEndian) {
  const Bytes data = *from_hex(
      "01"
      "0203"
      "04050607"
      "08090a0b0c0d0e0f");
  Reader in(data);
  EXPECT_EQ(in.u8(), 0x01);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.u32(), 0x04050607u);
  EXPECT_EQ(in.u64(), 0x08090a0b0c0d0e0fu);
  EXPECT_TRUE(in.done());
}

TEST(Reader, StaysFailedAfterTheFirstFailure) {
  const Bytes data = {1, 2, 3};
  Reader in(data);
  EXPECT_EQ(in.u32(), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0) << "There was an octet, but nothing is to be read after a failure.";
  EXPECT_EQ(in.remaining(), 0u);
  EXPECT_FALSE(in.done());
}

TEST(Reader, NeverReadsPastAnyEnd) {
  const Bytes data(15, 0xff);
  for (size_t size = 0; size < data.size(); ++size) {
    Reader in(ByteView(data).first(size));
    in.u8();
    in.u16();
    in.u32();
    in.u64();
    EXPECT_FALSE(in.ok()) << size;
  }
}

TEST(Reader, ZerosMustBeZero) {
  const Bytes data = {0, 0, 1, 0};
  Reader good(data);
  good.zeros(2);
  EXPECT_TRUE(good.ok());
  Reader bad(data);
  bad.zeros(3);
  EXPECT_FALSE(bad.ok());
  Reader short_of(data);
  short_of.zeros(5);
  EXPECT_FALSE(short_of.ok());
}

TEST(Reader, BytesAreAViewOfTheInput) {
  const Bytes data = {1, 2, 3, 4};
  Reader in(data);
  EXPECT_EQ(in.bytes(2).data(), data.data());
  EXPECT_EQ(in.rest().size(), 2u);
  EXPECT_TRUE(in.done());
  EXPECT_TRUE(in.bytes(0).empty());
  EXPECT_TRUE(in.ok()) << "Nothing can be read at the end.";
}

TEST(Writer, WritesWhatTheReaderReads) {
  Writer out;
  out.u8(0xfe);
  out.u16(0xfedc);
  out.u32(0xfedcba98);
  out.u64(0xfedcba9876543210);
  out.zeros(2);
  out.bytes(Bytes{7, 8});
  EXPECT_EQ(to_hex(out.view()), "fefedcfedcba98fedcba987654321000000708");
  out.patch_u16(1, 0x1234);
  EXPECT_EQ(to_hex(out.take()), "fe1234fedcba98fedcba987654321000000708");
}

TEST(Hex, BothWays) {
  EXPECT_EQ(from_hex(""), Bytes{});
  EXPECT_EQ(from_hex("00fFAb"), (Bytes{0x00, 0xff, 0xab}));
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
  EXPECT_EQ(from_hex("0x10"), std::nullopt);
  EXPECT_EQ(from_hex(" 1"), std::nullopt);
  EXPECT_EQ(to_hex(Bytes{0x00, 0xff, 0x0a}), "00ff0a");
}

}  // namespace
}  // namespace ipop
