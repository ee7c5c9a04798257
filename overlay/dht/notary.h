// Signs what a node says to the DHT, and checks what others say.
//
// A record is good if its writer's certificate is of this network and allows its address, if the signature is
// the writer's, and if the writer's clock is not absurd.  So a replica can withhold one, and show an old one
// for as long as it lives; it can make none.  A reply is signed, too, since one node could otherwise vote for
// several.
#pragma once

#include <map>

#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/crypto/hash.h"
#include "overlay/session/credentials.h"
#include "overlay/wire/dht.h"

namespace ipop {

/// How far the clocks of two hosts may be apart; what Kerberos grants (RFC 4120, section 10.3.1).  A record
/// is kept for so much longer than its writer uses it.
inline constexpr Duration kClockTolerance = 5min;
/// A record cannot claim for longer at a time: twice a lease.
inline constexpr Duration kLongestRecord = 2h;
/// Sequences do not wrap: what is higher is refused.
inline constexpr uint64_t kLastSequence = UINT64_MAX / 2;

/// When a record is to be forgotten, in the clock of this host.  `wall`: its time since 1970.
Instant expiry_of(const wire::DhtRecord& record, Instant now, Duration wall);

class Notary {
 public:
  /// Certificates that were checked and need not be again; more are as good as forgotten.
  static constexpr size_t kMaxCertificates = 4096;

  explicit Notary(const Credentials& credentials) : credentials_(credentials) {}
  Notary(const Notary&) = delete;

  const NodeId& self() const { return credentials_.id; }

  /// Fills in node, certificate, time of issue and signature.  A record of ours is later than any before.
  void sign(Duration wall, wire::DhtRecord& record);
  /// Fills in certificate and signature.
  void sign(const wire::DhtRequest& request, wire::DhtReply& reply) const;

  /// BadCertificate, ExpiredCertificate: of the writer.  WrongPeer: it is another node's.  BadAuthTag: the
  /// signature.  NotAllowed: the address, or a life that is too long.  Replayed: its time is over, or has not
  /// come.  Malformed: a sequence that there is not.
  Result<Done> check(Duration wall, const wire::DhtRecord& record);
  /// The node that answered this request.
  Result<NodeId> check(Duration wall, const wire::DhtRequest& request, const wire::DhtReply& reply);

 private:
  /// What there is to know of a certificate that was checked.  A tenth of OpenSSL's own form of it.
  struct Member {
    NodeId node;
    PublicKey key;
    std::vector<Ipv4Subnet> addresses;
    UnixSeconds not_before;
    UnixSeconds not_after;
  };

  /// Until the next call.
  Result<const Member*> check_certificate(Duration wall, const Bytes& der);
  Bytes text_of(const wire::DhtRecord& record) const;
  Bytes text_of(const wire::DhtRequest& request, const wire::DhtReply& reply) const;

  const Credentials& credentials_;
  std::map<Hash, Member> checked_;  ///< By the hash of their certificates; signed by the network's CA.
  uint64_t last_issued_ms_ = 0;
};

}  // namespace ipop
