// What the fast path hands to the core: everything that is not a data frame of a live session, and of these
// what the core has to judge (must_judge()).
//
// Implemented by the shell's bounded queue, and by recorders in tests.
#pragma once

#include "overlay/base/bytes.h"
#include "overlay/base/node_id.h"
#include "overlay/wire/address.h"
#include "overlay/wire/datagram.h"

namespace ipop {

/// Each is the handle_*() of Node with the same name.  Any thread may call; views are copied or dropped,
/// never kept.
class CoreInbox {
 public:
  virtual ~CoreInbox() = default;
  virtual void guest_frame(ByteView frame) = 0;
  virtual void datagram(const Endpoint& from, ByteView datagram) = 0;
  virtual void opened(uint32_t local_index, const Endpoint& from, wire::Type type, ByteView plaintext) = 0;
  virtual void received(uint32_t local_index, const Endpoint& from) = 0;
  virtual void quiet(const NodeId& node) = 0;
  virtual void too_big(const NodeId& node) = 0;
  virtual void too_long(ByteView head, size_t max_frame) = 0;
};

}  // namespace ipop
