// Guests that are about to come to this host, by the word of the hook: a live migration is announced while
// the guest still runs elsewhere.  Knowing where, we count on from there, and a link with that host takes our
// word to it without a detour.  A hint: nothing is wrong if the guest never comes, or comes without.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/vnet/address_map.h"

namespace ipop {

class ExpectedGuests {
 public:
  /// A guest that has not come by then is not expected any more.  A large one takes its time.
  static constexpr Duration kLifetime = 1h;
  /// Between two looks where a guest is.  A link that carries nothing is kept longer (ring/ring.h,
  /// kTrafficLifetime).
  static constexpr Duration kInterval = 60s;
  static constexpr size_t kMaxExpected = 256;

  /// `map` must outlive it.
  ExpectedGuests(const NodeId& own, const AddressMap& map) : own_(own), map_(map) {}

  /// From now on, or anew.  Full if there are too many.
  Result<Done> expect(Instant now, const MacAddress& mac);
  bool is_expected(const MacAddress& mac) const { return expected_.contains(mac); }
  /// It is where the binding says: here, or at a host to keep a link with.
  void handle_binding(const Binding& binding);

  /// A guest to ask the network for.
  std::optional<MacAddress> poll_question();
  /// A host to have a link with.
  std::optional<NodeId> poll_host();

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  struct Expected {
    Instant until;
    Instant look_at;
  };

  NodeId own_;
  const AddressMap& map_;
  std::map<MacAddress, Expected> expected_;
  std::deque<MacAddress> questions_;
  std::deque<NodeId> hosts_;
};

}  // namespace ipop
