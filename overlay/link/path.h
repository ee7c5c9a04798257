// How datagrams of a session reach a peer: straight to its endpoint, or over the ring, carried by other nodes
// that cannot read them.
#pragma once

#include <compare>
#include <optional>
#include <string>

#include "overlay/base/node_id.h"
#include "overlay/wire/address.h"

namespace ipop {

struct Path {
  Path() = default;
  Path(const Endpoint& direct) : endpoint(direct) {}  // NOLINT: an endpoint is a path.
  static Path over_ring(const NodeId& node) {
    Path out;
    out.node = node;
    return out;
  }

  std::optional<Endpoint> endpoint;  ///< Of a direct path.
  NodeId node;                       ///< Whom the ring is to deliver to, if it is not direct.

  bool is_direct() const { return endpoint.has_value(); }
  auto operator<=>(const Path&) const = default;
  /// "203.0.113.7:51128", or "a0a1a2a3 over the ring".
  std::string to_string() const {
    return endpoint ? endpoint->to_string() : node.to_short_string() + " over the ring";
  }
};

}  // namespace ipop
