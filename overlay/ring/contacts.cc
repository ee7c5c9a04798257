#include "overlay/ring/contacts.h"

#include <algorithm>

namespace ipop {

KnownNode* Contacts::find(const NodeId& node) {
  const auto entry = nodes_.find(node);
  return entry == nodes_.end() ? nullptr : &entry->second;
}

const KnownNode* Contacts::find(const NodeId& node) const {
  const auto entry = nodes_.find(node);
  return entry == nodes_.end() ? nullptr : &entry->second;
}

KnownNode& Contacts::know(Instant now, const NodeId& node) {
  const auto [entry, is_new] = nodes_.try_emplace(node);
  if (is_new) {
    entry->second.heard_at = now;
    entry->second.call_at = now;
  }
  return entry->second;
}

void Contacts::put_off(Instant now, KnownNode& entry, Random& random) {
  const Duration third = entry.pause / 3;
  entry.call_at = now + entry.pause - third + Duration(random.below(2 * third.count()));
  entry.pause = std::min(2 * entry.pause, kSlowestRedial);
}

void Contacts::tidy(Instant now) {
  const auto is_busy = [](const KnownNode& entry) { return entry.is_linked() || entry.is_calling(); };
  using Entries = std::vector<std::pair<Instant, NodeId>>;
  Entries lost;
  Entries hearsay;
  Entries acquaintances;
  for (auto entry = nodes_.begin(); entry != nodes_.end();) {
    const auto current = entry++;
    const KnownNode& known = current->second;
    if (is_busy(known) || known.traffic_until > now) continue;
    const Duration lifetime = known.is_lost           ? kLostLifetime
                              : known.is_acquaintance ? kAcquaintanceLifetime
                                                      : kHearsayLifetime;
    if (now - known.heard_at >= lifetime) {
      nodes_.erase(current);
    } else {
      Entries& entries = known.is_lost ? lost : known.is_acquaintance ? acquaintances : hearsay;
      entries.emplace_back(known.heard_at, current->first);
    }
  }
  const auto drop_oldest = [&](Entries& entries, size_t keep) {
    if (entries.size() <= keep) return;
    std::sort(entries.begin(), entries.end());
    for (size_t i = 0; i < entries.size() - keep; ++i) nodes_.erase(entries[i].second);
  };
  drop_oldest(lost, kMaxLost);
  drop_oldest(acquaintances, kMaxContacts - std::min(hearsay.size(), kMaxContacts));
  drop_oldest(hearsay, kMaxContacts);
}

}  // namespace ipop
