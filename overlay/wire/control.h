// Control messages: what two nodes tell each other inside a session.  docs/protocol.md, "Control messages".
//
// | kind (1) | body |, sealed as the plaintext of a datagram of type Control.  Not answered and not ordered
// unless a message says so; octets after the known fields are ignored, so that a later version may add some.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/node_id.h"
#include "overlay/base/result.h"
#include "overlay/wire/address.h"

namespace ipop::wire {

/// "Are you there?"  Answered at once by a Pong with the same token.
struct Ping {
  uint64_t token = 0;
  bool operator==(const Ping&) const = default;
};

/// The answer; `observed` is where the Ping came from, as a STUN server would say it (RFC 8489).
struct Pong {
  uint64_t token = 0;
  Endpoint observed;
  bool operator==(const Pong&) const = default;
};

/// Nodes the sender is connected to and where it reaches them.
struct Members {
  struct Member {
    NodeId node;
    Endpoint endpoint;
    bool operator==(const Member&) const = default;
  };
  static constexpr size_t kMaxCount = 30;  ///< 30 x 38 octets fit a datagram of 1200.
  std::vector<Member> members;
  bool operator==(const Members&) const = default;
};

/// Where an address of the virtual network lives, as its holder says.
struct BindingRecord {
  Ipv4Address ip;  ///< Unspecified for a guest that has only shown its MAC.
  MacAddress mac;
  NodeId node;
  uint64_t sequence = 0;    ///< Higher is newer, for one MAC.
  uint32_t lifetime_s = 0;  ///< From now; 0 withdraws the binding.
  std::string name;         ///< At most 63 octets; the guest's host name or "".
  bool operator==(const BindingRecord&) const = default;
};

/// "Who holds this address?"  Asked of members now, of DHT replicas later.
struct Query {
  enum class Kind : uint8_t { Ip = 1, Mac = 2 };
  uint64_t id = 0;  ///< The asker's, repeated in the Answer.
  Kind kind = Kind::Ip;
  Ipv4Address ip;                      ///< Kind::Ip.
  MacAddress mac;                      ///< Kind::Mac.
  std::optional<MacAddress> claimant;  ///< Kind::Ip: the guest that will get `ip` if nobody holds it.
  std::optional<BindingRecord> asker;  ///< The guest in whose name we ask: who answers need not ask back.
  bool operator==(const Query&) const = default;
};

struct Answer {
  uint64_t id = 0;
  std::optional<BindingRecord> binding;  ///< Nothing: "not I".
  bool operator==(const Answer&) const = default;
};

/// "This address now lives here", unasked.
struct Announcement {
  BindingRecord binding;
  bool operator==(const Announcement&) const = default;
};

/// The sender is about to stop.
struct Goodbye {
  bool operator==(const Goodbye&) const = default;
};

using ControlMessage = std::variant<Ping, Pong, Members, Query, Answer, Announcement, Goodbye>;

/// Error::UnknownType for a kind that this version does not know, Error::Malformed for a short or absurd
/// body.
Result<ControlMessage> decode_control(ByteView plaintext);
/// REQUIRES: lists and names within their bounds.
Bytes encode_control(const ControlMessage& message);

}  // namespace ipop::wire
