#include "overlay/crypto/settings.h"

#include "tests/crypto/testing.h"

namespace ipop {
namespace {

Network network_of(const Authority& authority) { return *Network::from_authority(authority.certificate()); }

TEST(SettingsSignature, IsGoodForTheNetworkOfTheCa) {
  const Authority grid = testing::grid();
  const auto settings = sign_settings(grid, 1764086400, "{}");
  EXPECT_EQ(settings.version, 1764086400u);
  EXPECT_EQ(settings.document, "{}");
  EXPECT_TRUE(check_settings(network_of(grid), settings));
  EXPECT_EQ(sign_settings(grid, 1764086400, "{}"), settings) << "the same octets, whoever signs them again";
}

TEST(SettingsSignature, IsBadForWhateverIsNotJustThat) {
  const Authority grid = testing::grid();
  const Network network = network_of(grid);
  const auto settings = sign_settings(grid, 1764086400, "{}");
  EXPECT_EQ(check_settings(network_of(testing::grid(2)), settings).error(), Error::BadAuthTag);
  auto later = settings;
  ++later.version;
  EXPECT_EQ(check_settings(network, later).error(), Error::BadAuthTag);
  auto other = settings;
  other.document = "{ }";
  EXPECT_EQ(check_settings(network, other).error(), Error::BadAuthTag);
  for (const size_t i : {0u, 31u, 32u, 63u}) {
    auto forged = settings;
    forged.signature[i] ^= 1;
    EXPECT_EQ(check_settings(network, forged).error(), Error::BadAuthTag) << i;
  }
}

TEST(SettingsSignature, OfAHostIsNone) {
  const Authority grid = testing::grid();
  wire::SignedSettings settings{.version = 1764086400, .document = "{}", .signature = {}};
  settings.signature = testing::identity(3).sign(settings.signed_part(network_of(grid).id()));
  EXPECT_EQ(check_settings(network_of(grid), settings).error(), Error::BadAuthTag);
}

}  // namespace
}  // namespace ipop
