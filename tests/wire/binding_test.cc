#include "overlay/wire/binding.h"

#include <gtest/gtest.h>

namespace ipop::wire {
namespace {

// The whole messages, truncations included, are in ring_message_test.cc; here is what their fields may hold.

constexpr char kHead[] = "00000000000000000000ffff0a800102";  // 10.128.1.2.
constexpr char kMac[] = "525400123456";
constexpr char kTail[] =
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3"
    "0000000000000003"
    "00000e10";

std::string hex(const std::string& mac, const std::string& name) { return kHead + mac + kTail + name; }

/// Whether `read` takes all of it.
template <class Read>
bool reads(Read read, const std::string& text) {
  const Bytes bytes = *from_hex(text);
  Reader in(bytes);
  (void)read(in);
  return in.done();
}

TEST(Binding, BelongsToOneInterface) {
  EXPECT_TRUE(reads(read_announcement, hex(kMac, "00")));
  EXPECT_FALSE(reads(read_announcement, hex("535400123456", "00"))) << "a group's MAC lives nowhere";
  EXPECT_FALSE(reads(read_announcement, hex("ffffffffffff", "00")));
}

TEST(Binding, HasANameOfADnsLabelAtMost) {
  const std::string octets64(128, '6');
  EXPECT_TRUE(reads(read_announcement, hex(kMac, "3f" + octets64.substr(0, 126))));
  EXPECT_FALSE(reads(read_announcement, hex(kMac, "40" + octets64)));
  EXPECT_FALSE(reads(read_announcement, hex(kMac, "ff")));
}

TEST(Binding, OfAGuestWithoutAnAddressIsGood) {
  EXPECT_TRUE(reads(read_announcement, std::string(32, '0') + kMac + kTail + "00"));
  EXPECT_FALSE(
      reads(read_announcement, std::string("00000000000000000000ffff00000000") + kMac + kTail + "00"))
      << "the unspecified address has one form";
}

TEST(Binding, HoldsAnAddressOfEitherFamily) {
  const Bytes bytes = *from_hex(std::string("fd01020304050000505400fffe123456") + kMac + kTail + "00");
  Reader in(bytes);
  const BindingRecord record = read_announcement(in).binding;
  EXPECT_TRUE(in.done());
  EXPECT_EQ(record.ip.to_string(), "fd01:203:405:0:5054:ff:fe12:3456");
}

TEST(Query, AsksForAnAddressOrAMac) {
  const auto query = [](const std::string& kind) {
    return "0000000000000011" + kind + kHead + "000000000000" + "00" + "00";
  };
  EXPECT_FALSE(reads(read_query, query("00")));
  EXPECT_TRUE(reads(read_query, query("01")));
  EXPECT_TRUE(reads(read_query, query("02")));
  EXPECT_FALSE(reads(read_query, query("03")));
}

TEST(Query, SaysWhetherAClaimantAndAnAskerFollow) {
  const std::string query = "0000000000000011" + std::string("01") + kHead + "000000000000";
  EXPECT_TRUE(reads(read_query, query + "00" + "00"));
  EXPECT_TRUE(reads(read_query, query + "01" + kMac + "01" + hex(kMac, "00")));
  EXPECT_FALSE(reads(read_query, query + "02" + "00")) << "a presence is 0 or 1";
  EXPECT_FALSE(reads(read_query, query + "00" + "02"));
  EXPECT_FALSE(reads(read_query, query + "00" + "01" + hex("ffffffffffff", "00"))) << "an asker is a binding";
}

TEST(Answer, SaysWhetherABindingFollows) {
  const std::string id = "0000000000000011";
  EXPECT_TRUE(reads(read_answer, id + "00"));
  EXPECT_TRUE(reads(read_answer, id + "01" + hex(kMac, "00")));
  EXPECT_FALSE(reads(read_answer, id + "02" + hex(kMac, "00")));
}

TEST(Presence, OfNothingIsAFailure) {
  Reader in({});
  EXPECT_FALSE(read_presence(in));
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace ipop::wire
