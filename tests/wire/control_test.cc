#include "overlay/wire/control.h"

#include <gtest/gtest.h>

#include "overlay/session/keypair.h"
#include "overlay/wire/ring_message.h"

namespace ipop::wire {
namespace {

const NodeId kNode = {{0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9,
                       0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3}};
const NodeId kSource = {{0xc0}};
const NodeId kVia = {{0xd0}};
const Endpoint kPublic = Endpoint::from_ipv4({0xcb007107}, 51128);  // 203.0.113.7:51128.

const std::string kNodeHex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3";
const std::string kSourceHex = "c000000000000000000000000000000000000000";
const std::string kViaHex = "d000000000000000000000000000000000000000";
const std::string kEndpointHex =
    "04"
    "cb007107"
    "c7b8";
const std::string kNowhereHex = "00";

struct Example {
  const char* name;
  ControlMessage message;
  std::string hex;
};

// Written from the drawings in control.h, field by field.
std::vector<Example> examples() {
  return {
      {"Ping", Ping{.token = 0x0102030405060708},
       "01"
       "0102030405060708"
       "00"},
      {"Ping of a sender with a use for the link",
       Ping{.token = 1, .wants_link = true, .asks_endpoint = false},
       "01"
       "0000000000000001"
       "01"},
      {"Ping that asks where it came from", Ping{.token = 1, .wants_link = false, .asks_endpoint = true},
       "01"
       "0000000000000001"
       "02"},
      {"Ping with both", Ping{.token = 1, .wants_link = true, .asks_endpoint = true},
       "01"
       "0000000000000001"
       "03"},
      {"Ping that asks what has arrived",
       Ping{.token = 1, .wants_link = false, .asks_endpoint = false, .asks_received = true},
       "01"
       "0000000000000001"
       "04"},
      {"Pong", Pong{.token = 0x0102030405060708, .wants_link = false, .observed = {}},
       "02"
       "0102030405060708"
       "00"
       "00"},
      {"Pong with an endpoint", Pong{.token = 0x0102030405060708, .wants_link = true, .observed = kPublic},
       "02"
       "0102030405060708"
       "01"
       "01" +
           kEndpointHex},
      {"Pong with all",
       Pong{.token = 0x0102030405060708, .wants_link = true, .observed = kPublic, .received = 0x1122334455},
       "02"
       "0102030405060708"
       "03"
       "01" +
           kEndpointHex + "0000001122334455"},
      {"Members, none", Members{},
       "03"
       "00"},
      {"Members, one of them reached over the ring only",
       Members{.members = {{.node = kNode, .endpoint = kPublic}, {.node = kSource, .endpoint = {}}}},
       "03"
       "02" +
           kNodeHex + kEndpointHex + kSourceHex + kNowhereHex},
      {"Gone", Gone{.node = kNode}, "04" + kNodeHex},
      {"Goodbye of a process that ends", Goodbye{.reason = Goodbye::Reason::Stopping},
       "05"
       "00"},
      {"Goodbye of one that lives on", Goodbye{.reason = Goodbye::Reason::Unneeded},
       "05"
       "01"},
      {"Routed",
       Routed{.mode = Routed::Mode::Exact,
              .hops = 3,
              .detours = 1,
              .ack_token = 0x11223344,
              .id = 0x0102030405060708,
              .source = kSource,
              .destination = kNode,
              .via = {},
              .body = {0x06, 0xaa}},
       "06"
       "01"
       "03"
       "01"
       "11223344"
       "0102030405060708" +
           kSourceHex + kNodeHex +
           "00"
           "0002"
           "06aa"},
      {"Routed to the owner, without a body",
       Routed{.mode = Routed::Mode::Owner,
              .hops = 40,
              .detours = 6,
              .ack_token = 0,
              .id = 1,
              .source = kSource,
              .destination = kNode,
              .via = {},
              .body = {}},
       "06"
       "02"
       "28"
       "06"
       "00000000"
       "0000000000000001" +
           kSourceHex + kNodeHex +
           "00"
           "0000"},
      {"Routed to the next one, by way of another",
       Routed{.mode = Routed::Mode::After,
              .hops = 0,
              .detours = 0,
              .ack_token = 1,
              .id = 2,
              .source = kSource,
              .destination = kNode,
              .via = kVia,
              .body = {0xff}},
       "06"
       "03"
       "00"
       "00"
       "00000001"
       "0000000000000002" +
           kSourceHex + kNodeHex + "01" + kViaHex +
           "0001"
           "ff"},
      {"Ack, refused", Ack{.token = 0x11223344, .taken = false},
       "07"
       "11223344"
       "00"},
      {"Ack, taken", Ack{.token = 0x11223344, .taken = true},
       "07"
       "11223344"
       "01"},
      {"Broadcast",
       Broadcast{.hops = 2,
                 .id = 0x0102030405060708,
                 .source = kSource,
                 .bound = kNode,
                 .body = {0x08, 0x01, 0x02}},
       "08"
       "02"
       "0102030405060708" +
           kSourceHex + kNodeHex +
           "0003"
           "080102"},
      {"Direct", Direct{.body = {0x0f, 0x00}},
       "09"
       "0002"
       "0f00"},
      {"SettingsOffer",
       SettingsOffer{.version = 1764086400,
                     .size = 0x0123,
                     .stamp = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7},
                     .asks = false},
       "0a"
       "000000006925d280"
       "0123"
       "a0a1a2a3a4a5a6a7"
       "00"},
      {"SettingsOffer of a sender that asks",
       SettingsOffer{.version = 1, .size = 2, .stamp = {}, .asks = true},
       "0a"
       "0000000000000001"
       "0002"
       "0000000000000000"
       "01"},
      {"SettingsRequest", SettingsRequest{.version = 1764086400, .offset = 1000},
       "0b"
       "000000006925d280"
       "03e8"},
      {"SettingsPiece", SettingsPiece{.version = 1764086400, .offset = 1000, .octets = {0xb0, 0xb1, 0xb2}},
       "0c"
       "000000006925d280"
       "03e8"
       "0003"
       "b0b1b2"},
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
  for (const uint8_t kind : Bytes{0, 13, 14, 127, 255}) {
    EXPECT_EQ(decode_control(Bytes{kind, 0, 0, 0, 0, 0, 0, 0, 0}).error(), Error::UnknownType) << int{kind};
  }
}

/// Each octet of the message at `at` that decodes, in ascending order.
std::vector<int> allowed(const std::string& hex, size_t at) {
  Bytes bytes = *from_hex(hex);
  std::vector<int> out;
  for (int value = 0; value < 256; ++value) {
    bytes[at] = static_cast<uint8_t>(value);
    if (const auto decoded = decode_control(bytes)) {
      out.push_back(value);
    } else {
      EXPECT_EQ(decoded.error(), Error::Malformed);
    }
  }
  return out;
}

std::vector<int> up_to(int last) {
  std::vector<int> out;
  for (int i = 0; i <= last; ++i) out.push_back(i);
  return out;
}

TEST(Control, RefusesFlagsThatItDoesNotKnow) {
  const std::string token = "0000000000000001";
  EXPECT_EQ(allowed("01" + token + "00", 9), up_to(7));
  EXPECT_EQ(allowed("02" + token + "00" + "00", 9), up_to(1)) << "whoever answers asks for no endpoint";
}

TEST(Control, APresenceIsZeroOrOne) {
  const std::string envelope = "01000000000000" + std::string("0000000000000001") + kSourceHex + kNodeHex;
  EXPECT_EQ(allowed("0200000000000000010000" + kEndpointHex, 10), up_to(1));
  EXPECT_EQ(allowed("06" + envelope + "00" + std::string(40, '0') + "0000", 56), up_to(1));
  EXPECT_EQ(allowed("070000000100", 5), up_to(1));
}

TEST(Control, RefusesGoodbyesForUnknownReasons) { EXPECT_EQ(allowed("0500", 1), up_to(1)); }

TEST(Control, RefusesRoutedMessagesThatWentAstray) {
  const std::string routed =
      "06"
      "01"
      "00"
      "00"
      "00000000"
      "0000000000000001" +
      kSourceHex + kNodeHex + "000000";
  EXPECT_EQ(allowed(routed, 1), (std::vector{1, 2, 3, 4})) << "modes";
  EXPECT_EQ(allowed(routed, 2), up_to(40)) << "hops";
  EXPECT_EQ(allowed(routed, 3), up_to(6)) << "detours";
  EXPECT_EQ(allowed("0800" + std::string("0000000000000001") + kSourceHex + kNodeHex + "0000", 1), up_to(40));
}

Members members(size_t count) {
  Members list;
  for (size_t i = 0; i < count; ++i) {
    NodeId node = kNode;
    node.bytes[19] = static_cast<uint8_t>(i);
    list.members.push_back({.node = node, .endpoint = *Endpoint::parse("[2001:db8::7]:51128")});
  }
  return list;
}

TEST(Control, BoundsTheListOfMembers) {
  const Bytes full = encode_control(members(28));
  EXPECT_EQ(full.size(), 2u + 28 * 39);
  const auto decoded = decode_control(full);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<Members>(*decoded), members(28));

  Bytes over = full;
  over[1] = 29;
  over.resize(over.size() + 39);
  EXPECT_EQ(decode_control(over).error(), Error::Malformed);
}

TEST(Control, TheLongestMessagesFitADatagram) {
  const auto sealed = [](const RingMessage& message) {
    const Routed envelope{.mode = Routed::Mode::Exact,
                          .ack_token = 1,
                          .id = 1,
                          .source = kSource,
                          .destination = kNode,
                          .via = kVia,
                          .body = encode_ring_message(message)};
    return encode_control(envelope).size() + Keypair::kOverhead;
  };
  TraceRequest trace;
  trace.hops.resize(TraceRequest::kMaxHops);
  EXPECT_LE(sealed(trace), 1200u);
  EXPECT_LE(sealed(TraceReply{.trace = trace}), 1200u);
  NeighboursReply neighbours;
  neighbours.host = std::string(63, 'h');
  neighbours.successors.resize(NeighboursReply::kMaxCount);
  neighbours.predecessors.resize(NeighboursReply::kMaxCount);
  EXPECT_LE(sealed(neighbours), 1200u);
}

TEST(Control, APieceOfSettingsFitsADatagramOverTheRing) {
  const SettingsPiece piece{
      .version = ~uint64_t{0}, .offset = 0xffff, .octets = Bytes(SettingsPiece::kMaxSize)};
  const size_t sealed = encode_control(piece).size() + DataHeader::kSize + 16;
  const Routed routed{.mode = Routed::Mode::Exact,
                      .hops = 0,
                      .detours = 0,
                      .ack_token = 1,
                      .id = 1,
                      .source = kSource,
                      .destination = kNode,
                      .via = kVia,
                      .body = encode_ring_message(Carried{.datagram = Bytes(sealed)})};
  EXPECT_LE(encode_control(routed).size() + DataHeader::kSize + 16, 1200u);

  Bytes longer = encode_control(piece);
  longer[11] = 0x03;  // Its size: 1001, and an octet more.
  longer[12] = 0xe9;
  longer.push_back(0);
  EXPECT_EQ(decode_control(longer).error(), Error::Malformed);
}

}  // namespace
}  // namespace ipop::wire
