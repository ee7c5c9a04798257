#include "overlay/vnet/expected_guests.h"

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

/// On node 1.
struct ExpectedGuestsTest : testing::Test {
  /// What is asked, and whom to have a link with; each once.
  std::vector<MacAddress> questions() {
    std::vector<MacAddress> out;
    while (const auto mac = expected.poll_question()) out.push_back(*mac);
    return out;
  }
  std::vector<NodeId> hosts() {
    std::vector<NodeId> out;
    while (const auto host = expected.poll_host()) out.push_back(*host);
    return out;
  }

  Instant now = at(1000s);
  AddressMap map{node(1)};
  ExpectedGuests expected{node(1), map};
};

TEST_F(ExpectedGuestsTest, TheNetworkIsAskedAtOnceAndNowAndThen) {
  ASSERT_TRUE(expected.expect(now, mac(1)));
  EXPECT_EQ(questions(), std::vector{mac(1)});
  EXPECT_TRUE(hosts().empty()) << "nobody knows where it is";
  expected.handle_timeout(now + ExpectedGuests::kInterval - 1us);
  EXPECT_TRUE(questions().empty());
  EXPECT_EQ(expected.next_timeout(), now + ExpectedGuests::kInterval);
  expected.handle_timeout(now + ExpectedGuests::kInterval);
  EXPECT_EQ(questions(), std::vector{mac(1)});
}

TEST_F(ExpectedGuestsTest, AGuestsHostIsLinkedToAsSoonAsItIsKnownAndAsLongAsItWaits) {
  ASSERT_TRUE(map.upsert(now, binding(1, "", 2, 7, now + 1h)));
  ASSERT_TRUE(expected.expect(now, mac(1)));
  EXPECT_EQ(hosts(), std::vector{node(2)});
  EXPECT_EQ(questions(), std::vector{mac(1)}) << "the map may be old";
  expected.handle_binding(binding(1, "", 3, 9, now + 1h));
  expected.handle_binding(binding(5, "", 4, 9, now + 1h));
  EXPECT_EQ(hosts(), std::vector{node(3)});
  expected.handle_timeout(now + ExpectedGuests::kInterval);
  EXPECT_EQ(hosts(), std::vector{node(2)});
}

TEST_F(ExpectedGuestsTest, WhoHasComeIsNotExpectedAnyMore) {
  ASSERT_TRUE(expected.expect(now, mac(1)));
  expected.handle_binding(binding(1, "", 1, 8, now + 1h));
  EXPECT_FALSE(expected.is_expected(mac(1)));
  EXPECT_EQ(expected.next_timeout(), kNever);
}

TEST_F(ExpectedGuestsTest, WhoDoesNotComeIsForgotten) {
  ASSERT_TRUE(expected.expect(now, mac(1)));
  expected.handle_timeout(now + ExpectedGuests::kLifetime - 1us);
  EXPECT_TRUE(expected.is_expected(mac(1)));
  ASSERT_TRUE(expected.expect(now + 30min, mac(1)));
  expected.handle_timeout(now + ExpectedGuests::kLifetime);
  EXPECT_TRUE(expected.is_expected(mac(1))) << "the hook has said so again";
  expected.handle_timeout(now + 30min + ExpectedGuests::kLifetime);
  EXPECT_FALSE(expected.is_expected(mac(1)));
}

TEST_F(ExpectedGuestsTest, AreBounded) {
  for (size_t i = 0; i < ExpectedGuests::kMaxExpected; ++i) {
    ASSERT_TRUE(expected.expect(now, {{2, 0, 0, 0, uint8_t(i >> 8), uint8_t(i)}})) << i;
  }
  EXPECT_EQ(expected.expect(now, mac(1)).error(), Error::Full);
  EXPECT_TRUE(expected.expect(now, {{2, 0, 0, 0, 0, 1}})) << "it is among them";
  EXPECT_EQ(expected.expect(now, MacAddress::broadcast()).error(), Error::Malformed);
  EXPECT_EQ(expected.expect(now, {}).error(), Error::Malformed);
}

}  // namespace
}  // namespace ipop
