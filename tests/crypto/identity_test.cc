#include "overlay/crypto/identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "overlay/crypto/hash.h"
#include "overlay/crypto/openssl.h"
#include "tests/crypto/testing.h"

namespace ipop {
namespace {

using testing::FixedRandom;
using testing::hex;
using testing::hex_array;

TEST(Identity, MatchesRfc8032) {  // Section 7.1, test 2.
  FixedRandom random(hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  const Identity identity = Identity::generate(random);
  EXPECT_EQ(to_hex(identity.public_key()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const Signature signature = identity.sign(hex("72"));
  EXPECT_EQ(to_hex(signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(verify(identity.public_key(), hex("72"), signature));
}

TEST(Identity, SignatureIsForOneTextAndOneKey) {
  const Identity alice = testing::identity(1), bob = testing::identity(2);
  const Signature signature = alice.sign(as_bytes("hello"));
  EXPECT_TRUE(verify(alice.public_key(), as_bytes("hello"), signature));
  EXPECT_FALSE(verify(bob.public_key(), as_bytes("hello"), signature));
  EXPECT_FALSE(verify(alice.public_key(), as_bytes("hullo"), signature));
  for (size_t i = 0; i < signature.size(); ++i) {
    Signature forged = signature;
    forged[i] ^= 1;
    EXPECT_FALSE(verify(alice.public_key(), as_bytes("hello"), forged)) << "octet " << i;
  }
  EXPECT_FALSE(verify(PublicKey{}, as_bytes("hello"), Signature{}));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(Identity, SignsNothingAtAllToo) {
  const Identity alice = testing::identity(1);
  EXPECT_TRUE(verify(alice.public_key(), {}, alice.sign({})));
}

TEST(Identity, NodeIdIsTheHeadOfTheHashOfTheKey) {
  const Identity alice = testing::identity(1);
  const Hash hash = sha256({alice.public_key()});
  EXPECT_EQ(alice.id().to_string(), to_hex(hash).substr(0, 40));
  EXPECT_NE(alice.id(), testing::identity(2).id());
}

TEST(Identity, SurvivesPem) {
  const Identity alice = testing::identity(1);
  const std::string pem = alice.to_pem();
  EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----\n")) << "PKCS#8, not encrypted";
  const auto again = Identity::from_pem(pem);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key(), alice.public_key());
  EXPECT_TRUE(verify(alice.public_key(), as_bytes("x"), again->sign(as_bytes("x"))));
}

TEST(Identity, RefusesBadPem) {
  const std::string pem = testing::identity(1).to_pem();
  for (size_t size = 0; size + 1 < pem.size(); ++size) {  // The last newline may go.
    EXPECT_FALSE(Identity::from_pem(std::string_view(pem).substr(0, size))) << "cut to " << size;
  }
  EXPECT_FALSE(Identity::from_pem(std::string(100'000, 'x')));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

std::string pem_of(const PkeyPtr& key, const EVP_CIPHER* cipher) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  char passphrase[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), cipher, cipher ? passphrase : nullptr, cipher ? 6 : 0,
                                nullptr, nullptr);
  return text_of(bio);
}

TEST(Identity, RefusesOtherKindsOfKey) {
  EXPECT_FALSE(Identity::from_pem(pem_of(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")), nullptr)));
  EXPECT_FALSE(
      Identity::from_pem(pem_of(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")), nullptr)));
}

TEST(Identity, RefusesAnEncryptedKeyWithoutAskingTheTerminal) {
  const PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_TRUE(Identity::from_pem(pem_of(key, nullptr)));
  EXPECT_FALSE(Identity::from_pem(pem_of(key, EVP_aes_256_cbc())));
}

}  // namespace
}  // namespace ipop
