#include "overlay/crypto/certificate.h"

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

TEST(DnsLabel, Boundaries) {
  for (const char* good : {"a", "0", "alpha", "a-b", "x--y", "host01"})
    EXPECT_TRUE(is_dns_label(good)) << good;
  EXPECT_TRUE(is_dns_label(std::string(63, 'a')));
  EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
  for (const char* bad :
       {"", "-", "-a", "a-", "Alpha", "a.b", "a_b", "a b", "a/b", "..", "caf\xc3\xa9", "a\n"}) {
    EXPECT_FALSE(is_dns_label(bad)) << bad;
  }
  EXPECT_FALSE(is_dns_label(std::string_view("a\0b", 3)));
}

TEST(FormatTime, IsUtc) {
  EXPECT_EQ(format_time(0), "1970-01-01 00:00 UTC");
  EXPECT_EQ(format_time(1'800'000'000), "2027-01-15 08:00 UTC");
  EXPECT_EQ(format_time(951'782'399), "2000-02-28 23:59 UTC");
  EXPECT_EQ(format_time(951'868'799), "2000-02-29 23:59 UTC");
  EXPECT_EQ(format_time(-1), "1969-12-31 23:59 UTC");
}

Certificate alphas() {
  return testing::grid().issue("alpha", testing::identity(2).public_key(), 365 * kDay, kNow);
}

TEST(Certificate, SaysWhatTheAuthorityPutIn) {
  const Certificate certificate = alphas();
  EXPECT_EQ(certificate.host_name(), "alpha");
  EXPECT_EQ(certificate.public_key(), testing::identity(2).public_key());
  EXPECT_EQ(certificate.node_id(), testing::identity(2).id());
  EXPECT_EQ(certificate.not_before(), kNow - Authority::kClockSkew);
  EXPECT_EQ(certificate.not_after(), kNow + 365 * kDay);
  EXPECT_EQ(certificate.addresses(), std::vector{subnet("10.128.0.0/16")});
  EXPECT_FALSE(certificate.is_authority());
  EXPECT_EQ(certificate.serial().size(), 32u);
}

TEST(Certificate, SurvivesDerAndPem) {
  const Certificate certificate = alphas();
  const auto from_der = Certificate::from_der(certificate.to_der());
  ASSERT_TRUE(from_der);
  EXPECT_EQ(from_der->to_der(), certificate.to_der());
  const auto from_pem = Certificate::from_pem(certificate.to_pem());
  ASSERT_TRUE(from_pem);
  EXPECT_EQ(from_pem->to_der(), certificate.to_der());
}

TEST(Certificate, IsSmallEnoughForAHandshakeMessage) { EXPECT_LT(alphas().to_der().size(), 500u); }

TEST(Certificate, RefusesEveryTruncationAndWhatFollows) {
  Bytes der = alphas().to_der();
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(Certificate::from_der(ByteView(der).first(size))) << "cut to " << size;
  }
  der.push_back(0);
  EXPECT_FALSE(Certificate::from_der(der));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(Certificate, RefusesOtherPem) {
  EXPECT_FALSE(Certificate::from_pem(""));
  EXPECT_FALSE(Certificate::from_pem(testing::identity(1).to_pem()));
  std::string pem = alphas().to_pem();
  EXPECT_FALSE(Certificate::from_pem(pem.substr(0, pem.size() / 2)));
  EXPECT_FALSE(Certificate::from_pem(std::string(100'000, '\n') + pem));
}

// Each of these is one small change away from a good one.
class OddCertificate : public ::testing::Test {
 protected:
  Identity key = testing::identity(3);
  Forgery odd{.key = key.native(),
              .signer = key.native(),
              .extensions = {{NID_sbgp_ipAddrBlock, "IPv4:10.1.0.0/16"}}};

  Result<Certificate> made() { return Certificate::from_der(forge(odd)); }
};

TEST_F(OddCertificate, IsAcceptedAsLongAsItIsNotOdd) { EXPECT_TRUE(made()); }

TEST_F(OddCertificate, WithAnotherKindOfKey) {
  const PkeyPtr ec(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  odd.key = ec.get();
  EXPECT_FALSE(made());
}

TEST_F(OddCertificate, WithNoNameOrTwo) {
  odd.names = {};
  EXPECT_FALSE(made());
  odd.names = {"mallory", "alpha"};
  EXPECT_FALSE(made());
}

TEST_F(OddCertificate, WithANameThatIsNoDnsLabel) {
  odd.names = {"Mallory"};
  EXPECT_FALSE(made());
  odd.names = {std::string("alpha\0.evil", 11)};
  EXPECT_FALSE(made());
}

TEST_F(OddCertificate, ThatEndsBeforeItBegins) {
  odd.not_after = odd.not_before - 1;
  EXPECT_FALSE(made());
  odd.not_after = odd.not_before;
  EXPECT_TRUE(made());
}

TEST_F(OddCertificate, OfMoreThanTheLargestSize) {
  odd.extensions.push_back({NID_netscape_comment, std::string(Certificate::kMaxSize, 'x')});
  EXPECT_FALSE(made());
}

TEST_F(OddCertificate, WithoutAddressesHasNone) {
  odd.extensions.clear();
  const auto certificate = made();
  ASSERT_TRUE(certificate);
  EXPECT_TRUE(certificate->addresses().empty());
}

TEST_F(OddCertificate, WithARangeIsReadAsBlocks) {
  odd.extensions = {{NID_sbgp_ipAddrBlock, "IPv4:10.0.0.1-10.0.0.6, IPv4:10.0.1.0/24"}};
  const auto certificate = made();
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->addresses(),
            (std::vector{subnet("10.0.0.1/32"), subnet("10.0.0.2/31"), subnet("10.0.0.4/31"),
                         subnet("10.0.0.6/32"), subnet("10.0.1.0/24")}));
}

TEST_F(OddCertificate, WithTheWholeInternet) {
  odd.extensions = {{NID_sbgp_ipAddrBlock, "IPv4:0.0.0.0/0"}};
  const auto certificate = made();
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->addresses(), std::vector{subnet("0.0.0.0/0")});
}

TEST_F(OddCertificate, WithMoreBlocksThanAnybodyNeeds) {
  std::string many;
  for (int i = 0; i < 65; ++i) many += (i ? ",IPv4:10.1." : "IPv4:10.1.") + std::to_string(2 * i) + ".0/24";
  odd.extensions = {{NID_sbgp_ipAddrBlock, many}};
  EXPECT_FALSE(made());
}

TEST_F(OddCertificate, WithAddressesThatWeDoNotUnderstand) {
  for (const char* value : {"IPv6:2001:db8::/32", "IPv4:10.1.0.0/16,IPv6:2001:db8::/32", "IPv4:inherit",
                            "IPv4-SAFI:1:10.1.0.0/16"}) {
    odd.extensions = {{NID_sbgp_ipAddrBlock, value}};
    EXPECT_FALSE(made()) << value;
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace ipop
