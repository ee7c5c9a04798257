#include "overlay/crypto/authority.h"

#include "overlay/crypto/network.h"
#include "overlay/crypto/openssl.h"
#include "tests/crypto/testing.h"

namespace ipop {
namespace {

using testing::kDay;
using testing::kNow;
using testing::subnet;

// What `openssl verify -x509_strict -CAfile ca.crt host.crt` does.
int verify_strictly(const Certificate& authority, const Certificate& host) {
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_add_cert(store, authority.native());
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, host.native(), nullptr);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_time(parameters, kNow);
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return error;
}

TEST(Authority, CertificatesPassOpensslsStrictVerification) {
  const Authority grid = testing::grid();
  const auto host = grid.issue("alpha", testing::identity(2).public_key(), kDay, kNow);
  EXPECT_EQ(verify_strictly(grid.certificate(), host), X509_V_OK);
  EXPECT_NE(verify_strictly(testing::grid(99).certificate(), host), X509_V_OK);
}

TEST(Authority, OwnCertificateIsThatOfANetwork) {
  const Certificate certificate = testing::grid().certificate();
  EXPECT_EQ(certificate.host_name(), "grid");
  EXPECT_TRUE(certificate.is_authority());
  EXPECT_EQ(certificate.addresses(), std::vector{subnet("10.128.0.0/16")});
  EXPECT_EQ(certificate.not_before(), kNow - Authority::kClockSkew);
  EXPECT_EQ(certificate.not_after(), kNow + 3650 * kDay);
  // RFC 5280, section 4.2.1.9: may sign hosts, but no further authorities.
  EXPECT_EQ(X509_get_pathlen(certificate.native()), 0);
  EXPECT_EQ(X509_get_key_usage(certificate.native()), uint32_t{KU_KEY_CERT_SIGN | KU_CRL_SIGN});
  for (const int nid : {NID_basic_constraints, NID_key_usage, NID_sbgp_ipAddrBlock}) {
    const X509_EXTENSION* extension =
        X509_get_ext(certificate.native(), X509_get_ext_by_NID(certificate.native(), nid, -1));
    EXPECT_EQ(X509_EXTENSION_get_critical(extension), 1) << OBJ_nid2sn(nid);
  }
}

TEST(Authority, IsTheSameAgainFromPem) {
  const Authority grid = testing::grid();
  const auto again = Authority::from_pem(grid.key_pem(), grid.certificate().to_pem());
  ASSERT_TRUE(again);
  const PublicKey key = testing::identity(2).public_key();
  EXPECT_EQ(again->issue("alpha", key, kDay, kNow).to_der(), grid.issue("alpha", key, kDay, kNow).to_der());
}

TEST(Authority, RefusesPemThatDoesNotBelongTogether) {
  const Authority grid = testing::grid(1), other = testing::grid(2);
  EXPECT_EQ(Authority::from_pem(other.key_pem(), grid.certificate().to_pem()).error(), Error::BadCertificate);
  EXPECT_EQ(Authority::from_pem("", grid.certificate().to_pem()).error(), Error::Malformed);
  EXPECT_EQ(Authority::from_pem(grid.key_pem(), "").error(), Error::Malformed);
  const Identity alpha = testing::identity(3);
  const auto host = grid.issue("alpha", alpha.public_key(), kDay, kNow);
  EXPECT_EQ(Authority::from_pem(alpha.to_pem(), host.to_pem()).error(), Error::BadCertificate);
}

TEST(Authority, HostsDoNotOutliveTheNetwork) {
  const Authority grid = testing::grid();
  const auto host = grid.issue("alpha", testing::identity(2).public_key(), 36500 * kDay, kNow);
  EXPECT_EQ(host.not_after(), grid.certificate().not_after());
}

TEST(Authority, LivesIntoAnotherCentury) {  // X.509 changes its notation of time in 2050.
  SeededRandom random(1);
  const auto grid = Authority::create("grid", subnet("10.0.0.0/8"), 36500 * kDay, kNow, random);
  EXPECT_EQ(grid.certificate().not_after(), kNow + 36500 * kDay);
}

TEST(Authority, SerialNumbersDifferByKeyAndByTime) {
  const Authority grid = testing::grid();
  const PublicKey alpha = testing::identity(2).public_key(), beta = testing::identity(3).public_key();
  const std::string serial = grid.issue("alpha", alpha, kDay, kNow).serial();
  EXPECT_NE(serial, grid.issue("alpha", beta, kDay, kNow).serial());
  EXPECT_NE(serial, grid.issue("alpha", alpha, kDay, kNow + 1).serial());
}

}  // namespace
}  // namespace ipop
