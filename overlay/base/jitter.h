// Times that do not meet.
#pragma once

#include "overlay/base/random.h"
#include "overlay/base/time.h"

namespace ipop {

/// Give or take a sixth: nodes that started together drift apart.
inline Duration jittered(Duration duration, Random& random) {
  return duration * 5 / 6 + Duration(random.below(duration.count() / 3 + 1));
}

}  // namespace ipop
