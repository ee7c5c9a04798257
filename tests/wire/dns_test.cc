#include "overlay/wire/dns.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

// "vm1.grid.ipop" and what follows it in a question of class IN.
const std::string kName =
    "03766d31"
    "04677269640469706f7000";
const std::string kQuestionA = kName +
                               "0001"
                               "0001";
/// id 0x1234, recursion desired, one question and so many other records.
std::string header(const char* flags = "0100", const char* additional = "0000") {
  return std::string("1234") + flags +
         "0001"
         "0000"
         "0000" +
         additional;
}
const std::string kOpt4096 =
    "00"
    "0029"
    "1000"
    "00000000"
    "0000";

Result<DnsQuery> decode(const std::string& hex) { return DnsQuery::decode(*from_hex(hex)); }
DnsQuery query_of(const std::string& hex) { return *decode(hex); }

TEST(DnsName, IsWrittenLabelByLabel) {
  EXPECT_EQ(to_hex(DnsName::of("vm1.grid.ipop").encode()), kName);
  EXPECT_EQ(to_hex(DnsName{}.encode()), "00");
  EXPECT_EQ(to_hex(encode_names({"vm1.grid.ipop", "a.b"})), std::string(kName) + "0161016200");
  EXPECT_TRUE(encode_names({}).empty());
}

TEST(DnsQuery, IsRead) {
  const DnsQuery query = query_of(header() + kQuestionA);
  EXPECT_EQ(query.id, 0x1234);
  EXPECT_TRUE(query.recursion_desired);
  EXPECT_EQ(query.problem, DnsCode::NoError);
  ASSERT_TRUE(query.question);
  EXPECT_EQ(query.question->name, DnsName::of("vm1.grid.ipop"));
  EXPECT_EQ(query.question->type, DnsType::A);
  EXPECT_EQ(query.question->dns_class, 1);
  EXPECT_FALSE(query.has_edns);
  EXPECT_EQ(query.limit, 512u);
}

TEST(DnsQuery, EdnsSaysHowMuchTheClientTakes) {
  EXPECT_EQ(query_of(header("0100", "0001") + kQuestionA + kOpt4096).limit, 1232u)
      << "we stop at our own limit";
  EXPECT_EQ(query_of(header("0100", "0001") + kQuestionA +
                     "00"
                     "0029"
                     "03e8"
                     "00000000"
                     "0000")
                .limit,
            1000u);
  EXPECT_EQ(query_of(header("0100", "0001") + kQuestionA +
                     "00"
                     "0029"
                     "0064"
                     "00000000"
                     "0000")
                .limit,
            512u)
      << "RFC 6891, section 6.2.5: less is as 512";
  const DnsQuery cookie = query_of(header("0120", "0001") + kQuestionA +
                                   "00"
                                   "0029"
                                   "04d0"
                                   "00008000"
                                   "000c"
                                   "000a0008"
                                   "0102030405060708");
  EXPECT_TRUE(cookie.has_edns);
  EXPECT_EQ(cookie.problem, DnsCode::NoError) << "as dig asks: options and flags are not ours to judge";
  EXPECT_EQ(query_of(header("0100", "0001") + kQuestionA +
                     "00"
                     "0029"
                     "1000"
                     "00010000"
                     "0000")
                .problem,
            DnsCode::BadVers);
}

TEST(DnsQuery, WhatCannotBeUnderstoodSaysWhatToAnswer) {
  EXPECT_EQ(decode("12340100000100000000").error(), Error::Malformed) << "no header";
  EXPECT_EQ(decode(header("8180") + kQuestionA).error(), Error::UnexpectedMessage) << "an answer";
  EXPECT_EQ(query_of(header("2900") + kQuestionA).problem, DnsCode::NotImp) << "an update (RFC 2136)";
  EXPECT_EQ(query_of(header()).problem, DnsCode::FormErr) << "no question";
  EXPECT_EQ(query_of("1234"
                     "0100"
                     "0002"
                     "0000"
                     "0000"
                     "0000" +
                     kQuestionA + kQuestionA)
                .problem,
            DnsCode::FormErr);
  EXPECT_EQ(query_of("1234"
                     "0100"
                     "0000"
                     "0000"
                     "0000"
                     "0000" +
                     kQuestionA)
                .problem,
            DnsCode::FormErr);
  EXPECT_EQ(query_of(header() + "c00c"
                                "0001"
                                "0001")
                .problem,
            DnsCode::FormErr)
      << "a name that is itself";
  EXPECT_EQ(query_of(header() + "40" + std::string(128, '6') +
                     "00"
                     "0001"
                     "0001")
                .problem,
            DnsCode::FormErr)
      << "a label of 64";
  EXPECT_EQ(query_of(header("0100", "0001") + kQuestionA + kOpt4096.substr(0, 20)).problem, DnsCode::FormErr);
  EXPECT_EQ(query_of(header("0100", "0002") + kQuestionA + kOpt4096 + kOpt4096).problem, DnsCode::FormErr)
      << "RFC 6891, section 6.1.1: one OPT";
  EXPECT_EQ(query_of(header("0100", "ffff") + kQuestionA).problem, DnsCode::FormErr);
}

TEST(DnsQuery, NamesAreAtMost255Octets) {
  std::string name;
  for (int i = 0; i < 3; ++i) name += "3f" + std::string(126, '6');  // 3 x 64 octets, then 61 + 1 + the root.
  EXPECT_EQ(query_of(header() + name + "3d" + std::string(122, '6') +
                     "00"
                     "0001"
                     "0001")
                .problem,
            DnsCode::NoError);
  EXPECT_EQ(query_of(header() + name + "3e" + std::string(124, '6') +
                     "00"
                     "0001"
                     "0001")
                .problem,
            DnsCode::FormErr);
}

TEST(DnsQuery, EveryTruncationIsMalformedOrAFormatError) {
  const Bytes whole = *from_hex(header("0100", "0001") + kQuestionA + kOpt4096);
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto query = DnsQuery::decode(ByteView(whole).first(size));
    EXPECT_EQ(query.has_value(), size >= 12) << size;
    if (query) {
      EXPECT_EQ(query->problem, DnsCode::FormErr) << size;
    }
  }
}

TEST(DnsResponse, AnswersWithNamesThatPointBack) {
  DnsResponse response{.code = DnsCode::NoError, .is_authoritative = true};
  const DnsName name = DnsName::of("vm1.grid.ipop");
  response.answers.push_back({name, DnsType::A, 30, Ipv4Address{0x0a800102}});
  response.answers.push_back({name, DnsType::Aaaa, 30, *Ipv6Address::parse("fd01:203:405::2")});
  EXPECT_EQ(to_hex(response.encode(query_of(header() + kQuestionA))),
            "1234"
            "8500"
            "0001"
            "0002"
            "0000"
            "0000" +
                kQuestionA +
                "c00c"
                "0001"
                "0001"
                "0000001e"
                "0004"
                "0a800102"
                "c00c"
                "001c"
                "0001"
                "0000001e"
                "0010"
                "fd010203040500000000000000000002");
}

TEST(DnsResponse, SaysThatThereIsNothingWithAnSoa) {
  DnsResponse response{.code = DnsCode::NxDomain, .is_authoritative = true};
  response.authorities.push_back({DnsName::of("grid.ipop"), DnsType::Soa, 5,
                                  DnsSoa{.primary = DnsName::of("grid.ipop"),
                                         .mailbox = DnsName::of("hostmaster.grid.ipop"),
                                         .serial = 1,
                                         .refresh_s = 3600,
                                         .retry_s = 600,
                                         .expire_s = 86400,
                                         .negative_ttl_s = 5}});
  EXPECT_EQ(to_hex(response.encode(query_of(header("0000", "0001") + kQuestionA + kOpt4096))),
            "1234"
            "8403"
            "0001"
            "0000"
            "0001"
            "0001" +
                kQuestionA +
                "c010"
                "0006"
                "0001"
                "00000005"
                "0023"
                "c010"
                "0a686f73746d6173746572"
                "c010"
                "00000001"
                "00000e10"
                "00000258"
                "00015180"
                "00000005"
                "00"
                "0029"
                "04d0"
                "00000000"
                "0000");
}

TEST(DnsResponse, WhatDoesNotFitIsTruncated) {
  DnsResponse response{.code = DnsCode::NoError, .is_authoritative = true};
  const DnsName name = DnsName::of("vm1.grid.ipop");
  const std::string question = header() + kName +
                               "001c"
                               "0001";
  // 12 + 19 octets, and 28 for each address: 17 fit into 512.
  for (uint8_t i = 0; i < 17; ++i)
    response.answers.push_back({name, DnsType::Aaaa, 30, Ipv6Address{{0xfd, i}}});
  EXPECT_EQ(response.encode(query_of(question)).size(), 507u);
  response.answers.push_back({name, DnsType::Aaaa, 30, Ipv6Address{}});
  EXPECT_EQ(to_hex(response.encode(query_of(question))),
            "1234"
            "8700"
            "0001"
            "0000"
            "0000"
            "0000" +
                kName +
                "001c"
                "0001");
  const std::string edns = header("0100", "0001") + kName +
                           "001c"
                           "0001" +
                           kOpt4096;
  EXPECT_EQ(response.encode(query_of(edns)).size(), 12u + 19 + 18 * 28 + 11);
}

TEST(DnsResponse, AQuestionThatWasNotUnderstoodIsNotRepeated) {
  EXPECT_EQ(to_hex(DnsResponse{.code = DnsCode::FormErr}.encode(query_of(header()))),
            "1234"
            "8101"
            "0000"
            "0000"
            "0000"
            "0000");
  EXPECT_EQ(to_hex(DnsResponse{.code = DnsCode::NotImp}.encode(query_of(header("2800")))),
            "1234"
            "a804"
            "0000"
            "0000"
            "0000"
            "0000");
}

TEST(DnsResponse,
     ABadVersionIsSaidInTwoPieces) {  // RFC 6891, section 6.1.3: 16 is 1 in the OPT, 0 in the header.
  const DnsQuery query = query_of(header("0100", "0001") + kQuestionA +
                                  "00"
                                  "0029"
                                  "1000"
                                  "00010000"
                                  "0000");
  EXPECT_EQ(to_hex(DnsResponse{.code = DnsCode::BadVers}.encode(query)),
            "1234"
            "8100"
            "0001"
            "0000"
            "0000"
            "0001" +
                kQuestionA +
                "00"
                "0029"
                "04d0"
                "01000000"
                "0000");
}

}  // namespace
}  // namespace ipop
