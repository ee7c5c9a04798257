// A node's place on the ring of 2^160 identifiers: the first 160 bits of SHA-256 of its identity public key.
// It cannot be chosen freely, and anyone who holds the key can check it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "overlay/base/bytes.h"
#include "overlay/base/octets.h"

namespace ipop {

struct NodeId {
  static constexpr size_t kSize = 20;
  std::array<uint8_t, kSize> bytes{};

  bool operator==(const NodeId& other) const { return equal_octets(bytes, other.bytes); }
  auto operator<=>(const NodeId& other) const { return compare_octets(bytes, other.bytes); }

  /// All 40 hexadecimal digits.
  std::string to_string() const { return to_hex(bytes); }
  /// The first 8 digits: enough for a person to tell the members of a network apart.
  std::string to_short_string() const { return to_hex(ByteView(bytes).first(4)); }
};

}  // namespace ipop
