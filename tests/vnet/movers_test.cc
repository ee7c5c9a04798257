#include "overlay/vnet/movers.h"

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

/// Guest 1 has just come to node 1, with sequence 5.
struct MoversTest : testing::Test {
  MoversTest() { arrive(1, 5); }
  void arrive(uint8_t guest, uint64_t sequence) {
    ASSERT_TRUE(map.upsert(now, binding(guest, "", 1, sequence, now + 1h)));
    movers.handle_arrival(now, mac(guest));
  }
  void leave(uint8_t guest) {
    ASSERT_TRUE(map.upsert(now, binding(guest, "", 2, 100, now + 2h)));
    movers.handle_departure(now, mac(guest), {});
  }

  Instant now = at(1000s);
  AddressMap map{node(1)};
  Movers movers{node(1), map};
};

TEST_F(MoversTest, AGuestIsANewcomerForAWhileOrUntilTheNetworkKnows) {
  EXPECT_TRUE(movers.is_newcomer(now, mac(1)));
  EXPECT_FALSE(movers.is_newcomer(now, mac(2)));
  EXPECT_FALSE(movers.is_newcomer(now + Movers::kNewcomerTime, mac(1)));
  movers.handle_known(mac(1));
  EXPECT_FALSE(movers.is_newcomer(now, mac(1)));
  arrive(1, 6);
  leave(1);
  EXPECT_FALSE(movers.is_newcomer(now, mac(1)));
}

TEST_F(MoversTest, WhatWouldWinIsOutbid) {
  struct {
    uint8_t node;
    uint64_t sequence;
    bool is_outbid;
  } const cases[] = {{2, 4, false}, {2, 5, false}, {2, 6, true}, {2, 900, true}, {0, 5, true}, {1, 9, false}};
  for (const auto& c : cases) {
    const Binding claim = binding(1, "", c.node, c.sequence, now + 1h);
    EXPECT_EQ(movers.is_to_outbid(now, claim), c.is_outbid) << int{c.node} << ", " << c.sequence;
  }
  EXPECT_FALSE(movers.is_to_outbid(now, binding(1, "", 2, 9, now))) << "it is given back";
  EXPECT_FALSE(movers.is_to_outbid(now, binding(7, "", 2, 9, now + 1h))) << "who is that?";
}

TEST_F(MoversTest, OutbiddingEnds) {
  const Binding claim = binding(1, "", 2, 900, now + 1h);
  for (int i = 0; i < Movers::kMaxOutbid; ++i) {
    ASSERT_TRUE(movers.is_to_outbid(now, claim)) << i;
    movers.note_outbid(mac(1));
  }
  EXPECT_FALSE(movers.is_to_outbid(now, claim));
}

TEST_F(MoversTest, TheNextAfterOursIsAFurtherMoveOnceWeHaveOutbid) {
  EXPECT_FALSE(movers.is_further_move(binding(1, "", 2, 6, now + 1h))) << "perhaps by chance";
  movers.note_outbid(mac(1));
  EXPECT_TRUE(movers.is_further_move(binding(1, "", 2, 6, now + 1h)));
  EXPECT_FALSE(movers.is_further_move(binding(1, "", 2, 7, now + 1h)));
  EXPECT_FALSE(movers.is_further_move(binding(2, "", 2, 6, now + 1h)));
}

TEST_F(MoversTest, TheLastThatLeftAreRememberedForAWhile) {
  arrive(2, 1);
  leave(2);
  leave(1);
  EXPECT_EQ(movers.departed(), (std::vector{mac(1), mac(2)}));
  arrive(2, 101);
  EXPECT_EQ(movers.departed(), std::vector{mac(1)});
  now += Movers::kDepartedTime;
  leave(2);
  EXPECT_EQ(movers.departed(), std::vector{mac(2)});
  for (uint32_t i = 0; i < Movers::kMaxDeparted; ++i) {
    now += 1ms;
    movers.handle_departure(now, {{2, 0, 0, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}}, {});
  }
  EXPECT_EQ(movers.departed().size(), Movers::kMaxDeparted);
  EXPECT_EQ(movers.departed().front(), (MacAddress{{2, 0, 0, 0, 0, 0}})) << "the oldest went";
}

TEST_F(MoversTest, WhatOneHadThatLeftIsKeptFromOthersForAMoment) {
  const Binding claim = binding(3, "10.128.0.77", 2, 1, now + 1h);
  EXPECT_FALSE(movers.is_kept_from(now, claim));
  movers.handle_departure(now, mac(1), {claim.ip});
  EXPECT_TRUE(movers.is_kept_from(now, claim));
  EXPECT_FALSE(movers.is_kept_from(now, binding(3, "10.128.0.78", 2, 1, now + 1h)));
  EXPECT_FALSE(movers.is_kept_from(now, binding(1, "10.128.0.77", 2, 1, now + 1h))) << "it is its own";
  EXPECT_FALSE(movers.is_kept_from(now + Movers::kReturnTime, claim));
  movers.handle_lost(mac(1), claim.ip);
  EXPECT_FALSE(movers.is_kept_from(now, claim));
}

}  // namespace
}  // namespace ipop
