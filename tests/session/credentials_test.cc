#include "overlay/session/credentials.h"

#include <gtest/gtest.h>

#include "overlay/wire/handshake_payload.h"
#include "tests/support/grid.h"

namespace ipop {
namespace {

using test::Grid;

TEST(Credentials, ShowTheCertificateAndSignTheNoiseKey) {
  const Grid grid;
  const Credentials alice = grid.member(1);
  EXPECT_EQ(alice.id, alice.certificate.node_id());
  EXPECT_EQ(alice.network.id(), grid.network().id());

  const auto payload = wire::HandshakePayload::decode(alice.payload);
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->certificate, alice.certificate.to_der());
  EXPECT_TRUE(verify(alice.certificate.public_key(),
                     wire::HandshakePayload::signed_part(alice.noise_static.public_key()), payload->signature));
}

TEST(Credentials, HaveAFreshNoiseKeyAtEachStart) {
  const Grid grid;
  EXPECT_NE(grid.member(1, 0).noise_static.public_key(), grid.member(1, 1).noise_static.public_key());
  EXPECT_EQ(grid.member(1, 0).id, grid.member(1, 1).id);
}

TEST(Credentials, OfTwoNetworksDifferInThePrologue) {
  const Grid grid, other(2);
  EXPECT_EQ(grid.member(1).prologue, grid.member(2).prologue);
  EXPECT_NE(grid.member(1).prologue, other.member(1).prologue);
  EXPECT_EQ(as_text(ByteView(grid.member(1).prologue).first(7)), "ipop 1 ");
}

}  // namespace
}  // namespace ipop
