// Control messages: what the two ends of a link tell each other.  docs/protocol.md, "Control messages".
//
// | kind (1) | body |, sealed as the plaintext of a datagram of type Control.  Not answered and not ordered
// unless a message says so; octets after the known fields are ignored, so that a later version may add some.
// Routed and Broadcast carry what nodes say to others that they have no link to, Direct the same to those
// that they have one to: wire/ring_message.h.
#pragma once

#include <array>
#include <optional>
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
  bool wants_link = false;     ///< The sender has a use for the link; when neither end has, it is closed.
  bool asks_endpoint = false;  ///< Says where the Ping came from, please.
  bool asks_received = false;  ///< And how much of ours has arrived.
  bool operator==(const Ping&) const = default;
};

/// The answer; `observed` is where the Ping came from, as a STUN server would say it (RFC 8489); `received`
/// how many data datagrams from there have been opened since the link was made.
struct Pong {
  uint64_t token = 0;
  bool wants_link = false;
  std::optional<Endpoint> observed;
  std::optional<uint64_t> received{};
  bool operator==(const Pong&) const = default;
};

/// A node and where it is reached: how nodes are spoken of.
struct Member {
  NodeId node;
  Endpoint endpoint;  ///< All zeros if it is reached over the ring only.
  bool operator==(const Member&) const = default;
};

/// Neighbours on the ring that the sender is linked to.
struct Members {
  static constexpr size_t kMaxCount = 28;  ///< 28 x 38 octets fit a datagram of 1200 together with a Routed.
  std::vector<Member> members;
  bool operator==(const Members&) const = default;
};

/// "This neighbour of ours does not answer me any more": a reason to ask it oneself, no more.
struct Gone {
  NodeId node;
  bool operator==(const Gone&) const = default;
};

/// The sender closes the link.
struct Goodbye {
  enum class Reason : uint8_t {
    Stopping = 0,  ///< Its process ends.
    Unneeded = 1,  ///< It lives on, without this link.
  };
  Reason reason = Reason::Stopping;
  bool operator==(const Goodbye&) const = default;
};

/// A message on its way over the ring, from link to link.
struct Routed {
  enum class Mode : uint8_t {
    Exact = 1,   ///< For the node `destination` and nobody else.
    Owner = 2,   ///< For the node nearest to `destination`.
    After = 3,   ///< For the next node clockwise of `destination`: how a place on the ring is found.
    Before = 4,  ///< The same, the other way.
  };
  static constexpr uint8_t kMaxHops = 40;    ///< Four times what a ring of ten thousand nodes needs.
  static constexpr uint8_t kMaxDetours = 6;  ///< Steps away from the destination, to get past missing links.

  Mode mode = Mode::Exact;
  uint8_t hops = 0;        ///< Links passed so far, this one included.
  uint8_t detours = 0;     ///< Of these, steps that led away.
  uint32_t ack_token = 0;  ///< To be repeated in an Ack by the next node; 0: none is wanted.
  uint64_t id = 0;         ///< Chosen at random by the source: a node takes a message once.
  NodeId source;
  NodeId destination;
  std::optional<NodeId> via;  ///< First to this node, which has a link to the destination.
  Bytes body;                 ///< An encoded wire::RingMessage.
  bool operator==(const Routed&) const = default;
};

/// The answer to a Routed with an ack_token.
struct Ack {
  uint32_t token = 0;
  bool taken = false;  ///< False: the sender should try another way, for the message has been here before.
  bool operator==(const Ack&) const = default;
};

/// A message for the receiver and every node clockwise between it and `bound`, that one excluded.  The sender
/// has given each of its peers a part of its own range, so that each node gets it once (ring/broadcast.h).
struct Broadcast {
  uint8_t hops = 0;
  uint64_t id = 0;
  NodeId source;
  NodeId bound;
  Bytes body;  ///< An encoded wire::RingMessage.
  bool operator==(const Broadcast&) const = default;
};

/// A message for the receiver itself, of the sender's own.  Not acknowledged: for what is asked again anyway.
struct Direct {
  Bytes body;  ///< An encoded wire::RingMessage.
  bool operator==(const Direct&) const = default;
};

/// "I have the network's settings of this version" (wire/settings.h).  Version 0: none.
struct SettingsOffer {
  static constexpr size_t kStampSize = 8;
  uint64_t version = 0;
  uint16_t size = 0;                        ///< Octets of the signed file.
  std::array<uint8_t, kStampSize> stamp{};  ///< The first octets of SHA-256 of the file.
  bool asks = false;                        ///< Say what you have, please.
  bool operator==(const SettingsOffer&) const = default;
};

/// "Send me what follows `offset` in the file of this version."  Answered by a SettingsPiece, or by a
/// SettingsOffer if the receiver has another version by now.
struct SettingsRequest {
  uint64_t version = 0;
  uint16_t offset = 0;
  bool operator==(const SettingsRequest&) const = default;
};

/// Octets of a signed file, from `offset` on.
struct SettingsPiece {
  static constexpr size_t kMaxSize =
      1000;  ///< Fits a datagram of 1200 together with a Carried and its Routed.
  uint64_t version = 0;
  uint16_t offset = 0;
  Bytes octets;
  bool operator==(const SettingsPiece&) const = default;
};

using ControlMessage = std::variant<Ping, Pong, Members, Gone, Goodbye, Routed, Ack, Broadcast, Direct,
                                    SettingsOffer, SettingsRequest, SettingsPiece>;

/// Error::UnknownType for a kind that this version does not know, Error::Malformed for a short or absurd
/// body.
Result<ControlMessage> decode_control(ByteView plaintext);
/// REQUIRES: lists within their bounds.
Bytes encode_control(const ControlMessage& message);

Members read_members(Reader& in);
void write(Writer& out, const Members& list);

}  // namespace ipop::wire
