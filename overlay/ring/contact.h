// A node and where it is reached: all that is needed to call it.
#pragma once

#include "overlay/base/node_id.h"
#include "overlay/wire/address.h"

namespace ipop {

struct Contact {
  NodeId node;
  Endpoint endpoint;  ///< Port 0: not known; only the ring leads there.
  bool operator==(const Contact&) const = default;
};

}  // namespace ipop
