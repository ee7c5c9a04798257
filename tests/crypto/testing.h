// Small helps for the tests of crypto/.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "overlay/base/bytes.h"
#include "overlay/base/random.h"
#include "overlay/crypto/authority.h"

namespace ipop::testing {

inline Bytes hex(std::string_view text) {
  const auto bytes = from_hex(text);
  EXPECT_TRUE(bytes) << "not hexadecimal: " << text;
  return bytes.value_or(Bytes{});
}

template <size_t N>
std::array<uint8_t, N> hex_array(std::string_view text) {
  const Bytes bytes = hex(text);
  EXPECT_EQ(bytes.size(), N);
  std::array<uint8_t, N> out{};
  std::copy_n(bytes.begin(), std::min(N, bytes.size()), out.begin());
  return out;
}

/// Gives what it was given: to reach a key of a published vector.
class FixedRandom : public Random {
 public:
  explicit FixedRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
  void fill(ByteSpan out) override {
    ASSERT_LE(out.size(), bytes_.size());
    std::copy_n(bytes_.begin(), out.size(), out.begin());
  }

 private:
  Bytes bytes_;
};

inline constexpr UnixSeconds kNow = 1'800'000'000;  // 2027-01-15 08:00 UTC.
inline constexpr UnixSeconds kDay = 24 * 3600;

inline Ipv4Subnet subnet(std::string_view text) {
  const auto parsed = Ipv4Subnet::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Ipv4Subnet{});
}

/// The network "grid", 10.128.0.0/16, for ten years.
inline Authority grid(uint64_t seed = 1) {
  SeededRandom random(seed);
  return Authority::create("grid", subnet("10.128.0.0/16"), 3650 * kDay, kNow, random);
}

inline Identity identity(uint64_t seed) {
  SeededRandom random(seed);
  return Identity::generate(random);
}

}  // namespace ipop::testing
