#include "overlay/wire/handshake_payload.h"

#include <gtest/gtest.h>

namespace ipop::wire {
namespace {

std::array<uint8_t, 64> filled(uint8_t value) {
  std::array<uint8_t, 64> out;
  out.fill(value);
  return out;
}

TEST(HandshakePayload, IsSizeCertificateSignature) {
  const HandshakePayload payload{.certificate = {0x30, 0x03, 0x02, 0x01, 0x2a}, .signature = filled(0x5a)};
  std::string expected =
      "0005"
      "300302012a";
  for (int i = 0; i < 64; ++i) expected += "5a";
  EXPECT_EQ(to_hex(payload.encode()), expected);

  const auto decoded = HandshakePayload::decode(payload.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->certificate, payload.certificate);
  EXPECT_EQ(decoded->signature, payload.signature);
}

TEST(HandshakePayload, RefusesEveryTruncation) {
  const Bytes whole = HandshakePayload{.certificate = Bytes(40, 7), .signature = filled(9)}.encode();
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(HandshakePayload::decode(ByteView(whole).first(n)).error(), Error::Malformed) << n;
  }
}

TEST(HandshakePayload, IgnoresWhatALaterVersionAppends) {
  Bytes whole = HandshakePayload{.certificate = Bytes(40, 7), .signature = filled(9)}.encode();
  whole.push_back(0xff);
  const auto decoded = HandshakePayload::decode(whole);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->signature, filled(9));
}

TEST(HandshakePayload, BoundsTheCertificate) {
  Bytes whole = HandshakePayload{.certificate = Bytes(800, 7), .signature = filled(9)}.encode();
  ASSERT_TRUE(HandshakePayload::decode(whole));
  whole[0] = 0x03;  // 0x0321 = 801, and enough octets for it.
  whole[1] = 0x21;
  whole.push_back(9);
  EXPECT_EQ(HandshakePayload::decode(whole).error(), Error::Malformed);
}

TEST(HandshakePayload, OfTheLargestCertificateFitsBothMessages) {
  // Response: 12 of header, 32 + 48 + 16 of Noise, 32 of MACs; Confirmation has less of each.
  EXPECT_LE(12 + 96 + (2 + 800 + 64) + 32, 1200);
}

TEST(HandshakePayload, SignsTheStaticKeyInADomainOfItsOwn) {
  std::array<uint8_t, 32> key;
  key.fill(0x11);
  const Bytes part = HandshakePayload::signed_part(key);
  EXPECT_EQ(as_text(ByteView(part).first(part.size() - 32)), "ipop noise static key 1:");
  EXPECT_EQ(Bytes(part.end() - 32, part.end()), Bytes(32, 0x11));
}

}  // namespace
}  // namespace ipop::wire
