// Guests that have just come to this host, and those that have left it.
//
// A host that did not know where a guest was, or not the latest, begins with too low a sequence.  Until the
// network has its word such a guest is a newcomer, and an older claim with a higher sequence is to be outbid
// rather than believed.  Of those that have left, the fast path must know: what still arrives for them is
// passed on.  And one may be back at once, called away in error by a part of the network that has just come
// in reach: until then nobody else is believed to have what it had.  A calculation over the address map.
#pragma once

#include <map>
#include <vector>

#include "overlay/base/time.h"
#include "overlay/vnet/address_map.h"

namespace ipop {

class Movers {
 public:
  /// So long a guest is a newcomer unless the network has our word earlier: as a write to the DHT may take.
  static constexpr Duration kNewcomerTime = 5s;
  /// So many claims are outbid for a newcomer: more were a quarrel.
  static constexpr int kMaxOutbid = 4;
  /// So long those who left are remembered, and the last so many.
  static constexpr Duration kDepartedTime = 1h;
  static constexpr size_t kMaxDeparted = 256;
  /// So soon a guest is back that is asked whether it is here.
  static constexpr Duration kReturnTime = 3s;

  /// `map` must outlive it.
  Movers(const NodeId& own, const AddressMap& map) : own_(own), map_(map) {}

  void handle_arrival(Instant now, const MacAddress& mac);
  /// With the addresses that it had.
  void handle_departure(Instant now, const MacAddress& mac, std::vector<IpAddress> had);
  /// The replicas say that the address is another's.
  void handle_lost(const MacAddress& mac, const IpAddress& ip);
  /// The network has our word that the guest is here.
  void handle_known(const MacAddress& mac) { newcomers_.erase(mac); }

  /// Whether the guest is here and has just come, and the network does not have our word yet.
  bool is_newcomer(Instant now, const MacAddress& mac) const;
  /// Whether the claim would take a newcomer from us, and we may outbid it.
  bool is_to_outbid(Instant now, const Binding& claim) const;
  /// Whether it follows on ours after we have outbid another: then its host knew of us, and the guest has
  /// moved on.  Before that it may be so by chance.
  bool is_further_move(const Binding& claim) const;
  /// REQUIRES: is_newcomer().
  void note_outbid(const MacAddress& mac) { ++newcomers_.at(mac).outbid; }

  /// Whether it claims what another guest had that may be back.
  bool is_kept_from(Instant now, const Binding& claim) const;
  /// Guests that were here and are elsewhere; in order.
  std::vector<MacAddress> departed() const;

 private:
  struct Newcomer {
    Instant until;
    int outbid = 0;  ///< How many claims.
  };
  struct Departed {
    Instant at;
    std::vector<IpAddress> had;
  };

  NodeId own_;
  const AddressMap& map_;
  std::map<MacAddress, Newcomer> newcomers_;
  std::map<MacAddress, Departed> departed_;
};

}  // namespace ipop
