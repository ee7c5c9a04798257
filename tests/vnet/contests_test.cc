#include "overlay/vnet/contests.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Kind = Contests::Event::Kind;

struct ContestsTest : testing::Test {
  /// What has happened since the last time.
  std::vector<Kind> events() {
    std::vector<Kind> out;
    while (const auto event = contests.poll_event()) {
      EXPECT_EQ(event->ip, kAddress);
      EXPECT_EQ(event->holder, mac(1));
      out.push_back(event->kind);
    }
    return out;
  }
  std::vector<Kind> events_until(Instant end) {
    while (contests.next_timeout() <= end) contests.handle_timeout(contests.next_timeout());
    return events();
  }
  const IpAddress kAddress = ip("10.128.0.30");
  Contests contests;
};

TEST_F(ContestsTest, WhoIsSilentIsAskedFourTimesAndLoses) {
  contests.start(at(0s), kAddress, mac(1));
  EXPECT_EQ(events_until(at(3999ms)), std::vector<Kind>(4, Kind::Question));
  EXPECT_EQ(events_until(at(4s)), std::vector<Kind>{Kind::Lost});
  EXPECT_EQ(contests.next_timeout(), kNever);
}

TEST_F(ContestsTest, WhoAnswersIsLeftAloneForAWhile) {
  contests.start(at(0s), kAddress, mac(1));
  contests.handle_word(at(3s), mac(2), kAddress);  // The other one: no answer.
  contests.handle_word(at(3s), mac(1), ip("10.128.0.31"));
  EXPECT_EQ(events_until(at(3s)), std::vector<Kind>(4, Kind::Question));
  contests.handle_word(at(3900ms), mac(1), kAddress);
  contests.start(at(13s), kAddress, mac(1));
  EXPECT_EQ(events_until(at(13s)), std::vector<Kind>{});
  contests.start(at(3900ms) + Contests::kQuietTime, kAddress, mac(1));
  EXPECT_EQ(events(), std::vector<Kind>{Kind::Question});
}

TEST_F(ContestsTest, OneMoreThanThereIsRoomForIsIgnored) {
  for (uint32_t i = 0; i < Contests::kMost; ++i) contests.start(at(0s), Ipv4Address{i + 1}, mac(1));
  while (contests.poll_event()) continue;
  contests.start(at(0s), kAddress, mac(1));
  EXPECT_EQ(events(), std::vector<Kind>{});
  contests.handle_timeout(at(4s));  // By then the others have lost.
  while (contests.poll_event()) continue;
  contests.start(at(4s), kAddress, mac(1));
  EXPECT_EQ(events(), std::vector<Kind>{Kind::Question});
}

}  // namespace
}  // namespace ipop
