#include "overlay/wire/ring_message.h"

#include <gtest/gtest.h>

#include <limits>

namespace ipop::wire {
namespace {

const NodeId kNode = {{0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9,
                       0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3}};
const NodeId kOther = {{0xc0}};
const MacAddress kMac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
const MacAddress kOtherMac = {{0x52, 0x54, 0x00, 0xab, 0xcd, 0xef}};
const Ipv4Address kIp = {0x0a800102};                               // 10.128.1.2.
const Endpoint kPublic = Endpoint::from_ipv4({0xcb007107}, 51128);  // 203.0.113.7:51128.

const std::string kNodeHex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3";
const std::string kOtherHex = "c000000000000000000000000000000000000000";
const std::string kEndpointHex =
    "04"
    "cb007107"
    "c7b8";
const std::string kNowhereHex = "00";
const std::string kBindingHex =
    "00000000000000000000ffff0a800102"
    "525400123456"
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3"
    "0000000000000003"
    "00000e10"
    "03"
    "766d31";

BindingRecord binding() {
  return {.ip = kIp, .mac = kMac, .node = kNode, .sequence = 3, .lifetime_s = 3600, .name = "vm1"};
}

struct Example {
  const char* name;
  RingMessage message;
  std::string hex;
};

// Written from ring_message.h and binding.h, field by field.  Carried, which has no end of its own, is below.
std::vector<Example> examples() {
  return {
      {"Connect of a newcomer",
       Connect{.purpose = Purpose::Near, .subject = {.node = kNode, .endpoint = {}}, .via = kOther},
       "02"
       "01" +
           kNodeHex + kNowhereHex + "01" + kOtherHex},
      {"Connect for a shortcut",
       Connect{.purpose = Purpose::Shortcut, .subject = {.node = kNode, .endpoint = kPublic}, .via = {}},
       "02"
       "02" +
           kNodeHex + kEndpointHex + "00"},
      {"ConnectReply of a neighbour that does not know where it is",
       ConnectReply{.purpose = Purpose::Near, .responder = {.node = kOther, .endpoint = {}}},
       "03"
       "01" +
           kOtherHex + kNowhereHex},
      {"ConnectReply for traffic",
       ConnectReply{.purpose = Purpose::Traffic, .responder = {.node = kNode, .endpoint = kPublic}},
       "03"
       "03" +
           kNodeHex + kEndpointHex},
      {"Members",
       Members{.members = {{.node = kNode, .endpoint = kPublic}, {.node = kOther, .endpoint = {}}}},
       "11"
       "02" +
           kNodeHex + kEndpointHex + kOtherHex + kNowhereHex},
      {"TraceRequest that has just left", TraceRequest{.id = 0x21, .hops = {}},
       "04"
       "0000000000000021"
       "00"},
      {"TraceRequest of two hops",
       TraceRequest{.id = 0x21,
                    .hops = {{.node = kNode, .round_trip_us = 80'000}, {.node = kOther, .round_trip_us = 0}}},
       "04"
       "0000000000000021"
       "02" +
           kNodeHex + "00013880" + kOtherHex + "00000000"},
      {"TraceReply", TraceReply{.trace = {.id = 0x21, .hops = {{.node = kNode, .round_trip_us = 1}}}},
       "05"
       "0000000000000021"
       "01" +
           kNodeHex + "00000001"},
      {"NeighboursRequest", NeighboursRequest{.id = 0x31},
       "06"
       "0000000000000031"},
      {"NeighboursReply of a node alone",
       NeighboursReply{.id = 0x31, .host = "", .successors = {}, .predecessors = {}},
       "07"
       "0000000000000031"
       "00"
       "00"
       "00"},
      {"NeighboursReply",
       NeighboursReply{.id = 0x31, .host = "alpha", .successors = {kNode, kOther}, .predecessors = {kOther}},
       "07"
       "0000000000000031"
       "05"
       "616c706861"
       "02" +
           kNodeHex + kOtherHex + "01" + kOtherHex},
      {"Query for an address",
       Query{.id = 0x11, .kind = Query::Kind::Ip, .ip = kIp, .mac = {}, .claimant = {}, .asker = {}},
       "08"
       "0000000000000011"
       "01"
       "00000000000000000000ffff0a800102"
       "000000000000"
       "00"
       "00"},
      {"Query for a MAC",
       Query{.id = 0x12, .kind = Query::Kind::Mac, .ip = {}, .mac = kMac, .claimant = {}, .asker = {}},
       "08"
       "0000000000000012"
       "02"
       "00000000000000000000000000000000"
       "525400123456"
       "00"
       "00"},
      {"Query for a name",
       Query{.id = 0x15,
             .kind = Query::Kind::Name,
             .ip = kIp,
             .mac = {},
             .name = "vm1",
             .claimant = {},
             .asker = {}},
       "08"
       "0000000000000015"
       "03"
       "00000000000000000000ffff0a800102"
       "000000000000"
       "03766d31"
       "00"
       "00"},
      {"Query with a claimant and an asker",
       Query{.id = 0x13,
             .kind = Query::Kind::Ip,
             .ip = kIp,
             .mac = {},
             .claimant = kOtherMac,
             .asker = binding()},
       "08"
       "0000000000000013"
       "01"
       "00000000000000000000ffff0a800102"
       "000000000000"
       "01"
       "525400abcdef"
       "01" +
           kBindingHex},
      {"Answer, not I", Answer{.id = 0x14, .binding = {}},
       "09"
       "0000000000000014"
       "00"},
      {"Answer", Answer{.id = 0x14, .binding = binding()},
       "09"
       "0000000000000014"
       "01" +
           kBindingHex},
      {"Announcement", Announcement{.binding = binding()}, "0a" + kBindingHex},
  };
}

TEST(RingMessage, EncodesAsDrawn) {
  for (const auto& example : examples()) {
    EXPECT_EQ(to_hex(encode_ring_message(example.message)), example.hex) << example.name;
  }
}

TEST(RingMessage, DecodesAsDrawn) {
  for (const auto& example : examples()) {
    const auto decoded = decode_ring_message(*from_hex(example.hex));
    ASSERT_TRUE(decoded) << example.name;
    EXPECT_EQ(*decoded, example.message) << example.name;
  }
}

TEST(RingMessage, RefusesEveryTruncation) {
  for (const auto& example : examples()) {
    const Bytes whole = *from_hex(example.hex);
    for (size_t n = 0; n < whole.size(); ++n) {
      const auto decoded = decode_ring_message(ByteView(whole).first(n));
      ASSERT_FALSE(decoded) << example.name << ", " << n << " octets";
      EXPECT_EQ(decoded.error(), Error::Malformed);
    }
  }
}

TEST(RingMessage, IgnoresWhatALaterVersionAppends) {
  for (const auto& example : examples()) {
    const auto decoded = decode_ring_message(*from_hex(example.hex + "0123"));
    ASSERT_TRUE(decoded) << example.name;
    EXPECT_EQ(*decoded, example.message) << example.name;
  }
}

TEST(RingMessage, DoesNotKnowOtherKinds) {
  for (const uint8_t kind : Bytes{0, 18, 19, 127, 255}) {
    EXPECT_EQ(decode_ring_message(Bytes{kind, 0, 0, 0, 0, 0, 0, 0, 0}).error(), Error::UnknownType)
        << int{kind};
  }
}

// --- Carried

TEST(Carried, IsTheRestOfTheOctets) {
  for (const std::string datagram : {"", "04", "0400000011223344", "04000000112233440123"}) {
    const Carried carried{.datagram = *from_hex(datagram)};
    EXPECT_EQ(to_hex(encode_ring_message(carried)), "01" + datagram);
    const auto decoded = decode_ring_message(*from_hex("01" + datagram));
    ASSERT_TRUE(decoded) << datagram;
    EXPECT_EQ(*decoded, RingMessage(carried)) << "whatever is appended belongs to the datagram";
  }
}

TEST(Carried, IsKnownByItsFirstOctet) {
  EXPECT_TRUE(is_carried(Bytes{1}));
  EXPECT_TRUE(is_carried(Bytes{1, 99, 99}));
  EXPECT_FALSE(is_carried({}));
  for (const auto& example : examples()) EXPECT_FALSE(is_carried(*from_hex(example.hex))) << example.name;
}

// --- What fields may hold

/// Each octet of the message at `at` that decodes, in ascending order.
std::vector<int> allowed(const std::string& hex, size_t at) {
  Bytes bytes = *from_hex(hex);
  std::vector<int> out;
  for (int value = 0; value < 256; ++value) {
    bytes[at] = static_cast<uint8_t>(value);
    if (const auto decoded = decode_ring_message(bytes)) {
      out.push_back(value);
    } else {
      EXPECT_EQ(decoded.error(), Error::Malformed);
    }
  }
  return out;
}

TEST(RingMessage, RefusesUnknownPurposes) {
  EXPECT_EQ(allowed("0201" + kNodeHex + kEndpointHex + "00", 1), (std::vector{1, 2, 3}));
  EXPECT_EQ(allowed("0301" + kNodeHex + kEndpointHex + "00", 1), (std::vector{1, 2, 3}));
}

TEST(RingMessage, APresenceIsZeroOrOne) {
  EXPECT_EQ(allowed("0201" + kNodeHex + kEndpointHex + "00" + kOtherHex, 29), (std::vector{0, 1}));
}

/// `n` times the same.
std::string times(size_t n, const std::string& hex) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += hex;
  return out;
}

TEST(RingMessage, BoundsEveryList) {
  const std::string id = "0000000000000001";
  for (const std::string kind : {"04", "05"}) {
    EXPECT_TRUE(decode_ring_message(*from_hex(kind + id + "2c" + times(44, kNodeHex + "00000001"))));
    EXPECT_FALSE(decode_ring_message(*from_hex(kind + id + "2d" + times(45, kNodeHex + "00000001"))));
  }

  EXPECT_TRUE(decode_ring_message(*from_hex("07" + id + "3f" + times(63, "61") + "0000")));
  EXPECT_FALSE(decode_ring_message(*from_hex("07" + id + "40" + times(64, "61") + "0000")));
  EXPECT_TRUE(
      decode_ring_message(*from_hex("07" + id + "0008" + times(8, kNodeHex) + "08" + times(8, kNodeHex))));
  EXPECT_FALSE(decode_ring_message(*from_hex("07" + id + "0009" + times(9, kNodeHex) + "00")));
  EXPECT_FALSE(decode_ring_message(*from_hex("07" + id + "0000" + "09" + times(9, kNodeHex))));
}

// --- Traces grow on their way

TEST(TraceHop, IsAppendedToARequest) {
  Bytes body = encode_ring_message(TraceRequest{.id = 0x21, .hops = {}});
  append_trace_hop(body, {.node = kNode, .round_trip_us = 80'000});
  append_trace_hop(body, {.node = kOther, .round_trip_us = std::numeric_limits<uint32_t>::max()});
  EXPECT_EQ(to_hex(body),
            "04" + std::string("0000000000000021") + "02" + kNodeHex + "00013880" + kOtherHex + "ffffffff");
}

TEST(TraceHop, StopsAtTheBound) {
  Bytes body = encode_ring_message(TraceRequest{.id = 0x21, .hops = {}});
  for (uint32_t i = 0; i < 44; ++i) append_trace_hop(body, {.node = kNode, .round_trip_us = i});
  const Bytes full = body;
  append_trace_hop(body, {.node = kOther, .round_trip_us = 44});
  EXPECT_EQ(body, full);
  const auto decoded = decode_ring_message(body);
  ASSERT_TRUE(decoded);
  ASSERT_EQ(std::get<TraceRequest>(*decoded).hops.size(), 44u);
  EXPECT_EQ(std::get<TraceRequest>(*decoded).hops.back().round_trip_us, 43u);
}

TEST(TraceHop, LeavesEveryOtherMessageAlone) {
  for (const auto& example : examples()) {
    if (std::holds_alternative<TraceRequest>(example.message)) continue;
    Bytes body = *from_hex(example.hex);
    append_trace_hop(body, {.node = kOther, .round_trip_us = 1});
    EXPECT_EQ(to_hex(body), example.hex) << example.name;
  }
  Bytes carried = *from_hex(
      "01"
      "04"
      "0000000000000021"
      "00");  // A datagram that looks like one.
  const Bytes before = carried;
  append_trace_hop(carried, {.node = kOther, .round_trip_us = 1});
  EXPECT_EQ(carried, before);
}

// A peer may hand us anything: it is passed on as it came.
TEST(TraceHop, LeavesAMutilatedRequestAlone) {
  const Bytes whole =
      encode_ring_message(TraceRequest{.id = 0x21, .hops = {{.node = kNode, .round_trip_us = 1}}});
  for (size_t n = 0; n < whole.size(); ++n) {
    Bytes body(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n));
    const Bytes before = body;
    append_trace_hop(body, {.node = kOther, .round_trip_us = 1});
    EXPECT_EQ(body, before) << n << " octets";
  }
  Bytes longer = whole;
  longer.push_back(0);
  const Bytes before = longer;
  append_trace_hop(longer, {.node = kOther, .round_trip_us = 1});
  EXPECT_EQ(longer, before) << "a later version's: we do not know where the hops go";
}

}  // namespace
}  // namespace ipop::wire
