#include "overlay/dht/store.h"

#include <gtest/gtest.h>

namespace ipop {
namespace {

constexpr Instant kNow{100s};

NodeId key(uint8_t n) { return {{n}}; }
Store::Entry entry(uint8_t writer, Instant expires = kNow + 1h) {
  wire::DhtRecord record;
  record.node = {{writer}};
  return {.record = record, .expires = expires};
}

TEST(Store, KeepsUntilItExpires) {
  Store store;
  ASSERT_TRUE(store.put(key(1), entry(7, kNow + 60s)));
  EXPECT_EQ(store.next_timeout(), kNow + 60s);
  store.handle_timeout(kNow + 59s);
  EXPECT_NE(store.find(key(1)), nullptr);
  store.handle_timeout(kNow + 60s);
  EXPECT_EQ(store.find(key(1)), nullptr);
  EXPECT_EQ(store.next_timeout(), kNever);
  EXPECT_TRUE(store.writers().empty());
}

TEST(Store, WhatIsReplacedLeavesNoDeadline) {
  Store store;
  ASSERT_TRUE(store.put(key(1), entry(7, kNow + 60s)));
  ASSERT_TRUE(store.put(key(1), entry(8, kNow + 90s)));
  store.handle_timeout(kNow + 60s);
  EXPECT_NE(store.find(key(1)), nullptr);
  EXPECT_EQ(store.writers().size(), 1u);
  EXPECT_EQ(store.writers().at({{8}}), 1u);
}

TEST(Store, AFullOneRefusesWhatIsNewAndDropsNothing) {
  Store store({.records = 2, .of_writer = 2});
  ASSERT_TRUE(store.put(key(1), entry(1)));
  ASSERT_TRUE(store.put(key(2), entry(2)));
  const auto third = store.put(key(3), entry(3));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error(), Error::Full);
  EXPECT_EQ(store.size(), 2u);
  EXPECT_TRUE(store.put(key(1), entry(1, kNow + 2h))) << "a refresh takes no room";
  EXPECT_TRUE(store.put(key(1), entry(2))) << "nor does a move";
}

TEST(Store, AWriterHasItsShareAndNoMore) {
  Store store({.records = 10, .of_writer = 2});
  ASSERT_TRUE(store.put(key(1), entry(1)));
  ASSERT_TRUE(store.put(key(2), entry(1)));
  EXPECT_FALSE(store.put(key(3), entry(1)));
  EXPECT_TRUE(store.put(key(3), entry(2)));
  EXPECT_FALSE(store.put(key(3), entry(1))) << "nor by taking another's place";
  EXPECT_EQ(store.find(key(3))->record.node, (NodeId{{2}}));
  store.erase(key(1));
  EXPECT_TRUE(store.put(key(4), entry(1)));
}

TEST(Store, ErasingNothingIsNothing) {
  Store store;
  store.erase(key(1));
  EXPECT_EQ(store.size(), 0u);
}

}  // namespace
}  // namespace ipop
