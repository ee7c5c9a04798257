#include "overlay/vnet/holder_history.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;
using Holder = HolderHistory::Holder;

TEST(HolderHistory, TheLatestIsFirst) {
  HolderHistory history;
  EXPECT_TRUE(history.find(ip("10.128.0.7")).empty());
  history.add(at(10s), binding(1, "10.128.0.7", 1, 3, at(99s)));
  history.add(at(20s), binding(2, "10.128.0.7", 2, 5, at(99s)));
  EXPECT_EQ(history.find(ip("10.128.0.7")),
            (std::vector<Holder>{{.mac = mac(2), .node = node(2), .sequence = 5, .until = at(20s)},
                                 {.mac = mac(1), .node = node(1), .sequence = 3, .until = at(10s)}}));
  EXPECT_TRUE(history.find(ip("10.128.0.8")).empty());
}

TEST(HolderHistory, AMacHasAHistoryOfItsOwn) {
  HolderHistory history;
  history.add(at(10s), binding(1, "", 1, 3, at(99s)));
  history.add(at(11s), binding(1, "10.128.0.7", 2, 3, at(99s)));
  ASSERT_EQ(history.find(mac(1)).size(), 1u);
  EXPECT_EQ(history.find(mac(1))[0].node, node(1));
  EXPECT_EQ(history.find(ip("10.128.0.7"))[0].node, node(2));
}

TEST(HolderHistory, WhoComesBackIsOneHolder) {
  HolderHistory history;
  for (int i = 1; i <= 3; ++i) {
    history.add(at(i * 10s), binding(1, "10.128.0.7", 1, static_cast<uint64_t>(i), at(99s)));
  }
  EXPECT_EQ(history.find(ip("10.128.0.7")),
            (std::vector<Holder>{{.mac = mac(1), .node = node(1), .sequence = 3, .until = at(30s)}}));
}

TEST(HolderHistory, AFewAreRememberedOfOneAddress) {
  HolderHistory history;
  for (uint8_t host = 1; host <= 6; ++host) {
    history.add(at(host * 10s), binding(1, "10.128.0.7", host, host, at(99s)));
  }
  const auto found = history.find(ip("10.128.0.7"));
  ASSERT_EQ(found.size(), HolderHistory::kMaxHolders);
  EXPECT_EQ(found.front().node, node(6));
  EXPECT_EQ(found.back().node, node(3));
}

TEST(HolderHistory, TheOldestAddressMakesRoom) {
  HolderHistory history;
  const auto nth = [](size_t i) { return IpAddress(Ipv4Address{0x0a800000 + static_cast<uint32_t>(i)}); };
  const auto give_up = [&](size_t i, Instant now) {
    Binding gone = binding(1, "", 1, 1, at(99s));
    gone.ip = nth(i);
    history.add(now, gone);
  };
  for (size_t i = 1; i <= HolderHistory::kMaxAddresses; ++i) give_up(i, at(i * 1s));
  give_up(1, at(2000s));  // It is the youngest now.
  give_up(5000, at(2000s));
  EXPECT_EQ(history.size(), HolderHistory::kMaxAddresses);
  EXPECT_FALSE(history.find(nth(1)).empty());
  EXPECT_TRUE(history.find(nth(2)).empty());
  EXPECT_FALSE(history.find(nth(3)).empty());
}

}  // namespace
}  // namespace ipop
