// What nodes say to each other over the ring: the body of a Routed or a Broadcast (wire/control.h).
// docs/protocol.md, "Ring messages".
//
// | kind (1) | body |.  The nodes in between can read it, except for a Carried, whose datagram is sealed from
// end to end.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/wire/binding.h"
#include "overlay/wire/control.h"
#include "overlay/wire/dht.h"

namespace ipop::wire {

/// A datagram of a session whose ends have no direct path (yet).
struct Carried {
  Bytes datagram;
  bool operator==(const Carried&) const = default;
};

/// Why a link is wanted.
enum class Purpose : uint8_t {
  Near = 1,      ///< The subject looks for its place on the ring: whoever is near answers.
  Shortcut = 2,  ///< The receiver is where a shortcut of the subject's should end.
  Traffic = 3,   ///< Guests of both hosts talk.
};

/// "Link up with `subject`."  The receiver calls it and answers with a ConnectReply, upon which the subject
/// calls, too: both sides sending is what opens two NATs (RFC 5128, section 3.3).
struct Connect {
  Purpose purpose = Purpose::Near;
  Member subject;             ///< No endpoint: not known to itself yet.
  std::optional<NodeId> via;  ///< The subject has no place yet: answers go by way of this node.
  bool operator==(const Connect&) const = default;
};

struct ConnectReply {
  Purpose purpose = Purpose::Near;
  Member responder;
  bool operator==(const ConnectReply&) const = default;
};

/// Collects the way to its destination, which sends it back as a TraceReply.
struct TraceRequest {
  struct Hop {
    NodeId node;
    uint32_t round_trip_us = 0;  ///< Of the link that the message left by; 0: not known, or the last.
    bool operator==(const Hop&) const = default;
  };
  static constexpr size_t kMaxHops = 44;  ///< 44 x 24 octets fit a datagram of 1200.
  uint64_t id = 0;
  std::vector<Hop> hops;  ///< Without the source.
  bool operator==(const TraceRequest&) const = default;
};

struct TraceReply {
  TraceRequest trace;
  bool operator==(const TraceReply&) const = default;
};

/// "Who are your neighbours?"
struct NeighboursRequest {
  uint64_t id = 0;
  bool operator==(const NeighboursRequest&) const = default;
};

struct NeighboursReply {
  static constexpr size_t kMaxCount = 8;  ///< On each side.
  uint64_t id = 0;
  std::string host;                ///< At most 63 octets.
  std::vector<NodeId> successors;  ///< Nearest first, as are the predecessors.
  std::vector<NodeId> predecessors;
  bool operator==(const NeighboursReply&) const = default;
};

using RingMessage =
    std::variant<Carried, Connect, ConnectReply, TraceRequest, TraceReply, NeighboursRequest, NeighboursReply,
                 Query, Answer, Announcement, DhtRequest, DhtReply, DhtPull, DhtPage, DhtFetch, DhtNotice,
                 Members>;  ///< Members, to whoever is far away: for it to know of them.

/// Errors as decode_control().
Result<RingMessage> decode_ring_message(ByteView body);
/// REQUIRES: lists and names within their bounds.
Bytes encode_ring_message(const RingMessage& message);

/// Appends a hop to a TraceRequest as it passes.  Nothing happens to any other message, nor to a full one.
void append_trace_hop(Bytes& body, const TraceRequest::Hop& hop);
/// Whether the body is a Carried, or a TraceRequest, without decoding it.
bool is_carried(ByteView body);
bool is_trace_request(ByteView body);

}  // namespace ipop::wire
