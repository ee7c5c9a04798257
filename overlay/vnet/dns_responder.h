// Answers the DNS questions of the guests of this host: NAME.NETWORK.ipop is whatever guest calls itself NAME
// (in DHCP, option 12), wherever it is, and the way back from an address of the network to its name.  It
// answers by the address map, and says what to ask of the network before.  Whose a name is that several
// guests want, AddressMap::find_name() says of those it knows; the others have none, not even for the way
// back.
//
// Authoritative for NETWORK.ipop and, among the reverse names, for the addresses of the network alone;
// anything else is refused, so that a client turns to another server.  A calculation: no I/O.
#pragma once

#include <cstdint>

#include "overlay/base/result.h"
#include "overlay/base/token_bucket.h"
#include "overlay/vnet/address_map.h"
#include "overlay/vnet/resolver.h"
#include "overlay/vnet/service.h"
#include "overlay/wire/dns.h"

namespace ipop {

class DnsResponder {
 public:
  static constexpr uint32_t kTtl = 30;         ///< Seconds; an address seldom becomes another guest's.
  static constexpr uint32_t kNegativeTtl = 5;  ///< A guest that starts is soon found.

  /// The references outlive the responder.
  DnsResponder(const Service& service, const AddressMap& map) : service_(service), map_(map) {}

  /// The answer to a message, both as UDP payloads.  `was_asked`: the network was, and what it knows is in
  /// the map by now; else nothing is said of what is not (ServFail).  RateLimited: more than 500 a second
  /// from the guests of this host after a burst of 1000; errors else as DnsQuery::decode().
  Result<Bytes> answer(Instant now, ByteView message, bool was_asked = true);

  /// What the network may know about the question and the map does not; nothing if the answer would be as
  /// good without.
  std::optional<Query> lacks(ByteView message) const;

  struct Counts {
    uint64_t found = 0, not_found = 0, refused = 0;
    uint64_t failed = 0;  ///< The network could not be asked, or did not answer.
  };
  const Counts& counts() const { return counts_; }

 private:
  /// `lacking` is set where the network may know more.
  DnsResponse respond(const DnsQuery& query, std::optional<Query>& lacking) const;
  /// `host` is what stands before the zone.
  DnsResponse respond_forward(const DnsQuery::Question& question, const DnsName& host,
                              std::optional<Query>& lacking) const;
  DnsResponse respond_reverse(const DnsQuery::Question& question, std::optional<Query>& lacking) const;
  Query ask_for(const std::string& host, const DnsQuery::Question& question) const;
  DnsResponse at_apex(const DnsQuery::Question& question, const DnsName& zone) const;
  DnsResponse negative(DnsCode code, const DnsName& zone) const;
  DnsName zone() const { return DnsName::of(service_.domain()); }
  /// What is at an address, if anything has a name there.
  std::optional<DnsName> name_at(const IpAddress& address) const;

  const Service& service_;
  const AddressMap& map_;
  TokenBucket rate_{2ms, 1000};
  Counts counts_;
};

}  // namespace ipop
