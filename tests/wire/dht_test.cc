#include "overlay/wire/dht.h"

#include <gtest/gtest.h>

#include "overlay/wire/ring_message.h"

namespace ipop::wire {
namespace {

const NodeId kNode = {{0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9,
                       0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3}};
const std::string kNodeHex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3";
const std::string kSignatureHex = std::string(64, '1') + std::string(64, '2');
const std::string kRecordHex =
    "01"
    "02"
    "00000000000000000000ffff0a800102"
    "525400123456" +
    kNodeHex +
    "0000000000000003"
    "0000018bcfe56800"
    "000000006553f100"
    "03"
    "766d31"
    "0002"
    "3082" +
    kSignatureHex;
const std::string kIdHex = "0000000000000011";

DhtRecord record() {
  DhtRecord out;
  out.kind = DhtAddress::Kind::Ip;
  out.state = DhtRecord::State::Bound;
  out.ip = Ipv4Address{0x0a800102};
  out.mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
  out.node = kNode;
  out.sequence = 3;
  out.issued_ms = 1'700'000'000'000;
  out.expires_s = 1'700'000'000;
  out.name = "vm1";
  out.certificate = {0x30, 0x82};
  for (size_t i = 0; i < 64; ++i) out.signature[i] = i < 32 ? 0x11 : 0x22;
  return out;
}

std::array<uint8_t, 64> signature() { return record().signature; }

struct Example {
  const char* name;
  RingMessage message;
  std::string hex;
};

// Written from the drawings of docs/protocol.md, field by field.
std::vector<Example> examples() {
  DhtRequest get;
  get.id = 0x11;
  get.operation = DhtRequest::Operation::Get;
  get.asker = kNode;
  get.address = {.kind = DhtAddress::Kind::Mac, .ip = {}, .mac = record().mac};
  DhtRequest create;
  create.id = 0x11;
  create.operation = DhtRequest::Operation::Create;
  create.asker = kNode;
  create.is_relayed = true;
  create.record = record();
  create.address = record().address();
  DhtReply held;
  held.id = 0x11;
  held.verdict = DhtReply::Verdict::Held;
  held.record = record();
  held.certificate = {0x30};
  held.signature = signature();
  DhtReply unsure = held;
  unsure.verdict = DhtReply::Verdict::Accepted;
  unsure.is_unsure = true;
  unsure.record.reset();
  return {
      {"Get of a MAC", get, "0b" + kIdHex + "01" + kNodeHex + "00" + "02" + "525400123456"},
      {"Create, passed on", create, "0b" + kIdHex + "02" + kNodeHex + "01" + kRecordHex},
      {"Held", held, "0c" + kIdHex + "02" + "00" + kRecordHex + "000130" + kSignatureHex},
      {"Accepted by who is not sure", unsure, "0c" + kIdHex + "01" + "01" + "000130" + kSignatureHex},
      {"Pull", DhtPull{.id = 0x11, .from = kNode, .has_nothing = true}, "0d" + kIdHex + kNodeHex + "01"},
      {"Page with more to come", DhtPage{.id = 0x11, .next = kNode, .entries = {{.key = kNode, .stamp = 5}}},
       "0e" + kIdHex + "01" + kNodeHex + "01" + kNodeHex + "0000000000000005"},
      {"Last page, empty", DhtPage{.id = 0x11, .next = {}, .entries = {}}, "0e" + kIdHex + "00" + "00"},
      {"Fetch", DhtFetch{.keys = {kNode}}, "0f" + std::string("01") + kNodeHex},
      {"Notice", DhtNotice{.record = record()}, "10" + kRecordHex},
  };
}

TEST(Dht, EncodesAsDrawn) {
  for (const auto& example : examples()) {
    EXPECT_EQ(to_hex(encode_ring_message(example.message)), example.hex) << example.name;
  }
}

TEST(Dht, DecodesWhatItEncodes) {
  for (const auto& example : examples()) {
    const auto decoded = decode_ring_message(*from_hex(example.hex));
    ASSERT_TRUE(decoded) << example.name;
    EXPECT_EQ(*decoded, example.message) << example.name;
  }
}

TEST(Dht, EveryTruncationIsMalformed) {
  for (const auto& example : examples()) {
    const Bytes whole = *from_hex(example.hex);
    for (size_t n = 1; n < whole.size(); ++n) {
      const auto decoded = decode_ring_message(ByteView(whole).first(n));
      ASSERT_FALSE(decoded) << example.name << ", " << n << " octets";
      EXPECT_EQ(decoded.error(), Error::Malformed);
    }
  }
}

std::string times(size_t n, const std::string& hex) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += hex;
  return out;
}

TEST(Dht, BoundsEveryList) {
  const auto decodes = [](const std::string& hex) { return decode_ring_message(*from_hex(hex)).has_value(); };
  EXPECT_TRUE(decodes("0e" + kIdHex + "00" + "24" + times(36, kNodeHex + "0000000000000005")));
  EXPECT_FALSE(decodes("0e" + kIdHex + "00" + "25" + times(37, kNodeHex + "0000000000000005")));
  EXPECT_TRUE(decodes("0f24" + times(36, kNodeHex)));
  EXPECT_FALSE(decodes("0f25" + times(37, kNodeHex)));
  DhtRecord big = record();
  big.name = std::string(63, 'a');
  big.certificate = Bytes(800, 1);
  Bytes encoded = encode_ring_message(DhtNotice{.record = big});
  EXPECT_TRUE(decode_ring_message(encoded));
  const size_t certificate_at = encoded.size() - 64 - 800 - 2;
  encoded[certificate_at + 1] = static_cast<uint8_t>(encoded[certificate_at + 1] + 1);
  EXPECT_FALSE(decode_ring_message(encoded)) << "801 octets";
}

TEST(Dht, RefusesWhatThereIsNot) {
  const auto with = [](size_t at, int value) {
    Bytes bytes = *from_hex("10" + kRecordHex);
    bytes[at] = static_cast<uint8_t>(value);
    return decode_ring_message(bytes).has_value();
  };
  for (int value = 0; value < 256; ++value) {
    EXPECT_EQ(with(1, value), value == 1 || value == 2) << "kind " << value;
    EXPECT_EQ(with(2, value), value >= 1 && value <= 3) << "state " << value;
  }
  EXPECT_FALSE(with(19, 0x53)) << "a group's MAC";
  Bytes nowhere = *from_hex("10" + kRecordHex);
  for (size_t i = 3; i < 19; ++i) nowhere[i] = 0;
  EXPECT_FALSE(decode_ring_message(nowhere)) << "an IP's record without one";
}

TEST(DhtRecord, ItsAddressIsWhatItIsKeptUnder) {
  DhtRecord it = record();
  EXPECT_EQ(it.address(),
            (DhtAddress{.kind = DhtAddress::Kind::Ip, .ip = Ipv4Address{0x0a800102}, .mac = {}}));
  it.kind = DhtAddress::Kind::Mac;
  EXPECT_EQ(it.address(), (DhtAddress{.kind = DhtAddress::Kind::Mac, .ip = {}, .mac = it.mac}));
}

}  // namespace
}  // namespace ipop::wire
