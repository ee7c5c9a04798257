// Who had an address before: what an address map remembers of the bindings that it gave up.  For people who
// ask; nothing is decided by it.  A calculation: no I/O.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "overlay/vnet/binding.h"

namespace ipop {

class HolderHistory {
 public:
  /// Of more, the one that was given up longest ago is forgotten.
  static constexpr size_t kMaxAddresses = 1024;
  static constexpr size_t kMaxHolders = 4;  ///< Of one address.

  struct Holder {
    MacAddress mac;
    NodeId node;
    uint64_t sequence = 0;
    Instant until;
    bool operator==(const Holder&) const = default;
  };

  /// The address, an IP or, with that unspecified, the MAC itself, is not there any more.  Who gave it up
  /// twice, with nobody in between, is one holder.  REQUIRES: no earlier than what was added before.
  void add(Instant now, const Binding& binding);
  /// The latest first.
  std::vector<Holder> find(const IpAddress& ip) const { return find({ip, MacAddress{}}); }
  std::vector<Holder> find(const MacAddress& mac) const { return find({IpAddress{}, mac}); }
  size_t size() const { return holders_.size(); }

 private:
  using Key = std::pair<IpAddress, MacAddress>;  ///< One of the two.
  std::vector<Holder> find(const Key& key) const;

  std::map<Key, std::vector<Holder>> holders_;  ///< The latest last; never empty.
  std::set<std::pair<Instant, Key>> by_age_;
};

}  // namespace ipop
