// A host's own clock: it runs a little fast or slow against the world's time, as quartz does.
//
// Nodes compare instants with their own alone, so only rates matter: an epoch of its own would test nothing.
#pragma once

#include "overlay/base/time.h"

namespace ipop::sim {

class HostClock {
 public:
  /// Parts per 1e9 by which it is faster than the world's time; quartz stays within 100'000 either way.
  explicit HostClock(int64_t parts_per_billion = 0) : rate_(parts_per_billion) {}

  /// What the clock shows at `world`.  Exact up to 1000 days at 100 ppm, where 64 bits end.
  Instant at(Instant world) const {
    const int64_t us = world.time_since_epoch().count();
    return Instant(Duration(us + us * rate_ / kBillion));
  }

  /// The first instant of the world at which the clock shows `local` or more.
  Instant when(Instant local) const {
    if (rate_ == 0 || local == kNever) return local;
    const int64_t us = local.time_since_epoch().count();
    Instant world{Duration(us - us * rate_ / (kBillion + rate_))};
    while (at(world) < local) world += Duration(1);
    while (at(world - Duration(1)) >= local) world -= Duration(1);
    return world;
  }

 private:
  static constexpr int64_t kBillion = 1'000'000'000;
  int64_t rate_;
};

}  // namespace ipop::sim
