#include "overlay/wire/control.h"

#include <gtest/gtest.h>

namespace ipop::wire {
namespace {

const NodeId kNode = {{0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9,
                       0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3}};
const MacAddress kMac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
const MacAddress kOtherMac = {{0x52, 0x54, 0x00, 0xab, 0xcd, 0xef}};
const Ipv4Address kIp = {0x0a800102};                               // 10.128.1.2.
const Endpoint kPublic = Endpoint::from_ipv4({0xcb007107}, 51128);  // 203.0.113.7:51128.

BindingRecord binding() {
  return {.ip = kIp, .mac = kMac, .node = kNode, .sequence = 3, .lifetime_s = 3600, .name = "vm1"};
}

constexpr char kBindingHex[] =
    "0a800102"
    "525400123456"
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3"
    "0000000000000003"
    "00000e10"
    "03"
    "766d31";

struct Example {
  const char* name;
  ControlMessage message;
  std::string hex;
};

// Written from the drawings in control.h, field by field.
std::vector<Example> examples() {
  const std::string node_hex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3";
  const std::string endpoint_hex =
      "00000000000000000000ffffcb007107"
      "c7b8";
  return {
      {"Ping", Ping{.token = 0x0102030405060708},
       "01"
       "0102030405060708"},
      {"Pong", Pong{.token = 0x0102030405060708, .observed = kPublic},
       "02"
       "0102030405060708" +
           endpoint_hex},
      {"Members, none", Members{},
       "03"
       "00"},
      {"Members, one", Members{.members = {{.node = kNode, .endpoint = kPublic}}},
       "03"
       "01" +
           node_hex + endpoint_hex},
      {"Query for an address",
       Query{.id = 0x11, .kind = Query::Kind::Ip, .ip = kIp, .mac = {}, .claimant = {}, .asker = {}},
       "04"
       "0000000000000011"
       "01"
       "0a800102"
       "000000000000"
       "00"
       "00"},
      {"Query for a MAC",
       Query{.id = 0x12, .kind = Query::Kind::Mac, .ip = {}, .mac = kMac, .claimant = {}, .asker = {}},
       "04"
       "0000000000000012"
       "02"
       "00000000"
       "525400123456"
       "00"
       "00"},
      {"Query with a claimant and an asker",
       Query{.id = 0x13,
             .kind = Query::Kind::Ip,
             .ip = kIp,
             .mac = {},
             .claimant = kOtherMac,
             .asker = binding()},
       std::string("04"
                   "0000000000000013"
                   "01"
                   "0a800102"
                   "000000000000"
                   "01"
                   "525400abcdef"
                   "01") +
           kBindingHex},
      {"Answer, not I", Answer{.id = 0x14, .binding = {}},
       "05"
       "0000000000000014"
       "00"},
      {"Answer", Answer{.id = 0x14, .binding = binding()},
       std::string("05"
                   "0000000000000014"
                   "01") +
           kBindingHex},
      {"Announcement", Announcement{.binding = binding()}, std::string("06") + kBindingHex},
      {"Goodbye", Goodbye{}, "07"},
  };
}

TEST(Control, EncodesAsDrawn) {
  for (const auto& example : examples()) {
    EXPECT_EQ(to_hex(encode_control(example.message)), example.hex) << example.name;
  }
}

TEST(Control, DecodesAsDrawn) {
  for (const auto& example : examples()) {
    const auto decoded = decode_control(*from_hex(example.hex));
    ASSERT_TRUE(decoded) << example.name;
    EXPECT_EQ(*decoded, example.message) << example.name;
  }
}

TEST(Control, RefusesEveryTruncation) {
  for (const auto& example : examples()) {
    const Bytes whole = *from_hex(example.hex);
    for (size_t n = 0; n < whole.size(); ++n) {
      const auto decoded = decode_control(ByteView(whole).first(n));
      ASSERT_FALSE(decoded) << example.name << ", " << n << " octets";
      EXPECT_EQ(decoded.error(), Error::Malformed);
    }
  }
}

TEST(Control, IgnoresWhatALaterVersionAppends) {
  for (const auto& example : examples()) {
    const auto decoded = decode_control(*from_hex(example.hex + "0123"));
    ASSERT_TRUE(decoded) << example.name;
    EXPECT_EQ(*decoded, example.message) << example.name;
  }
}

TEST(Control, DoesNotKnowOtherKinds) {
  for (const uint8_t kind : Bytes{0, 8, 9, 127, 255}) {
    EXPECT_EQ(decode_control(Bytes{kind, 0, 0, 0, 0, 0, 0, 0, 0}).error(), Error::UnknownType) << int{kind};
  }
}

TEST(Control, BoundsTheListOfMembers) {
  Members list;
  for (size_t i = 0; i < 30; ++i) {
    NodeId node = kNode;
    node.bytes[19] = static_cast<uint8_t>(i);
    list.members.push_back({.node = node, .endpoint = kPublic});
  }
  const Bytes full = encode_control(list);
  EXPECT_LE(full.size() + 32, 1200u);
  const auto decoded = decode_control(full);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<Members>(*decoded), list);

  Bytes over = full;
  over[1] = 31;
  over.resize(over.size() + 38);
  EXPECT_EQ(decode_control(over).error(), Error::Malformed);
}

TEST(Control, RefusesAbsurdBindings) {
  const std::string head =
      "06"
      "0a800102";
  const std::string tail =
      "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3"
      "0000000000000003"
      "00000e10";
  ASSERT_TRUE(decode_control(*from_hex(head + "525400123456" + tail + "00")));
  EXPECT_EQ(decode_control(*from_hex(head + "535400123456" + tail + "00")).error(), Error::Malformed)
      << "a group's MAC lives nowhere";
  EXPECT_EQ(decode_control(*from_hex(head + "ffffffffffff" + tail + "00")).error(), Error::Malformed);

  std::string name;
  for (int i = 0; i < 63; ++i) name += "61";
  ASSERT_TRUE(decode_control(*from_hex(head + "525400123456" + tail + "3f" + name)));
  EXPECT_EQ(decode_control(*from_hex(head + "525400123456" + tail + "40" + name + "61")).error(),
            Error::Malformed)
      << "a DNS label has at most 63 octets";
}

TEST(Control, RefusesAbsurdQueriesAndAnswers) {
  const std::string body =
      "0a800102"
      "000000000000";
  EXPECT_EQ(decode_control(*from_hex("04"
                                     "0000000000000011"
                                     "00" +
                                     body + "0000"))
                .error(),
            Error::Malformed);
  EXPECT_EQ(decode_control(*from_hex("04"
                                     "0000000000000011"
                                     "03" +
                                     body + "0000"))
                .error(),
            Error::Malformed);
  EXPECT_EQ(decode_control(*from_hex("04"
                                     "0000000000000011"
                                     "01" +
                                     body + "0200"))
                .error(),
            Error::Malformed)
      << "a presence is 0 or 1";
  EXPECT_EQ(decode_control(*from_hex("04"
                                     "0000000000000011"
                                     "01" +
                                     body + "0002"))
                .error(),
            Error::Malformed);
  EXPECT_EQ(decode_control(*from_hex("05"
                                     "0000000000000011"
                                     "02"))
                .error(),
            Error::Malformed);
}

}  // namespace
}  // namespace ipop::wire
