#include "overlay/ring/distance.h"

#include <algorithm>
#include <cmath>

namespace ipop {

double Distance::fraction() const {
  uint64_t head = 0;
  for (size_t i = 0; i < 8; ++i) head = head << 8 | bytes[i];
  return std::min(std::ldexp(static_cast<double>(head), -64),
                  std::nextafter(1.0, 0.0));  // Rounding may reach 1.
}

Distance Distance::from_fraction(double share) {
  Distance out;
  if (!(share > 0)) return out;
  if (share >= 1) {
    out.bytes.fill(0xff);
    return out;
  }
  const auto head = static_cast<uint64_t>(std::ldexp(share, 64));
  for (size_t i = 0; i < 8; ++i) out.bytes[i] = static_cast<uint8_t>(head >> (56 - 8 * i));
  return out;
}

Distance clockwise_distance(const NodeId& from, const NodeId& to) {
  Distance out;
  int borrow = 0;
  for (size_t i = NodeId::kSize; i-- > 0;) {
    const int difference = to.bytes[i] - from.bytes[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    out.bytes[i] = static_cast<uint8_t>(difference);
  }
  return out;
}

Distance ring_distance(const NodeId& a, const NodeId& b) {
  return std::min(clockwise_distance(a, b), clockwise_distance(b, a));
}

NodeId clockwise_of(const NodeId& from, const Distance& distance) {
  NodeId out;
  int carry = 0;
  for (size_t i = NodeId::kSize; i-- > 0;) {
    const int sum = from.bytes[i] + distance.bytes[i] + carry;
    carry = sum >> 8;
    out.bytes[i] = static_cast<uint8_t>(sum);
  }
  return out;
}

}  // namespace ipop
