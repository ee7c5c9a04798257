// Answers the neighbour solicitations of the guests of this host, as ArpResponder their ARP requests: from
// the address map, with the real MAC of the remote guest, so that no solicitation crosses the Internet; what
// the map lacks is asked for.  An address of another guest of this host gets no answer from us: that guest
// hears the solicitation itself, which the switch brings to all of its ports.
//
// A probe (a solicitation from "::", RFC 4862, section 5.4) for an address in use elsewhere is answered,
// which stops the guest from taking it.  If nobody has it, it is the guest's from now on: it will say no
// more. A calculation: no I/O.  The sender of a solicitation is learned by the caller (vnet.h).
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "overlay/vnet/address_map.h"
#include "overlay/vnet/resolver.h"
#include "overlay/vnet/service.h"
#include "overlay/wire/nd.h"

namespace ipop {

class NdResponder {
 public:
  static constexpr size_t kMaxPending = 256;  ///< Solicitations that wait, of all guests together.

  /// The references outlive the responder.
  NdResponder(const Service& service, const AddressMap& map, Resolver& resolver)
      : service_(service), map_(map), resolver_(resolver) {}

  /// From the local guest `mac`, whose address is `src` ("::": a probe).  REQUIRES: the target is a guest's
  /// address or the service's.  Full or RateLimited if the question could not be asked.
  Result<Done> handle_solicitation(Instant now, const MacAddress& mac, const Ipv6Address& src,
                                   const NeighbourSolicitation& solicitation);
  /// A question about an address is settled, one way or the other.
  void handle_answer(const Query& query, const std::optional<Binding>& binding);
  /// An address became known without being asked for.
  void handle_binding(const Binding& binding);

  /// The next Ethernet frame for the guests.
  std::optional<Bytes> poll_frame();
  /// An address that a local guest has probed for and may keep.
  struct Claim {
    MacAddress mac;
    Ipv6Address ip;
  };
  std::optional<Claim> poll_claim();

  size_t pending() const { return pending_.size(); }
  uint64_t answers() const { return answers_; }

 private:
  /// Who waits: by target and asking guest; the source is the answer's destination.
  using Waiting = std::map<std::pair<Ipv6Address, MacAddress>, Ipv6Address>;
  void answer(const Ipv6Address& target, const MacAddress& target_mac, const MacAddress& asker,
              const Ipv6Address& asker_ip);
  /// Unless it has the address itself, or hears its holder.
  void answer_from(const Binding& binding, const MacAddress& asker, const Ipv6Address& asker_ip);

  const Service& service_;
  const AddressMap& map_;
  Resolver& resolver_;
  Waiting pending_;
  std::deque<Bytes> frames_;
  std::deque<Claim> claims_;
  uint64_t answers_ = 0;
};

}  // namespace ipop
