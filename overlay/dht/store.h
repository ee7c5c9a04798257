// The records that a node keeps for others.  A calculation: nothing is checked here but room.
//
// What is kept is kept until it expires, is replaced, or is dropped by its owner's order: when there is no
// room a new record is refused, since whoever could push others out could free an address that is in use.
#pragma once

#include <map>
#include <set>

#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/wire/dht.h"

namespace ipop {

class Store {
 public:
  struct Limits {
    size_t records = 32768;   ///< Some 30 MB.
    size_t of_writer = 8192;  ///< Twice the guests that a host may have: an IP and a MAC each.
  };
  struct Entry {
    wire::DhtRecord record;
    Instant expires;
  };

  Store() : Store(Limits()) {}
  explicit Store(const Limits& limits) : limits_(limits) {}

  /// Null if there is none.  By key_of() its address, as all of this.
  const Entry* find(const NodeId& key) const;
  /// Adds or replaces.  Error::Full: no room for another record, or the writer has its share.
  Result<Done> put(const NodeId& key, Entry entry);
  void erase(const NodeId& key);

  /// In the order of keys.
  const std::map<NodeId, Entry>& all() const { return entries_; }
  /// How many records each writer has here.
  const std::map<NodeId, size_t>& writers() const { return writers_; }
  size_t size() const { return entries_.size(); }

  Instant next_timeout() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }
  /// Forgets what has expired.
  void handle_timeout(Instant now);

 private:
  Limits limits_;
  std::map<NodeId, Entry> entries_;
  std::map<NodeId, size_t> writers_;
  std::set<std::pair<Instant, NodeId>> deadlines_;
};

}  // namespace ipop
