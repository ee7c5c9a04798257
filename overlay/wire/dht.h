// What the DHT says over the ring: signed records of who holds an address, and the questions and answers
// about them (wire/ring_message.h carries them).  docs/protocol.md, "DHT"; docs/addresses.md says what for.
//
// Says what is there, checks no signature: dht/notary.h does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/node_id.h"
#include "overlay/wire/address.h"

namespace ipop::wire {

/// An address as the DHT knows it by: one record each.
struct DhtAddress {
  enum class Kind : uint8_t { Ip = 1, Mac = 2 };
  Kind kind = Kind::Ip;
  IpAddress ip;    ///< Kind::Ip; else unspecified.
  MacAddress mac;  ///< Kind::Mac; else zero.
  auto operator<=>(const DhtAddress&) const = default;
};

/// "The guest with `mac`, at our host, has `ip`", signed.  It is kept under `kind`'s address.
struct DhtRecord {
  enum class State : uint8_t {
    Reserved = 1,   ///< About to be offered to the guest: nobody else gets it, and nobody is to use it yet.
    Bound = 2,      ///< The guest has it.
    Withdrawn = 3,  ///< Free again.  Kept, so that older copies do not come back.
  };
  static constexpr size_t kMaxNameSize = 63;
  static constexpr size_t kMaxCertificateSize = 800;  ///< As in a handshake.

  DhtAddress::Kind kind = DhtAddress::Kind::Ip;
  State state = State::Bound;
  IpAddress ip;  ///< Unspecified in a record of a MAC that has shown no address.
  MacAddress mac;
  NodeId node;                          ///< The writer's, where the guest is.
  uint64_t sequence = 0;                ///< Higher is newer, whoever wrote it.
  uint64_t issued_ms = 0;               ///< The writer's clock, since 1970; orders records of one sequence.
  uint64_t expires_s = 0;               ///< The same clock.
  std::string name;                     ///< At most kMaxNameSize octets; the guest's host name or "".
  Bytes certificate;                    ///< The writer's, X.509 DER.
  std::array<uint8_t, 64> signature{};  ///< Over signed_part().

  DhtAddress address() const;
  /// All that precedes the certificate.  REQUIRES: the name is within its bound.
  Bytes signed_part() const;
  bool operator==(const DhtRecord&) const = default;
};

/// For the replicas of an address.  The first that gets it passes it on to the others.
struct DhtRequest {
  enum class Operation : uint8_t {
    Get = 1,     ///< What is known of `address`?
    Create = 2,  ///< Keep `record` unless another guest holds the address.
    Put = 3,     ///< Keep `record` if it is better than what there is.
  };
  uint64_t id = 0;  ///< Chosen at random by the asker for each attempt; repeated in the replies.
  Operation operation = Operation::Get;
  NodeId asker;                     ///< Who gets the replies.
  bool is_relayed = false;          ///< By another replica: not to be passed on again.
  DhtAddress address;               ///< Operation::Get; else it is the record's.
  std::optional<DhtRecord> record;  ///< Not with Operation::Get.
  bool operator==(const DhtRequest&) const = default;
};

/// One replica's answer.
struct DhtReply {
  enum class Verdict : uint8_t {
    Accepted = 1,  ///< Create, Put: kept.
    Held = 2,      ///< `record` is what we have: the answer to a Get, or better than what was brought.
    Nothing = 3,   ///< Get: no record.
    NotReady = 4,  ///< We have become responsible just now, and still ask the others.
    Full = 5,      ///< No room, or more than the writer's share.
    Refused = 6,   ///< The record is not good: signature, certificate, address or clock.
  };
  uint64_t id = 0;
  Verdict verdict = Verdict::Nothing;
  bool is_unsure =
      false;  ///< Most of those who kept the address have died lately: we may have missed records.
  std::optional<DhtRecord> record;      ///< Verdict::Held only.
  Bytes certificate;                    ///< The replica's.
  std::array<uint8_t, 64> signature{};  ///< Over signed_part().

  /// `question`: a digest of the request as its asker sent it.  An answer to another one is none to this,
  /// also if whoever passed it on put another record in its place.
  Bytes signed_part(ByteView question) const;
  bool operator==(const DhtReply&) const = default;
};

/// "What do you have of what I should have, from this key on?"
struct DhtPull {
  uint64_t id = 0;
  NodeId from;               ///< Key; all zeros: from the beginning.
  bool has_nothing = false;  ///< The asker has no record at all, so that it need not be asked back.
  bool operator==(const DhtPull&) const = default;
};

/// In the order of keys.  A stamp is the same for the same record, and tells versions apart.
struct DhtPage {
  static constexpr size_t kMaxEntries = 36;  ///< 36 x 28 octets fit a datagram of 1200.
  struct Entry {
    NodeId key;
    uint64_t stamp = 0;
    bool operator==(const Entry&) const = default;
  };
  uint64_t id = 0;             ///< The pull's.
  std::optional<NodeId> next;  ///< Where to go on; nothing: that was all.
  std::vector<Entry> entries;
  bool operator==(const DhtPage&) const = default;
};

/// "Send me these", each as a DhtNotice.
struct DhtFetch {
  static constexpr size_t kMaxKeys = 36;
  std::vector<NodeId> keys;
  bool operator==(const DhtFetch&) const = default;
};

/// A record, unasked or fetched: for a replica that may have missed it, for the writer of one that lost to
/// it, and for those who talk with a guest that has moved.
struct DhtNotice {
  DhtRecord record;
  bool operator==(const DhtNotice&) const = default;
};

/// Each read fails the Reader on a short or absurd body.
DhtRecord read_dht_record(Reader& in);
DhtRequest read_dht_request(Reader& in);
DhtReply read_dht_reply(Reader& in);
DhtPull read_dht_pull(Reader& in);
DhtPage read_dht_page(Reader& in);
DhtFetch read_dht_fetch(Reader& in);
/// REQUIRES: names, certificates and lists within their bounds; a record exactly where the drawing has one.
void write(Writer& out, const DhtRecord& record);
void write(Writer& out, const DhtRequest& request);
void write(Writer& out, const DhtReply& reply);
void write(Writer& out, const DhtPull& pull);
void write(Writer& out, const DhtPage& page);
void write(Writer& out, const DhtFetch& fetch);

}  // namespace ipop::wire
