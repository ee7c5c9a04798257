#include "overlay/crypto/signature_scheme.h"

#include "tests/crypto/testing.h"

namespace ipop {
namespace {

TEST(SignatureScheme, Ed25519IsThatOfTheIdentity) {
  const Identity alice = testing::identity(1), bob = testing::identity(2);
  const Signature signature = ed25519().sign(alice, as_bytes("hello"));
  EXPECT_EQ(signature, alice.sign(as_bytes("hello")));
  EXPECT_TRUE(ed25519().verify(alice.public_key(), as_bytes("hello"), signature));
  EXPECT_FALSE(ed25519().verify(bob.public_key(), as_bytes("hello"), signature));
  EXPECT_FALSE(ed25519().verify(alice.public_key(), as_bytes("hullo"), signature));
}

}  // namespace
}  // namespace ipop
