// The part of Directory that has to do with what is, or may be, elsewhere: guests that leave, and records of
// others that come to be known.
#include "overlay/node/dht_address.h"
#include "overlay/node/directory.h"
#include "overlay/node/records.h"

namespace ipop {
namespace {

using wire::DhtAddress;
using wire::DhtRecord;
using State = DhtRecord::State;

}  // namespace

/// Our guest was elsewhere, which we did not know: its old host and its peers are to hear of us at once.
void Directory::handle_outbid(Instant now, const Client::Outcome& outcome) {
  const Binding former = binding_of(now, *outcome.record);
  vnet_.remember(now, former);
  (void)vnet_.outbid(now, former);
}

void Directory::handle_departure(Instant now, const MacAddress& mac) {
  for (auto next = entries_.begin(); next != entries_.end();) {
    const DhtAddress address = next->first;
    Entry& entry = (next++)->second;
    if (address.kind != DhtAddress::Kind::Ip || entry.mac != mac) continue;
    if (entry.is_bound || entry.is_told) {
      entry.has_left = true;
      entry.kept_until = now + kReturnTime;
      schedule(address, entry, entry.kept_until);
    } else if (!is_claiming(address)) {
      forget(address);
    }
  }
}

/// Its guest has left, and is not back.
bool Directory::is_away(const DhtAddress& address, const Entry& entry) const {
  return entry.has_left && !find(address);
}

/// Our guest is elsewhere, or its address is another's.  Those who talk with it have it from us that it is
/// here, and hear from us that it is not.
void Directory::give_way(Instant now, const DhtAddress& address, const Binding& winner,
                         const DhtRecord* proof) {
  const MacAddress mac = entries_.at(address).mac;
  const bool was_told = entries_.at(address).is_told;
  forget(address);
  if (winner.mac != mac) {
    ++counts_.lost;
    if (auto ended = find(address); ended && was_told) {
      ended->expires = now;
      tell_peers(now, *ended);
    }
    vnet_.handle_lost(now, mac, winner);
    if (!was_told) return;  // Of what a guest merely claimed nobody has heard.
  } else if (winner.sequence > 0) {
    (void)vnet_.handle_announcement(now, winner.node, winner);
  }
  if (!proof) return;
  outgoing_.push_back({.to = Outgoing::To::Peers, .node = {}, .message = wire::DhtNotice{.record = *proof}});
}

/// Than what we have written.
bool Directory::is_better(const DhtRecord& record, const Entry& entry) const {
  return record.sequence != entry.sequence ? record.sequence > entry.sequence : record.node < self_;
}

/// What we hold counts as free where that has come from another part of the network.
void Directory::handle_withdrawal(Instant now, const DhtAddress& address, const DhtRecord& record) {
  const auto found = entries_.find(address);
  if (found == entries_.end() || !found->second.is_bound || !find(address)) return;
  if (!is_better(record, found->second)) return;
  if (found->second.is_busy()) {
    found->second.is_doubted = true;
  } else {
    schedule(address, found->second, now);
  }
}

/// For a guest that may be back: then the next write decides.  Not what its new host claims.
bool Directory::keeps(const DhtAddress& address, const DhtRecord& record) {
  const auto found = entries_.find(address);
  if (found == entries_.end() || !is_away(address, found->second)) return false;
  Entry& entry = found->second;
  if (record.mac == entry.mac && is_better(record, entry)) {
    forget(address);
    return false;
  }
  entry.is_doubted |= entry.is_busy();
  return true;
}

/// A replica, or a host that our guests' peers were at, tells us of a record that it has checked.
void Directory::handle_notice(Instant now, const DhtRecord& record) {
  if (record.node == self_) return;
  const DhtAddress address = record.address();
  if (record.state == State::Withdrawn) return handle_withdrawal(now, address, record);
  if (keeps(address, record) || record.state != State::Bound) return;
  const auto found = entries_.find(address);
  if (found != entries_.end() && !find(address) && found->second.mac != record.mac && !is_claiming(address)) {
    // What we have reserved for a guest, and perhaps offered, is another's.
    return give_way(now, address, binding_of(now, record), nullptr);
  }
  if (found == entries_.end() || !find(address)) {
    const bool is_known =
        vnet_.map().find_mac(record.mac) || (!record.ip.is_unspecified() && vnet_.map().find_ip(record.ip));
    const Binding binding = binding_of(now, record);
    if (is_known) (void)vnet_.handle_announcement(now, record.node, binding);
    return;
  }
  Entry& entry = found->second;
  // What we are writing may be better than that, and is where others hear of it: the replicas' answer
  // decides, or both would give way.
  if (entry.is_busy()) {
    entry.is_doubted = true;
    return;
  }
  const bool beats_ours = is_better(record, entry);
  if (!beats_ours && entry.is_bound) return schedule(address, entry, now);
  if (!beats_ours && entry.mac == record.mac) return;
  // Whose a granted address is, is for a quorum to say: one record may be out of date.
  if (entry.mac != record.mac && entry.sequence > 0) return schedule(address, entry, now);
  give_way(now, address, binding_of(now, record), &record);
}

void Directory::tell_peers(Instant now, const Binding& binding) {
  outgoing_.push_back({.to = Outgoing::To::Peers,
                       .node = {},
                       .message = wire::Announcement{.binding = to_record(binding, now)}});
}

/// The guest with all that it was granted.
void Directory::tell_peers(Instant now, const MacAddress& mac) {
  bool any = false;
  for (const IpAddress& ip : vnet_.map().addresses(mac)) {
    const auto entry = entries_.find(ip_address(ip));
    if (entry == entries_.end() || !entry->second.is_told) continue;
    tell_peers(now, *vnet_.map().find_ip(ip));
    any = true;
  }
  if (any) return;
  auto guest = vnet_.map().find_mac(mac);
  if (!guest) return;
  guest->ip = {};
  tell_peers(now, *guest);
}

}  // namespace ipop
