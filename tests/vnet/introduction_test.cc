#include "overlay/vnet/introduction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using testing::HasSubstr;

TEST(Introduction, IsReadFromOneToThreeWords) {
  const MacAddress guest = *MacAddress::parse("52:54:00:00:00:01");
  EXPECT_EQ(*Introduction::parse("52:54:00:00:00:01"), (Introduction{.mac = guest}));
  EXPECT_EQ(*Introduction::parse("52:54:00:00:00:01 10.128.0.9"),
            (Introduction{.mac = guest, .ip = ip("10.128.0.9")}));
  EXPECT_EQ(*Introduction::parse("52:54:00:00:00:01 web"), (Introduction{.mac = guest, .name = "web"}));
  EXPECT_EQ(*Introduction::parse("52:54:00:00:00:01 10.128.0.9 web"),
            (Introduction{.mac = guest, .ip = ip("10.128.0.9"), .name = "web"}));
}

TEST(Introduction, OfAnythingElseItSaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no MAC address"},
      {"web", "web: no MAC address"},
      {"52:54:00:00:00:01 10.128.0", "10.128.0: neither"},
      {"52:54:00:00:00:01 a_b", "a_b: neither"},
      {"52:54:00:00:00:01 web 10.128.0.9", "10.128.0.9: one word too many"},
      {"52:54:00:00:00:01 10.128.0.9 10.128.0.10", "10.128.0.10: neither"},
  };
  for (const auto& [text, sentence] : cases) {
    const auto read = Introduction::parse(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().text, HasSubstr(sentence));
  }
}

TEST(Introductions, TheLastWordOnAGuestCounts) {
  Introductions said;
  ASSERT_TRUE(said.add({.mac = mac(1), .ip = ip("10.128.0.9"), .name = "web"}));
  EXPECT_EQ(said.find(mac(1))->name, "web");
  EXPECT_EQ(said.whose(ip("10.128.0.9")), mac(1));
  ASSERT_TRUE(said.add({.mac = mac(1), .ip = ip("10.128.0.10")}));
  EXPECT_EQ(said.find(mac(1))->name, "");
  EXPECT_EQ(said.whose(ip("10.128.0.9")), std::nullopt);
  ASSERT_TRUE(said.add({.mac = mac(1)}));
  EXPECT_EQ(said.find(mac(1)), nullptr);
  EXPECT_EQ(said.whose(ip("10.128.0.10")), std::nullopt);
}

TEST(Introductions, AnAddressIsOneGuests) {
  Introductions said;
  ASSERT_TRUE(said.add({.mac = mac(1), .ip = ip("10.128.0.9")}));
  ASSERT_TRUE(said.add({.mac = mac(1), .ip = ip("10.128.0.9"), .name = "web"})) << "its own";
  ASSERT_TRUE(said.add({.mac = mac(2), .name = "db"}));
  const auto refused = said.add({.mac = mac(2), .ip = ip("10.128.0.9")});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("is to be that of " + mac(1).to_string()));
  EXPECT_EQ(said.find(mac(2))->name, "db") << "nothing has changed";
}

TEST(Introductions, AreBounded) {
  Introductions said;
  MacAddress guest{{0x52, 0x54, 0, 0, 0, 0}};
  for (size_t i = 0; i < Introductions::kMax; ++i) {
    guest.bytes[4] = static_cast<uint8_t>(i >> 8);
    guest.bytes[5] = static_cast<uint8_t>(i);
    ASSERT_TRUE(said.add({.mac = guest, .name = "web"}));
  }
  EXPECT_TRUE(said.add({.mac = guest, .name = "db"})) << "one of them";
  guest.bytes[3] = 1;
  EXPECT_FALSE(said.add({.mac = guest, .name = "web"}));
}

}  // namespace
}  // namespace ipop
