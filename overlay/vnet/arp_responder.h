// Answers the ARP requests of the guests of this host from the address map, with the real MAC of the remote
// guest, so that no ARP request crosses the Internet.  An address held by another guest of this host gets no
// answer from us: that guest hears the broadcast itself.  A probe (RFC 5227) for an address in use elsewhere
// is answered, which is how its holder is defended; for a free one silence is the right answer.
// A calculation: no I/O.  The sender of a request is learned by the caller (vnet.h).
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "overlay/vnet/address_map.h"
#include "overlay/vnet/resolver.h"
#include "overlay/vnet/service.h"
#include "overlay/wire/arp.h"

namespace ipop {

class ArpResponder {
 public:
  static constexpr size_t kMaxPending = 256;  ///< Requests that wait for an answer, of all guests together.

  /// The references outlive the responder.
  ArpResponder(const Service& service, const AddressMap& map, Resolver& resolver)
      : service_(service), map_(map), resolver_(resolver) {}

  /// A request from a local guest.  Full or RateLimited if the question could not be asked.
  Result<Done> handle_request(Instant now, const ArpPacket& request);
  /// A question about an address is settled, one way or the other.
  void handle_answer(const Query& query, const std::optional<Binding>& binding);
  /// An address became known without being asked for.
  void handle_binding(const Binding& binding);

  /// The next Ethernet frame for the guests.
  std::optional<Bytes> poll_frame();
  size_t pending() const { return pending_.size(); }
  uint64_t answers() const { return answers_; }

 private:
  void answer(const ArpPacket& request, const Binding& binding);

  const Service& service_;
  const AddressMap& map_;
  Resolver& resolver_;
  std::map<std::pair<Ipv4Address, MacAddress>, ArpPacket> pending_;  ///< By target and asking guest.
  std::deque<Bytes> frames_;
  uint64_t answers_ = 0;
};

}  // namespace ipop
