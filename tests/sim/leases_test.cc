// Whole networks under crashes, moves, partitions, loss and clocks that differ and drift, against
// docs/addresses.md.
#include "overlay/sim/leases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::sim {
namespace {

using testing::IsEmpty;

/// Twenty guests for 29 addresses, so that the sides of a partition give the same ones.
LeasesOptions options(uint64_t seed) {
  return {.world = {.seed = seed,
                    .loss = 0.05,
                    .subnet = *Ipv4Subnet::parse("10.128.0.0/27"),
                    .drift_ppm = 100,
                    .clock_spread = 290s,
                    .keeps_log = false},
          .hosts = 10,
          .guests = 20,
          .liars = 1,
          .pause = 15s};
}

/// With these seeds two sides of a partition give one address.
TEST(Leases, NoTwoGuestsOfOnePartitionHoldOneAddressAndOneKeepsItAfterwards) {
  size_t conflicts = 0;
  for (const uint64_t seed : {6, 12, 18}) {
    Leases leases(options(seed));
    leases.run(10min);
    leases.calm(3min);
    EXPECT_THAT(leases.history().violations(), IsEmpty()) << "seed " << seed;
    EXPECT_GE(leases.counts().grants, 20u) << "seed " << seed;
    EXPECT_GT(leases.counts().releases, 0u) << "seed " << seed;
    conflicts += leases.history().conflicts();
  }
  EXPECT_GT(conflicts, 0u) << "there was nothing to decide";
}

/// Some wake when others have their addresses, and some of these were never asked for.
TEST(Leases, NorWhenGuestsSleepForLongerThanALeaseAndOthersTakeWhatTheyLike) {
  LeasesOptions asleep = options(3);
  asleep.statics = 0.3;
  asleep.sleep = 100min;
  asleep.pause = 30s;
  Leases leases(asleep);
  leases.run(2h);
  leases.calm(3min);
  EXPECT_THAT(leases.history().violations(), IsEmpty());
  EXPECT_GT(leases.counts().sleeps, 10u);
  EXPECT_GT(leases.counts().migrations, 10u);
}

TEST(Leases, NoAddressIsLostForGood) {
  Leases leases(options(7));
  leases.run(5min);
  leases.end_guests();
  leases.calm(66min);  // A lease, the difference of clocks, and a minute.
  leases.add_guests(28);
  leases.calm(7min);  // For 29 addresses: of two claims at once neither wins, for a minute and the difference
                      // of clocks.
  EXPECT_EQ(leases.leased(), 28u);
  EXPECT_THAT(leases.history().violations(), IsEmpty());
}

}  // namespace
}  // namespace ipop::sim
