#include "overlay/dht/notary.h"

#include <gtest/gtest.h>

#include "tests/dht/testing.h"

namespace ipop {
namespace {

using namespace test;

constexpr Duration kWall = std::chrono::seconds(testing::kNow + 1000);

struct NotaryTest : ::testing::Test {
  wire::DhtRecord signed_record(Duration wall = kWall) {
    auto record = ip_record(kIp, kMacA, wall);
    writer.sign(wall, record);
    return record;
  }
  Error refusal(const wire::DhtRecord& record, Duration wall = kWall) {
    const auto result = checker.check(wall, record);
    EXPECT_FALSE(result);
    return result ? Error::Full : result.error();
  }

  Credentials writer_credentials = dht_grid().member(1);
  Credentials checker_credentials = dht_grid().member(2);
  Notary writer{writer_credentials};
  Notary checker{checker_credentials};
};

TEST_F(NotaryTest, WhatAMemberSignedIsGood) {
  const auto record = signed_record();
  EXPECT_EQ(record.node, writer_credentials.id);
  EXPECT_TRUE(checker.check(kWall, record));
  EXPECT_TRUE(checker.check(kWall, record)) << "also when the certificate is known";
}

TEST_F(NotaryTest, EveryFieldIsSigned) {
  const auto good = signed_record();
  auto changed = good;
  changed.mac = kMacB;
  EXPECT_EQ(refusal(changed), Error::BadAuthTag);
  changed = good;
  changed.ip = Ipv4Address{kIp.value + 1};
  EXPECT_EQ(refusal(changed), Error::BadAuthTag);
  changed = good;
  changed.state = wire::DhtRecord::State::Withdrawn;
  EXPECT_EQ(refusal(changed), Error::BadAuthTag);
  changed = good;
  ++changed.sequence;
  EXPECT_EQ(refusal(changed), Error::BadAuthTag);
  changed = good;
  changed.name = "other";
  EXPECT_EQ(refusal(changed), Error::BadAuthTag);
  changed = good;
  changed.expires_s -= 1;
  EXPECT_EQ(refusal(changed), Error::BadAuthTag);
  changed = good;
  changed.kind = wire::DhtAddress::Kind::Mac;
  EXPECT_EQ(refusal(changed), Error::BadAuthTag);
}

TEST_F(NotaryTest, OneMemberCannotSpeakForAnother) {
  auto record = signed_record();
  record.node = checker_credentials.id;
  EXPECT_EQ(refusal(record), Error::WrongPeer);
  record = signed_record();
  record.certificate = checker_credentials.certificate.to_der();
  record.node = checker_credentials.id;
  EXPECT_EQ(refusal(record), Error::BadAuthTag);
}

TEST_F(NotaryTest, AForeignOrBrokenCertificateIsRefused) {
  const Grid foreign(9);
  const Credentials stranger = foreign.member(1);
  Notary forger(stranger);
  auto record = ip_record(kIp, kMacA, kWall);
  forger.sign(kWall, record);
  EXPECT_EQ(refusal(record), Error::BadCertificate);
  record = signed_record();
  record.certificate.resize(record.certificate.size() / 2);
  EXPECT_FALSE(checker.check(kWall, record));
  record.certificate.clear();
  EXPECT_FALSE(checker.check(kWall, record));
}

TEST_F(NotaryTest, AnExpiredCertificateIsRefusedAlsoWhenItIsKnown) {
  ASSERT_TRUE(checker.check(kWall, signed_record()));
  const Duration later = kWall + 31 * 24h;
  EXPECT_EQ(refusal(signed_record(later), later), Error::ExpiredCertificate);
}

TEST_F(NotaryTest, AnAddressOutsideTheCertificateIsRefused) {
  auto record = ip_record({0x0a810001}, kMacA, kWall);  // 10.129.0.1.
  writer.sign(kWall, record);
  EXPECT_EQ(refusal(record), Error::NotAllowed);
}

TEST_F(NotaryTest, ClocksMayDifferByFiveMinutesAndNoMore) {
  EXPECT_TRUE(checker.check(kWall, signed_record(kWall + 5min)));
  EXPECT_EQ(refusal(signed_record(kWall + 5min + 1s)), Error::Replayed) << "not written yet";
  const auto hour = signed_record();
  EXPECT_TRUE(checker.check(kWall + 1h + 5min - 1s, hour));
  EXPECT_EQ(refusal(hour, kWall + 1h + 5min), Error::Replayed) << "its time is over";
}

TEST_F(NotaryTest, NobodyClaimsForEver) {
  auto record = ip_record(kIp, kMacA, kWall, wire::DhtRecord::State::Bound, 1, 2h + 5s);
  writer.sign(kWall, record);
  EXPECT_EQ(refusal(record), Error::NotAllowed);
  record.expires_s = UINT64_MAX;
  writer.sign(kWall, record);
  EXPECT_EQ(refusal(record), Error::Replayed);
}

TEST_F(NotaryTest, SequencesThatDoNotExistAreRefused) {
  for (const uint64_t sequence : {uint64_t{0}, kLastSequence + 1, UINT64_MAX}) {
    auto record = ip_record(kIp, kMacA, kWall, wire::DhtRecord::State::Bound, sequence);
    writer.sign(kWall, record);
    EXPECT_EQ(refusal(record), Error::Malformed) << sequence;
  }
}

TEST_F(NotaryTest, ARecordOfOursIsLaterThanAnyBeforeAlsoWhenTheClockIsSetBack) {
  const auto first = signed_record();
  EXPECT_GT(signed_record().issued_ms, first.issued_ms);
  EXPECT_GT(signed_record(kWall - kClockTolerance + 1s).issued_ms, first.issued_ms);
}

// Else all would refuse what it writes until its clock has caught up.
TEST_F(NotaryTest, AClockThatWasFarAheadAndIsPutRightIsBelieved) {
  (void)signed_record(kWall + 1h);
  EXPECT_TRUE(checker.check(kWall, signed_record()));
}

TEST_F(NotaryTest, AReplyIsGoodForTheOneQuestionOfTheOneAsker) {
  wire::DhtRequest request;
  request.id = 5;
  request.asker = checker_credentials.id;
  request.operation = wire::DhtRequest::Operation::Create;
  request.record = signed_record();
  request.is_relayed = true;  // As the replica has it; the asker sent it without.
  wire::DhtReply reply;
  reply.id = 5;
  reply.verdict = wire::DhtReply::Verdict::Accepted;
  writer.sign(request, reply);
  request.is_relayed = false;
  const auto from = checker.check(kWall, request, reply);
  ASSERT_TRUE(from);
  EXPECT_EQ(*from, writer_credentials.id);
  const auto is_good_for = [&](auto change) {
    wire::DhtRequest other = request;
    change(other);
    return checker.check(kWall, other, reply).has_value();
  };
  EXPECT_FALSE(is_good_for([](wire::DhtRequest& other) { other.id = 6; }));
  EXPECT_FALSE(is_good_for([&](wire::DhtRequest& other) { other.asker = writer_credentials.id; }));
  EXPECT_FALSE(is_good_for([&](wire::DhtRequest& other) { other.record = signed_record(); }));
  EXPECT_FALSE(
      is_good_for([](wire::DhtRequest& other) { other.operation = wire::DhtRequest::Operation::Put; }));
  auto changed = reply;
  changed.verdict = wire::DhtReply::Verdict::Held;
  EXPECT_FALSE(checker.check(kWall, request, changed));
  changed = reply;
  changed.is_unsure = true;
  EXPECT_FALSE(checker.check(kWall, request, changed));
}

TEST(Expiry, AllowsForTheClocksAndIsBounded) {
  const Instant now{1000s};
  const auto record = ip_record(kIp, kMacA, kWall);
  EXPECT_EQ(expiry_of(record, now, kWall), now + 1h + 5min);
  EXPECT_EQ(expiry_of(record, now, kWall + 2h), now);
  EXPECT_LE(expiry_of(record, now, kWall - 10h), now + 2h + 10min);
}

}  // namespace
}  // namespace ipop
