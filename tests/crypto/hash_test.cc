#include "overlay/crypto/hash.h"

#include "tests/crypto/testing.h"

namespace ipop {
namespace {

using testing::hex;

TEST(Sha256, MatchesFips180) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256({as_bytes("abc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, HashesTheConcatenation) {
  EXPECT_EQ(sha256({as_bytes("a"), {}, as_bytes("bc")}), sha256({as_bytes("abc")}));
  EXPECT_NE(sha256({as_bytes("ab")}), sha256({as_bytes("abc")}));
}

TEST(HmacSha256, MatchesRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0x0b), {as_bytes("Hi There")})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), {as_bytes("what do ya want "), as_bytes("for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0xaa), {Bytes(50, 0xdd)})),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, 0xaa),
                               {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// HKDF of RFC 5869 with an empty info is the same construction; the salt is its chaining key, here 32 zeros.
// The value is that of test case 3, whose salt is absent, which means as many zeros as the hash has.
TEST(NoiseHkdf, MatchesRfc5869WithoutInfo) {
  const auto two = noise_hkdf<2>(Hash{}, Bytes(22, 0x0b));
  EXPECT_EQ(to_hex(two[0]) + to_hex(ByteView(two[1]).first(10)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  const auto three = noise_hkdf<3>(Hash{}, Bytes(22, 0x0b));
  EXPECT_EQ(three[0], two[0]);
  EXPECT_EQ(three[1], two[1]);
  EXPECT_NE(three[2], two[1]);
}

TEST(EqualInConstantTime, ComparesContentAndSize) {
  const Bytes a = hex("00112233");
  EXPECT_TRUE(equal_in_constant_time(a, hex("00112233")));
  EXPECT_FALSE(equal_in_constant_time(a, hex("00112234")));
  EXPECT_FALSE(equal_in_constant_time(a, hex("80112233")));
  EXPECT_FALSE(equal_in_constant_time(a, hex("001122")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

TEST(Wipe, LeavesZeros) {
  Bytes secret = hex("0102030405");
  wipe(secret);
  EXPECT_EQ(secret, Bytes(5, 0));
}

}  // namespace
}  // namespace ipop
