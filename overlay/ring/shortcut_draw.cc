#include "overlay/ring/shortcut_draw.h"

#include <cmath>

#include "overlay/ring/distance.h"
#include "overlay/ring/neighbourhood.h"

namespace ipop {

size_t wanted_shortcuts(double ring_size) {
  if (ring_size <= 2 * kNearPerSide + 1) return 0;
  return static_cast<size_t>(std::log2(ring_size) / 2);
}

NodeId draw_shortcut(const NodeId& self, double ring_size, Random& random) {
  const double u = std::ldexp(static_cast<double>(random.u64() >> 11), -53);
  return clockwise_of(self, Distance::from_fraction(std::exp(std::log(ring_size) * (u - 1))));
}

}  // namespace ipop
