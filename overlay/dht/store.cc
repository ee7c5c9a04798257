#include "overlay/dht/store.h"

namespace ipop {

const Store::Entry* Store::find(const NodeId& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

Result<Done> Store::put(const NodeId& key, Entry entry) {
  const Entry* const old = find(key);
  if (!old && entries_.size() >= limits_.records) return Error::Full;
  const NodeId writer = entry.record.node;
  if (!old || old->record.node != writer) {
    const auto share = writers_.find(writer);
    if (share != writers_.end() && share->second >= limits_.of_writer) return Error::Full;
  }
  erase(key);
  ++writers_[writer];
  deadlines_.insert({entry.expires, key});
  entries_.emplace(key, std::move(entry));
  return Done{};
}

void Store::erase(const NodeId& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  const auto share = writers_.find(found->second.record.node);
  if (--share->second == 0) writers_.erase(share);
  deadlines_.erase({found->second.expires, key});
  entries_.erase(found);
}

void Store::handle_timeout(Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const NodeId key = deadlines_.begin()->second;
    erase(key);
  }
}

}  // namespace ipop
