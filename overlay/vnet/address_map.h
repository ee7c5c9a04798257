// The address map of one host: where each MAC of the network is, and whose each IP is; both for the guests of
// this host (bindings whose node is our own) and for those of other members.  A calculation: no I/O.
//
// Rules of upsert(), the same on every member, so that all end up with the same map whatever came first:
//   - One MAC is at one node.  A claim of the node that has it already is always taken: a node is the
//     authority on its own guests, also after it restarted and forgot how far it had counted.
//     A claim of another node wins with a higher sequence, or an equal one and the lower NodeId.
//   - One IP is of one MAC.  A claim for another MAC wins by the same comparison with the holder's; between
//     two MACs of one node the newer claim wins, since that node has decided.
//   - All addresses of a MAC move with it.
//   - A withdrawal older than what is known of the MAC was overtaken, and takes nothing away.
//   - What is refused changes nothing.
// A guest, or a member, may invent MACs.  So where there is no room those without address give way, the
// oldest first: of the same node if it has as many as it may have, else of the member that has most of them.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/base/token_bucket.h"
#include "overlay/vnet/binding.h"
#include "overlay/vnet/holder_history.h"

namespace ipop {

class AddressMap {
 public:
  struct Limits {
    size_t remote = 65536;    ///< MACs of other members.
    size_t of_member = 4096;  ///< MACs of one of them: as many as it knows of its own.
    size_t local = 4096;      ///< MACs of our guests.
    size_t addresses = 16;    ///< Of one MAC, one of which only of IPv4.
  };
  explicit AddressMap(const NodeId& own) : AddressMap(own, Limits()) {}
  AddressMap(const NodeId& own, const Limits& limits) : own_(own), limits_(limits) {}

  enum class Change {
    Added,      ///< A MAC or an address that was not known.
    Moved,      ///< The MAC was at another node, or the address another MAC's.
    Refreshed,  ///< Nothing new but the sequence, name or expiry.
    Withdrawn,  ///< It had expired on arrival; what it names is gone.
  };
  /// Conflict: somebody else's claim is better.  Full: no room, even without what has expired.
  Result<Change> upsert(Instant now, const Binding& binding);
  /// Forgets the address; the MAC stays where it is.  With `ip` unspecified forgets the MAC and all it has.
  void erase(Instant now, const MacAddress& mac, IpAddress ip);
  /// A local guest that nobody has seen yet: it is not confirmed until its next frame.
  void doubt(const MacAddress& mac);
  /// The guest, a local one, uses the address here, or has been given it here.
  void note_use(const MacAddress& mac, const IpAddress& ip);

  /// The MAC's binding, with its lowest address if it has any.
  std::optional<Binding> find_mac(const MacAddress& mac) const;
  std::optional<Binding> find_ip(const IpAddress& ip) const;
  /// Whose the host name is, in any case of letters.  Of several that call themselves so it is one, the same
  /// on every member: that with the highest sequence, then the lowest NodeId, then the lowest MAC.
  std::optional<MacAddress> find_name(std::string_view name) const;
  bool is_local(const MacAddress& mac) const;
  /// Local, and in forwarding().
  bool is_confirmed(const MacAddress& mac) const;
  /// All addresses of a MAC, in order.
  std::vector<IpAddress> addresses(const MacAddress& mac) const;
  /// Those that came here with their MAC from another node, without a note_use() since; in order.
  std::vector<IpAddress> carried(const MacAddress& mac) const;
  /// One binding for each address, or for a MAC without any; in the order of MAC and IP.
  std::vector<Binding> bindings() const;
  std::vector<Binding> local_bindings() const;
  /// All that have guests, in order; also our own.
  std::vector<NodeId> nodes() const;
  /// Who had an address before the one that has it, or when nobody has.
  const HolderHistory& history() const { return history_; }
  size_t size() const { return guests_.size(); }
  size_t local_size() const { return local_.size(); }

  /// What the fast path needs.  A local MAC is left out when half of its time is over, so that its next frame
  /// comes to the core and proves that the guest is still here.
  struct Forward {
    MacAddress mac;
    NodeId node;  ///< Our own for a local guest.
    bool operator==(const Forward&) const = default;
  };
  std::vector<Forward> forwarding() const;
  /// Grows whenever forwarding() would answer differently.
  uint64_t version() const { return version_; }
  /// The addresses of the local guests in forwarding(), in order.
  std::vector<std::pair<IpAddress, MacAddress>> local_addresses() const;
  /// Likewise.
  uint64_t address_version() const { return address_version_; }
  /// Whether the MAC has the address, or room for one more.
  bool may_have(const MacAddress& mac, const IpAddress& ip) const;

  /// A local MAC that nobody has heard of for half of its time: somebody might ask it.  Comes again after
  /// half of what is left then, and so on.
  std::optional<MacAddress> poll_unconfirmed();

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  struct Guest {
    NodeId node;
    uint64_t sequence = 0;
    std::string name;
    Instant expires;
    Instant check_at = kNever;  ///< Local guests only: when to doubt that the guest is still here.
    bool confirmed = true;
    std::map<IpAddress, Instant> addresses;
    std::set<IpAddress> carried;  ///< Of these; local guests only.
  };
  using Guests = std::map<MacAddress, Guest>;

  static bool wins(const Binding& claim, const Guest& holder);
  bool has_room(const Binding& binding) const;
  void make_room(const Binding& binding);
  void evict(const NodeId& node);
  void drop_address(Instant now, MacAddress mac, IpAddress ip);  // By value: callers have it from what goes.
  void drop(Guests::iterator guest);
  /// The MAC and its addresses are not here any more, or not at this node.
  void remember(Instant now, const MacAddress& mac, const Guest& guest);
  void schedule(const MacAddress& mac, const Guest& guest);
  void unschedule(const MacAddress& mac, const Guest& guest);
  static Instant first_end(const Guest& guest);
  static Instant next_check(Instant now, const Guest& guest);
  static Instant deadline(const Guest& guest);
  /// Of one node.
  struct Share {
    size_t guests = 0;
    std::set<std::pair<Instant, MacAddress>> without_address;  ///< By deadline.
  };
  size_t guests_of(const NodeId& node) const;
  static Binding binding_of(const MacAddress& mac, const Guest& guest, const IpAddress& ip);
  /// What find_name() orders those of one name by.
  using Rank = std::tuple<uint64_t, NodeId, MacAddress>;
  static Rank rank_of(const MacAddress& mac, const Guest& guest);
  void add_name(const MacAddress& mac, const Guest& guest);
  void drop_name(const MacAddress& mac, const Guest& guest);
  static void append(std::vector<Binding>& out, const MacAddress& mac, const Guest& guest);

  NodeId own_;
  Limits limits_;
  Guests guests_;
  std::set<MacAddress> local_;  ///< Those at this host.
  std::map<IpAddress, MacAddress> by_ip_;
  std::map<std::string, std::set<Rank>> by_name_;       ///< In lower case; the first of each has it.
  std::set<std::pair<Instant, MacAddress>> deadlines_;  ///< The next one of each guest.
  std::map<NodeId, Share> shares_;                      ///< Of those that have guests.
  std::deque<MacAddress> unconfirmed_;
  /// What gives way: each time the fast path has to hear of it.
  TokenBucket evict_rate_{5ms, 1000};
  HolderHistory history_;
  uint64_t version_ = 0;
  uint64_t address_version_ = 0;
};

}  // namespace ipop
