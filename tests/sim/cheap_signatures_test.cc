#include "overlay/sim/cheap_signatures.h"

#include <gtest/gtest.h>

#include "overlay/sim/leases.h"
#include "tests/crypto/testing.h"

namespace ipop::sim {
namespace {

TEST(CheapSignatures, AreForOneTextAndOneKeyAndOneWorld) {
  const CheapSignatures world(1), other(2);
  const Identity alice = testing::identity(1), bob = testing::identity(2);
  const Signature signature = world.sign(alice, as_bytes("hello"));
  EXPECT_TRUE(world.verify(alice.public_key(), as_bytes("hello"), signature));
  EXPECT_FALSE(world.verify(bob.public_key(), as_bytes("hello"), signature));
  EXPECT_FALSE(world.verify(alice.public_key(), as_bytes("hullo"), signature));
  EXPECT_FALSE(other.verify(alice.public_key(), as_bytes("hello"), signature));
  for (size_t i = 0; i < signature.size(); ++i) {
    Signature forged = signature;
    forged[i] ^= 1;
    EXPECT_FALSE(world.verify(alice.public_key(), as_bytes("hello"), forged)) << "octet " << i;
  }
}

/// Guests that come and go, a liar, losses: everything that happens happens with real ones too.
TEST(CheapSignatures, ChangeNothingInARun) {
  const auto run = [](bool signs_truly) {
    Leases leases({.world = {.seed = 5, .loss = 0.05, .signs_truly = signs_truly, .keeps_log = true},
                   .hosts = 8,
                   .guests = 10,
                   .liars = 1,
                   .pause = 5s});
    leases.run(2min);
    return std::pair(leases.world().log(), std::pair(leases.world().events(), leases.world().sent().octets));
  };
  const auto cheap = run(false);
  EXPECT_FALSE(cheap.first.empty());
  EXPECT_EQ(cheap, run(true));
}

}  // namespace
}  // namespace ipop::sim
