#include "overlay/node/records.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

constexpr Instant kNow{1000s};
const Binding kBinding{.ip = Ipv4Address{0x0a80000a},
                       .mac = {{0x52, 0x54, 0, 0, 0, 0xa}},
                       .node = {{1, 2, 3}},
                       .sequence = 7,
                       .expires = kNow + 3600s,
                       .name = "vm1"};

TEST(Records, ABindingSurvivesTheWay) { EXPECT_EQ(to_binding(to_record(kBinding, kNow), kNow), kBinding); }

TEST(Records, LifetimesAreRoundedUpAndNeverNegative) {
  Binding binding = kBinding;
  binding.expires = kNow + 1us;
  EXPECT_EQ(to_record(binding, kNow).lifetime_s, 1u) << "a living binding must not look withdrawn";
  binding.expires = kNow;
  EXPECT_EQ(to_record(binding, kNow).lifetime_s, 0u);
  binding.expires = kNow - 5s;
  EXPECT_EQ(to_record(binding, kNow).lifetime_s, 0u);
  binding.expires = kNever;
  EXPECT_EQ(to_record(binding, kNow).lifetime_s, 0xffffffffu);
}

TEST(Records, ANameThatIsNoLabelIsDropped) {
  wire::BindingRecord record = to_record(kBinding, kNow);
  for (const char* name : {"a b", "-a", "x\n", "a.b"}) {
    record.name = name;
    EXPECT_EQ(to_binding(record, kNow).name, "") << name;
  }
}

TEST(Records, AQuestionSurvivesTheWay) {
  Query query{.id = 9, .kind = Query::Kind::Ip, .ip = kBinding.ip, .mac = {}, .claim = {}, .asker = kBinding};
  EXPECT_EQ(to_query(to_message(query, kNow), kNow), query);
  query.claim = Query::Claim{.ip = query.ip, .mac = kBinding.mac};
  query.asker.reset();
  EXPECT_EQ(to_query(to_message(query, kNow), kNow), query);
}

}  // namespace
}  // namespace ipop
