#include "overlay/vnet/lease_table.h"

#include <gtest/gtest.h>

#include "tests/vnet/testing.h"

namespace ipop {
namespace {

using namespace vnet_testing;

constexpr UnixSeconds kWall = 1'800'000'000;

Lease lease(const char* address, Instant expires, const char* name = "") {
  return {.ip = ip(address), .expires = expires, .sequence = 3, .name = name};
}

TEST(LeaseTable, AnAddressIsOneMacs) {
  LeaseTable table;
  EXPECT_TRUE(table.put(at(0s), mac(1), lease("10.128.0.2", at(60s))));
  EXPECT_EQ(table.put(at(59s), mac(2), lease("10.128.0.2", at(90s))).error(), Error::Conflict);
  EXPECT_EQ(table.holder(ip("10.128.0.2")), mac(1));
  EXPECT_TRUE(table.put(at(60s), mac(2), lease("10.128.0.2", at(90s)))) << "Only remembered for the other.";
  EXPECT_EQ(table.find(mac(1)), nullptr);
  EXPECT_TRUE(table.put(at(60s), mac(2), lease("10.128.0.3", at(90s))));
  EXPECT_EQ(table.holder(ip("10.128.0.2")), std::nullopt) << "A MAC has one lease.";
}

TEST(LeaseTable, MakesRoomByForgettingTheOldest) {
  LeaseTable table;
  for (uint32_t i = 0; i < LeaseTable::kMaxLeases; ++i) {
    const MacAddress guest{{2, 0, 0, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}};
    ASSERT_TRUE(
        table.put(at(0s), guest, {.ip = {i + 1}, .expires = at(std::chrono::seconds(60 + i)), .name = {}}));
  }
  EXPECT_EQ(table.put(at(0s), mac(1), {.ip = {99999}, .expires = at(90s), .name = {}}).error(), Error::Full);
  EXPECT_TRUE(table.put(at(60s), mac(1), {.ip = {99999}, .expires = at(90s), .name = {}}));
  EXPECT_EQ(table.holder({1}), std::nullopt);
  EXPECT_TRUE(table.holder({2}));
}

TEST(LeaseTable, SurvivesInAFile) {
  LeaseTable table;
  (void)table.put(at(0s), mac(1), lease("10.128.0.2", at(100s), "vm1"));
  (void)table.put(at(0s), mac(2), lease("10.128.0.3", at(10s)));
  EXPECT_TRUE(table.dirty());
  table.set_saved();
  EXPECT_FALSE(table.dirty());
  const std::string text = table.save(at(40s), kWall);
  EXPECT_EQ(text,
            "ipop-leases 1\n"
            "52:54:00:00:00:01 10.128.0.2 1800000060 3 vm1\n"
            "52:54:00:00:00:02 10.128.0.3 1799999970 3 -\n");

  LeaseTable loaded;  // In another process, whose clock began elsewhere, 20 s later.
  ASSERT_TRUE(loaded.load(text, at(1000s), kWall + 20, 1h));
  Lease from_file = lease("10.128.0.2", at(1040s), "vm1");
  from_file.is_from_file = true;
  EXPECT_EQ(*loaded.find(mac(1)), from_file);
  EXPECT_LE(loaded.find(mac(2))->expires, at(1000s));
  EXPECT_FALSE(loaded.dirty());
}

TEST(LeaseTable, NoLeaseOutlastsTheLongest) {
  LeaseTable table;
  ASSERT_TRUE(
      table.load("ipop-leases 1\n52:54:00:00:00:01 10.128.0.2 1099511627775 3 -\n", at(0s), kWall, 1h));
  EXPECT_EQ(table.find(mac(1))->expires, at(1h));
}

TEST(LeaseTable, AWrongFileChangesNothing) {
  const std::string good = "52:54:00:00:00:01 10.128.0.2 1800000060 3 vm1\n";
  const std::string texts[] = {
      "",
      "\n",
      "ipop-leases 2\n",
      "ipop-leases 1",
      "ipop-leases 1\n\n",
      "ipop-leases 1\n" + good + good,
      "ipop-leases 1\n" + good + "52:54:00:00:00:02 10.128.0.2 1800000060 3 vm1\n",
      "ipop-leases 1\n52:54:00:00:00:01 10.128.0.2 1800000060 3\n",
      "ipop-leases 1\n52:54:00:00:00:01 10.128.0.2 1800000060 3 vm1 x\n",
      "ipop-leases 1\n52:54:00:00:00:01  10.128.0.2 1800000060 3 vm1\n",
      "ipop-leases 1\n52:54:00:00:00:1 10.128.0.2 1800000060 3 vm1\n",
      "ipop-leases 1\n52:54:00:00:00:0g 10.128.0.2 1800000060 3 vm1\n",
      "ipop-leases 1\n01:54:00:00:00:01 10.128.0.2 1800000060 3 vm1\n",
      "ipop-leases 1\n00:00:00:00:00:00 10.128.0.2 1800000060 3 vm1\n",
      "ipop-leases 1\n52:54:00:00:00:01 10.128.0 1800000060 3 vm1\n",
      "ipop-leases 1\n52:54:00:00:00:01 10.128.0.2 -1 3 vm1\n",
      "ipop-leases 1\n52:54:00:00:00:01 10.128.0.2 1099511627776 3 vm1\n",
      "ipop-leases 1\n52:54:00:00:00:01 10.128.0.2 99999999999999999999 3 vm1\n",
      "ipop-leases 1\n52:54:00:00:00:01 10.128.0.2 1800000060 x vm1\n",
      "ipop-leases 1\n52:54:00:00:00:01 10.128.0.2 1800000060 3 vm_1\n",
  };
  LeaseTable table;
  (void)table.put(at(0s), mac(9), lease("10.128.0.9", at(60s)));
  const auto before = table.all();
  for (const auto& text : texts) {
    const auto result = table.load(text, at(0s), kWall, 1h);
    ASSERT_FALSE(result) << text;
    EXPECT_FALSE(result.error().text.empty());
    EXPECT_EQ(table.all(), before) << text;
  }
  const std::string whole = "ipop-leases 1\n" + good;
  for (size_t size = 0; size < whole.size(); ++size) {
    if (size != std::string_view("ipop-leases 1\n").size()) {
      EXPECT_FALSE(table.load(whole.substr(0, size), at(0s), kWall, 1h)) << size;
    }
  }
  EXPECT_EQ(table.all(), before);
}

}  // namespace
}  // namespace ipop
