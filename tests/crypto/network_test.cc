#include "overlay/crypto/network.h"

#include <openssl/err.h>

#include "tests/crypto/forge.h"
#include "tests/crypto/testing.h"

namespace ipop {
namespace {

using testing::forge;
using testing::Forgery;
using testing::kDay;
using testing::kNow;
using testing::subnet;

constexpr const char* kInside = "critical,IPv4:10.128.0.0/16";

TEST(NetworkSubnet, Boundaries) {
  for (const char* good : {"10.0.0.0/8", "10.128.0.0/16", "192.168.1.8/29"}) {
    EXPECT_TRUE(is_network_subnet(subnet(good))) << good;
  }
  for (const char* bad : {"0.0.0.0/0", "10.0.0.0/7", "192.168.1.8/30", "10.0.0.1/32"}) {
    EXPECT_FALSE(is_network_subnet(subnet(bad))) << bad;
  }
  EXPECT_FALSE(is_network_subnet({{0x0a800001}, 16})) << "host bits";
}

class NetworkOfGrid : public ::testing::Test {
 protected:
  const Authority authority = testing::grid();
  const Network network = Network::from_authority(authority.certificate()).value();
  const Identity alpha = testing::identity(2);
  const Identity ca = Identity::from_pem(authority.key_pem()).value();
  Forgery signed_by_ca{.key = alpha.native(),
                       .signer = ca.native(),
                       .issuer = authority.certificate().native(),
                       .extensions = {{NID_sbgp_ipAddrBlock, kInside}}};

  std::optional<Error> refusal(const Certificate& certificate, UnixSeconds now = kNow) const {
    const auto ok = network.check(certificate, now);
    return ok ? std::nullopt : std::optional(ok.error());
  }
  std::optional<Error> refusal(const Forgery& forgery) const {
    const auto certificate = Certificate::from_der(forge(forgery));
    EXPECT_TRUE(certificate) << "not readable at all";
    return certificate ? refusal(*certificate) : std::nullopt;
  }
};

TEST_F(NetworkOfGrid, KnowsItsNameSubnetAndId) {
  EXPECT_EQ(network.name(), "grid");
  EXPECT_EQ(network.subnet(), subnet("10.128.0.0/16"));
  EXPECT_EQ(network.id(), sha256({authority.certificate().public_key()}));
  EXPECT_NE(network.id(), Network::from_authority(testing::grid(2).certificate())->id()) << "the same name";
}

TEST_F(NetworkOfGrid, KnowsItsHosts) {
  EXPECT_EQ(refusal(authority.issue("alpha", alpha.public_key(), kDay, kNow)), std::nullopt);
  EXPECT_EQ(refusal(signed_by_ca), std::nullopt) << "what the forgeries below start from";
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_F(NetworkOfGrid, ValidityIncludesItsFirstAndLastSecond) {
  const Certificate host = authority.issue("alpha", alpha.public_key(), kDay, kNow);
  EXPECT_EQ(refusal(host, host.not_before()), std::nullopt);
  EXPECT_EQ(refusal(host, host.not_before() - 1), Error::ExpiredCertificate);
  EXPECT_EQ(refusal(host, host.not_after()), std::nullopt);
  EXPECT_EQ(refusal(host, host.not_after() + 1), Error::ExpiredCertificate);
  EXPECT_TRUE(network.check_at_any_time(host));
}

TEST_F(NetworkOfGrid, EndsWithItsAuthority) {
  signed_by_ca.not_after = authority.certificate().not_after() + kDay;
  const auto host = Certificate::from_der(forge(signed_by_ca));
  ASSERT_TRUE(host);
  EXPECT_EQ(refusal(*host, authority.certificate().not_after()), std::nullopt);
  EXPECT_EQ(refusal(*host, authority.certificate().not_after() + 1), Error::ExpiredCertificate);
}

TEST_F(NetworkOfGrid, RefusesStrangers) {
  const Authority stranger = testing::grid(2);  // Same name, same subnet.
  EXPECT_EQ(refusal(stranger.issue("alpha", alpha.public_key(), kDay, kNow)), Error::BadCertificate);
  EXPECT_EQ(refusal(stranger.certificate()), Error::BadCertificate);
  signed_by_ca.issuer = nullptr;
  signed_by_ca.signer = alpha.native();
  EXPECT_EQ(refusal(signed_by_ca), Error::BadCertificate) << "signed by itself";
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_F(NetworkOfGrid, RefusesAForgedSignature) {  // The right issuer's name, the wrong key.
  signed_by_ca.signer = alpha.native();
  EXPECT_EQ(refusal(signed_by_ca), Error::BadCertificate);
}

TEST_F(NetworkOfGrid, RefusesEveryChangedOctet) {
  const Bytes genuine = authority.issue("alpha", alpha.public_key(), kDay, kNow).to_der();
  for (size_t i = 0; i < genuine.size(); ++i) {
    Bytes forged = genuine;
    forged[i] ^= 1;
    if (const auto certificate = Certificate::from_der(forged)) {
      EXPECT_EQ(refusal(*certificate), Error::BadCertificate) << "octet " << i;
    }
  }
}

TEST_F(NetworkOfGrid, RefusesTheAuthorityAsAHost) {
  EXPECT_EQ(refusal(authority.certificate()), Error::BadCertificate);
}

TEST_F(NetworkOfGrid, RefusesASubordinateAuthority) {
  signed_by_ca.extensions.push_back({NID_basic_constraints, "critical,CA:TRUE"});
  EXPECT_EQ(refusal(signed_by_ca), Error::BadCertificate);
}

TEST_F(NetworkOfGrid, RefusesWhatAHostSigned) {
  const auto host = Certificate::from_der(forge(signed_by_ca));
  ASSERT_TRUE(host);
  const Identity mallory = testing::identity(5);
  EXPECT_EQ(refusal(Forgery{.names = {"beta"},
                            .key = mallory.native(),
                            .signer = alpha.native(),
                            .issuer = host->native(),
                            .extensions = {{NID_sbgp_ipAddrBlock, kInside}}}),
            Error::BadCertificate);
}

TEST_F(NetworkOfGrid, RefusesAddressesThatAreNotItsOwn) {
  for (const char* blocks : {"IPv4:10.129.0.0/16", "IPv4:10.0.0.0/8",
                             "IPv4:10.128.0.0/16,IPv4:192.168.0.0/24", "IPv4:10.128.255.0-10.129.0.5"}) {
    signed_by_ca.extensions = {{NID_sbgp_ipAddrBlock, blocks}};
    EXPECT_EQ(refusal(signed_by_ca), Error::BadCertificate) << blocks;
  }
  signed_by_ca.extensions = {{NID_sbgp_ipAddrBlock, "IPv4:10.128.7.0/24"}};
  EXPECT_EQ(refusal(signed_by_ca), std::nullopt) << "a part of them is fine";
}

TEST_F(NetworkOfGrid, RefusesAHostWithoutAddresses) {
  signed_by_ca.extensions.clear();
  EXPECT_EQ(refusal(signed_by_ca), Error::BadCertificate);
}

TEST_F(NetworkOfGrid, RefusesCriticalExtensionsItDoesNotKnow) {  // RFC 5280, section 4.2.
  signed_by_ca.extensions.push_back({NID_netscape_comment, "critical,please"});
  EXPECT_EQ(refusal(signed_by_ca), Error::BadCertificate);
}

TEST_F(NetworkOfGrid, IsMadeOnlyFromAnAuthoritysCertificate) {
  EXPECT_FALSE(Network::from_authority(authority.issue("alpha", alpha.public_key(), kDay, kNow)));

  const auto made_from = [&](Forgery forgery) {
    const auto certificate = Certificate::from_der(forge(forgery));
    EXPECT_TRUE(certificate);
    return certificate && Network::from_authority(*certificate);
  };
  const std::pair<int, std::string> is_ca{NID_basic_constraints, "critical,CA:TRUE"};
  const auto self_signed = [&](std::vector<std::pair<int, std::string>> extensions) {
    return Forgery{
        .names = {"grid"}, .key = ca.native(), .signer = ca.native(), .extensions = std::move(extensions)};
  };
  EXPECT_TRUE(made_from(self_signed({is_ca, {NID_sbgp_ipAddrBlock, kInside}})));
  EXPECT_FALSE(made_from(self_signed({{NID_sbgp_ipAddrBlock, kInside}})));
  EXPECT_FALSE(made_from(self_signed({is_ca})));
  EXPECT_FALSE(made_from(self_signed({is_ca, {NID_sbgp_ipAddrBlock, "IPv4:10.128.0.0/30"}})));
  EXPECT_FALSE(made_from(self_signed({is_ca, {NID_sbgp_ipAddrBlock, "IPv4:10.1.0.0/16,IPv4:10.3.0.0/16"}})));
  Forgery not_signed_by_itself = self_signed({is_ca, {NID_sbgp_ipAddrBlock, kInside}});
  not_signed_by_itself.signer = alpha.native();
  EXPECT_FALSE(made_from(not_signed_by_itself));
}

}  // namespace
}  // namespace ipop
