// What members tell each other of guests' addresses: bindings, questions and answers.  They travel over the
// ring (wire/ring_message.h).  docs/protocol.md, "Bindings".
#pragma once

#include <optional>
#include <string>

#include "overlay/base/bytes.h"
#include "overlay/base/node_id.h"
#include "overlay/wire/address.h"

namespace ipop::wire {

/// Where an address of the virtual network lives, as its holder says.
struct BindingRecord {
  static constexpr size_t kMaxNameSize = 63;

  IpAddress ip;  ///< Unspecified for a guest that has only shown its MAC.
  MacAddress mac;
  NodeId node;
  uint64_t sequence = 0;    ///< Higher is newer, for one MAC.
  uint32_t lifetime_s = 0;  ///< From now; 0 withdraws the binding.
  std::string name;         ///< At most 63 octets; the guest's host name or "".
  bool operator==(const BindingRecord&) const = default;
};

/// "Who holds this address, or has this name?"  Asked of members.
struct Query {
  enum class Kind : uint8_t { Ip = 1, Mac = 2, Name = 3 };
  uint64_t id = 0;  ///< The asker's, repeated in the Answer.
  Kind kind = Kind::Ip;
  IpAddress ip;                        ///< Kind::Ip; Kind::Name: any address of the family that is wanted.
  MacAddress mac;                      ///< Kind::Mac.
  std::string name{};                  ///< Kind::Name, a host name; at most BindingRecord::kMaxNameSize.
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

/// Each read fails the Reader on a short or absurd body.
NodeId read_node(Reader& in);
Query read_query(Reader& in);
Answer read_answer(Reader& in);
Announcement read_announcement(Reader& in);
void write(Writer& out, const NodeId& node);
/// REQUIRES: names within their bound.
void write(Writer& out, const Query& query);
void write(Writer& out, const Answer& answer);
void write(Writer& out, const Announcement& announcement);

/// Whether an optional field follows: an octet 0 or 1.
bool read_presence(Reader& in);

}  // namespace ipop::wire
