#include "overlay/crypto/invite.h"

#include <gmock/gmock.h>

#include <openssl/pem.h>

#include "overlay/crypto/openssl.h"
#include "tests/crypto/testing.h"

namespace ipop {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::kDay;
using testing::kNow;

Invite alphas(const Authority& authority = testing::grid()) {
  const Identity identity = testing::identity(2);
  return {identity,
          authority.issue("alpha", identity.public_key(), 365 * kDay, kNow),
          authority.certificate(),
          {*Endpoint::parse("203.0.113.7:51128"), *Endpoint::parse("[2001:db8::7]:51128")}};
}

std::string problem_of(std::string_view text) {
  const auto invite = parse_invite(text);
  return invite ? "none" : invite.error().text;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Invite, SurvivesItsText) {
  const Invite invite = alphas();
  const std::string text = format(invite);
  const auto again = parse_invite(text);
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(again->identity.public_key(), invite.identity.public_key());
  EXPECT_EQ(again->certificate.to_der(), invite.certificate.to_der());
  EXPECT_EQ(again->authority.to_der(), invite.authority.to_der());
  EXPECT_EQ(again->introducers, invite.introducers);
  EXPECT_EQ(format(*again), text);
}

TEST(Invite, HeadTellsPeopleWhatItIs) {
  EXPECT_THAT(format(alphas()), AllOf(HasSubstr("KEEP IT SECRET"), HasSubstr("grid"), HasSubstr("alpha"),
                                      HasSubstr("10.128.0.0/16"), HasSubstr("2028-01-15 08:00 UTC"),
                                      HasSubstr("\nIntroducer: 203.0.113.7:51128\n"),
                                      HasSubstr("\nIntroducer: [2001:db8::7]:51128\n")));
}

TEST(Invite, IsAFileForOpensslToo) {  // `openssl x509 -in FILE` takes the first certificate: the host's.
  const std::string text = format(alphas());
  const X509Ptr x509(PEM_read_bio_X509(bio_from(text).get(), nullptr, nullptr, nullptr));
  ASSERT_TRUE(x509);
  char name[64];
  X509_NAME_get_text_by_NID(X509_get_subject_name(x509.get()), NID_commonName, name, sizeof name);
  EXPECT_STREQ(name, "alpha");
}

TEST(Invite, MayHaveNoIntroducers) {
  Invite invite = alphas();
  invite.introducers.clear();
  const auto again = parse_invite(format(invite));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->introducers.empty());
}

TEST(Invite, SurvivesMailAndOtherSystems) {  // Line ends of DOS, blanks at line ends.
  std::string text;
  for (const char c : format(alphas())) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(problem_of(text), "none");
  EXPECT_EQ(problem_of(replaced(format(alphas()), "Introducer: ", "  Introducer :\t")), "none");
}

TEST(Invite, CutOffAnywhereIsAProblemWithAWayOut) {
  const std::string text = format(alphas());
  for (size_t size = 0; size + 1 < text.size(); ++size) {  // The last newline may go.
    const auto invite = parse_invite(std::string_view(text).substr(0, size));
    ASSERT_FALSE(invite) << "cut to " << size;
    ASSERT_FALSE(invite.error().text.empty());
  }
  EXPECT_THAT(problem_of(text.substr(0, text.size() - 100)),
              AllOf(HasSubstr("cut off"), HasSubstr("ask for a new invite with: ipopctl host invite")));
}

TEST(Invite, NamesThePartThatIsMissing) {
  const Invite invite = alphas();
  const std::string key = invite.identity.to_pem(), host = invite.certificate.to_pem(),
                    ca = invite.authority.to_pem();
  EXPECT_THAT(problem_of(""), HasSubstr("not an invite"));
  EXPECT_THAT(problem_of(host + ca), HasSubstr("no PRIVATE KEY"));
  EXPECT_THAT(problem_of(key + ca), HasSubstr("no CERTIFICATE block of the host"));
  EXPECT_THAT(problem_of(key + host), HasSubstr("no CERTIFICATE block of the network"));
  EXPECT_EQ(problem_of(key + host + ca), "none");
}

TEST(Invite, NamesThePartThatIsThereTwice) {
  const Invite invite = alphas();
  const std::string text = format(invite);
  EXPECT_THAT(problem_of(text + invite.identity.to_pem()), HasSubstr("two PRIVATE KEY"));
  EXPECT_THAT(problem_of(text + invite.certificate.to_pem()), HasSubstr("two host certificates"));
  EXPECT_THAT(problem_of(text + invite.authority.to_pem()), HasSubstr("two network (CA) certificates"));
}

TEST(Invite, NamesWhatDoesNotBelongThere) {
  const std::string text = format(alphas());
  EXPECT_THAT(problem_of(text + "Colour: red\n"), HasSubstr("\"Colour\", which this version does not know"));
  EXPECT_THAT(problem_of(text + "hello\n"), HasSubstr("\"hello\""));
  EXPECT_THAT(problem_of(text + "gr\xfc\xdf\n"), HasSubstr("\"gr??\"")) << "nothing for the terminal";
  EXPECT_THAT(problem_of(text + "\x1b[2J\n"), HasSubstr("not a text file"));
  EXPECT_THAT(problem_of(text + "-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"),
              HasSubstr("\"X509 CRL\""));
}

TEST(Invite, NamesABadIntroducer) {
  for (const char* bad : {"203.0.113.7", "203.0.113.7:0", ":51128", "0.0.0.0:51128", "[::]:51128",
                          "example.org:1", "", "203.0.113.7:51128 x"}) {
    EXPECT_THAT(problem_of(replaced(format(alphas()), "203.0.113.7:51128", bad)),
                HasSubstr("is not an ADDRESS:PORT"))
        << bad;
  }
  std::string many;
  for (size_t i = 0; i <= kMaxIntroducers; ++i) many += "Introducer: 203.0.113.7:51128\n";
  EXPECT_THAT(problem_of(many), HasSubstr("introducers"));
}

TEST(Invite, NamesADamagedBlock) {
  const Invite invite = alphas();
  const std::string text = format(invite);
  EXPECT_THAT(problem_of(replaced(text, "MC4CAQ", "MC4!AQ")), HasSubstr("PRIVATE KEY block is damaged"));
  EXPECT_THAT(problem_of(replaced(text, "END PRIVATE", "END PUBLIC")), HasSubstr("ends with"));
  EXPECT_THAT(problem_of(replaced(text, "-----END PRIVATE KEY-----\n", "")),
              HasSubstr("no end before the next"));
  const std::string certificate = invite.certificate.to_pem();
  EXPECT_THAT(problem_of(replaced(text, certificate.substr(100, 20), "AAAAAAAAAAAAAAAAAAAA")),
              HasSubstr("; "));
}

TEST(Invite, KeyAndCertificatesMustBelongTogether) {
  Invite stolen = alphas();
  stolen.identity = testing::identity(9);
  EXPECT_THAT(problem_of(format(stolen)),
              AllOf(HasSubstr("the private key does not belong to the certificate of host alpha"),
                    HasSubstr("ipopctl host invite grid alpha")));

  Invite foreign = alphas();
  foreign.authority = testing::grid(2).certificate();
  EXPECT_THAT(problem_of(format(foreign)), HasSubstr("is not signed by network grid"));
}

TEST(Invite, RefusesAHugeFile) {
  EXPECT_THAT(problem_of(std::string(kMaxInviteSize + 1, '#')), HasSubstr("too big"));
}

TEST(Invite, ExpiryIsAQuestionOfTime) {
  const Invite invite = alphas();
  EXPECT_TRUE(check_invite(invite, kNow));
  EXPECT_TRUE(check_invite(invite, kNow + 365 * kDay));
  EXPECT_THAT(check_invite(invite, kNow + 365 * kDay + 1).error().text,
              AllOf(HasSubstr("host alpha expired on 2028-01-15 08:00 UTC"),
                    HasSubstr("ipopctl host invite grid alpha")));
  EXPECT_THAT(check_invite(invite, kNow - kDay).error().text, HasSubstr("clock"));
  EXPECT_THAT(check_invite(invite, kNow + 3651 * kDay).error().text,
              HasSubstr("network grid itself expired"));
}

}  // namespace
}  // namespace ipop
