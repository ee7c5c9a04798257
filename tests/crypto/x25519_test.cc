#include "overlay/crypto/x25519.h"

#include <openssl/err.h>

#include "tests/crypto/testing.h"

namespace ipop {
namespace {

using testing::FixedRandom;
using testing::hex;
using testing::hex_array;

TEST(X25519, MatchesRfc7748) {  // Section 6.1.
  const auto alice =
      DhKey::from_secret(hex_array<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  FixedRandom random(hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  const auto bob = DhKey::generate(random);
  EXPECT_EQ(to_hex(alice.public_key()), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_hex(bob.public_key()), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

  const char* const shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  EXPECT_EQ(to_hex(dh(alice, bob.public_key()).value()), shared);
  EXPECT_EQ(to_hex(dh(bob, alice.public_key()).value()), shared);
}

TEST(X25519, RefusesPointsOfSmallOrder) {  // u = 0 and u = 1 have orders 4 and 1 (or 2, on the twist).
  SeededRandom random(1);
  const auto key = DhKey::generate(random);
  for (const uint8_t u : {uint8_t{0}, uint8_t{1}}) {
    std::array<uint8_t, 32> remote{};
    remote[0] = u;
    const auto shared = dh(key, remote);
    ASSERT_FALSE(shared) << "u = " << int{u};
    EXPECT_EQ(shared.error(), Error::Malformed);
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "The thread's error queue belongs to others.";
}

}  // namespace
}  // namespace ipop
