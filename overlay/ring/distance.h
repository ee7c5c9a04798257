// Arithmetic on the circle of 2^160 identifiers.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "overlay/base/node_id.h"
#include "overlay/base/octets.h"

namespace ipop {

/// A length along the ring, in [0, 2^160).  Big-endian, so that comparing octets compares numbers.
struct Distance {
  std::array<uint8_t, NodeId::kSize> bytes{};

  bool operator==(const Distance&) const = default;
  auto operator<=>(const Distance& other) const { return compare_octets(bytes, other.bytes); }

  /// As a share of the whole ring, in [0, 1).
  double fraction() const;
  /// The inverse, to 64 bits.  Outside (0, 1) it is the nearest length there is.
  static Distance from_fraction(double share);
};

/// Clockwise distance from `from` to `to`.  Not symmetric: the two directions add up to 2^160 unless the
/// nodes are the same.  (Manku et al., "Symphony", USITS 2003.)
Distance clockwise_distance(const NodeId& from, const NodeId& to);

/// The shorter of the two ways.
Distance ring_distance(const NodeId& a, const NodeId& b);

/// The point that lies `distance` clockwise of `from`.
NodeId clockwise_of(const NodeId& from, const Distance& distance);

}  // namespace ipop
