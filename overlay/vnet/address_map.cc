#include "overlay/vnet/address_map.h"

#include <algorithm>

namespace ipop {
namespace {

constexpr Duration kLastCheck = 1min;  // Halving stops here.

}  // namespace

bool AddressMap::wins(const Binding& claim, const Guest& holder) {
  if (claim.node == holder.node) return true;
  return claim.sequence != holder.sequence ? claim.sequence > holder.sequence : claim.node < holder.node;
}

/// One place is kept for IPv4: a guest makes up as many of IPv6 as it likes, and is given the other one when
/// it asks.
bool AddressMap::may_have(const MacAddress& mac, const IpAddress& ip) const {
  const auto found = guests_.find(mac);
  if (found == guests_.end() || ip.is_unspecified()) return true;
  const auto& addresses = found->second.addresses;
  if (addresses.contains(ip)) return true;
  const bool has_ipv4 = std::any_of(addresses.begin(), addresses.end(),
                                    [](const auto& address) { return address.first.is_ipv4(); });
  const size_t kept = has_ipv4 || ip.is_ipv4() ? 0 : 1;
  return addresses.size() + kept < limits_.addresses;
}

bool AddressMap::has_room(const Binding& binding) const {
  const bool local = binding.node == own_;
  const auto found = guests_.find(binding.mac);
  if (found == guests_.end() || found->second.node != binding.node) {
    if (guests_of(binding.node) >= (local ? limits_.local : limits_.of_member)) return false;
    const bool is_another_remote = !local && (found == guests_.end() || found->second.node == own_);
    if (is_another_remote && guests_.size() - local_.size() >= limits_.remote) return false;
  }
  return true;
}

Result<AddressMap::Change> AddressMap::upsert(Instant now, const Binding& binding) {
  handle_timeout(now);
  const auto known = guests_.find(binding.mac);
  if (known != guests_.end() && !wins(binding, known->second)) return Error::Conflict;
  const auto holder = binding.ip.is_unspecified() ? by_ip_.end() : by_ip_.find(binding.ip);
  const bool held_by_other = holder != by_ip_.end() && holder->second != binding.mac;

  if (binding.expires <= now) {
    // It may have been overtaken by what its node said since.
    const bool is_old = known != guests_.end() && binding.sequence < known->second.sequence;
    if (known != guests_.end() && !is_old) erase(now, binding.mac, binding.ip);
    return Change::Withdrawn;
  }
  if (held_by_other && !wins(binding, guests_.at(holder->second))) return Error::Conflict;
  if (!may_have(binding.mac, binding.ip)) return Error::Full;
  if (!has_room(binding) && evict_rate_.take(now)) make_room(binding);
  if (!has_room(binding)) return Error::Full;

  Change change = Change::Refreshed;
  if (held_by_other) {
    drop_address(now, holder->second, binding.ip);
    change = Change::Moved;
  }
  const bool is_new = known == guests_.end();
  Guest& guest = guests_[binding.mac];
  const bool local = binding.node == own_;
  if (is_new) {
    guest.expires = binding.expires;
    change = held_by_other ? Change::Moved : Change::Added;
  } else {
    unschedule(binding.mac, guest);
    drop_name(binding.mac, guest);
    if (guest.node != binding.node) {
      remember(now, binding.mac, guest);
      guest.expires = binding.expires;
      change = Change::Moved;
      guest.carried.clear();
      if (local) {
        for (const auto& [ip, expires] : guest.addresses) guest.carried.insert(ip);
      }
    }
  }
  if (is_new || guest.node != binding.node || !guest.confirmed) {
    ++version_;
    if (!guest.addresses.empty()) ++address_version_;
  }
  if (local) local_.insert(binding.mac);
  if (!local) local_.erase(binding.mac);

  guest.node = binding.node;
  guest.sequence = binding.sequence;
  guest.expires = std::max(guest.expires, binding.expires);
  guest.confirmed = true;
  if (!binding.name.empty()) guest.name = binding.name;
  if (!binding.ip.is_unspecified()) {
    const bool is_new_address = guest.addresses.insert_or_assign(binding.ip, binding.expires).second;
    if (is_new_address && change == Change::Refreshed) change = Change::Added;
    if (is_new_address && local) ++address_version_;
    by_ip_[binding.ip] = binding.mac;
  }
  guest.check_at = local ? next_check(now, guest) : kNever;
  add_name(binding.mac, guest);
  schedule(binding.mac, guest);
  return change;
}

void AddressMap::erase(Instant now, const MacAddress& mac, IpAddress ip) {
  const auto guest = guests_.find(mac);
  if (guest == guests_.end()) return;
  if (ip.is_unspecified()) {
    remember(now, mac, guest->second);
    drop(guest);
  } else {
    drop_address(now, mac, ip);
  }
}

void AddressMap::doubt(const MacAddress& mac) {
  const auto guest = guests_.find(mac);
  if (guest == guests_.end() || !is_confirmed(mac)) return;
  guest->second.confirmed = false;
  ++version_;
  ++address_version_;
}

void AddressMap::note_use(const MacAddress& mac, const IpAddress& ip) {
  if (const auto guest = guests_.find(mac); guest != guests_.end()) guest->second.carried.erase(ip);
}

void AddressMap::drop_address(Instant now, MacAddress mac, IpAddress ip) {
  Guest& guest = guests_.at(mac);
  if (!guest.addresses.contains(ip)) return;
  history_.add(now, binding_of(mac, guest, ip));
  unschedule(mac, guest);
  guest.addresses.erase(ip);
  guest.carried.erase(ip);
  by_ip_.erase(ip);
  schedule(mac, guest);
  if (guest.node == own_) ++address_version_;
}

/// For a guest that is new at its node.  Never takes that guest itself, which is at another.
void AddressMap::make_room(const Binding& binding) {
  if (guests_of(binding.node) >= (binding.node == own_ ? limits_.local : limits_.of_member)) {
    return evict(binding.node);
  }
  const auto most = std::max_element(shares_.begin(), shares_.end(), [&](const auto& a, const auto& b) {
    const auto size_of = [&](const auto& share) {
      return share.first == own_ ? 0 : share.second.without_address.size();
    };
    return size_of(a) < size_of(b);
  });
  if (most != shares_.end() && most->first != own_) evict(most->first);
}

void AddressMap::evict(const NodeId& node) {
  const auto share = shares_.find(node);
  if (share == shares_.end() || share->second.without_address.empty()) return;
  drop(guests_.find(share->second.without_address.begin()->second));
}

size_t AddressMap::guests_of(const NodeId& node) const {
  const auto share = shares_.find(node);
  return share == shares_.end() ? 0 : share->second.guests;
}

void AddressMap::drop(Guests::iterator guest) {
  unschedule(guest->first, guest->second);
  drop_name(guest->first, guest->second);
  for (const auto& [ip, expires] : guest->second.addresses) by_ip_.erase(ip);
  if (guest->second.node == own_ && !guest->second.addresses.empty()) ++address_version_;
  local_.erase(guest->first);
  guests_.erase(guest);
  ++version_;
}

void AddressMap::remember(Instant now, const MacAddress& mac, const Guest& guest) {
  history_.add(now, binding_of(mac, guest, {}));
  for (const auto& [ip, expires] : guest.addresses) history_.add(now, binding_of(mac, guest, ip));
}

std::optional<Binding> AddressMap::find_mac(const MacAddress& mac) const {
  const auto found = guests_.find(mac);
  if (found == guests_.end()) return std::nullopt;
  const auto& addresses = found->second.addresses;
  return binding_of(mac, found->second, addresses.empty() ? IpAddress{} : addresses.begin()->first);
}

std::optional<Binding> AddressMap::find_ip(const IpAddress& ip) const {
  const auto found = by_ip_.find(ip);
  if (found == by_ip_.end()) return std::nullopt;
  return binding_of(found->second, guests_.at(found->second), ip);
}

std::optional<MacAddress> AddressMap::find_name(std::string_view name) const {
  const auto found = by_name_.find(to_lower(name));
  if (found == by_name_.end()) return std::nullopt;
  return std::get<MacAddress>(*found->second.begin());
}

AddressMap::Rank AddressMap::rank_of(const MacAddress& mac, const Guest& guest) {
  return {~guest.sequence, guest.node, mac};
}

void AddressMap::add_name(const MacAddress& mac, const Guest& guest) {
  if (!guest.name.empty()) by_name_[to_lower(guest.name)].insert(rank_of(mac, guest));
}

void AddressMap::drop_name(const MacAddress& mac, const Guest& guest) {
  const auto found = by_name_.find(to_lower(guest.name));
  if (found == by_name_.end()) return;
  found->second.erase(rank_of(mac, guest));
  if (found->second.empty()) by_name_.erase(found);
}

bool AddressMap::is_local(const MacAddress& mac) const {
  const auto found = guests_.find(mac);
  return found != guests_.end() && found->second.node == own_;
}

bool AddressMap::is_confirmed(const MacAddress& mac) const {
  const auto found = guests_.find(mac);
  return found != guests_.end() && found->second.node == own_ && found->second.confirmed;
}

std::vector<IpAddress> AddressMap::addresses(const MacAddress& mac) const {
  std::vector<IpAddress> out;
  if (const auto found = guests_.find(mac); found != guests_.end()) {
    for (const auto& [ip, expires] : found->second.addresses) out.push_back(ip);
  }
  return out;
}

std::vector<IpAddress> AddressMap::carried(const MacAddress& mac) const {
  const auto found = guests_.find(mac);
  if (found == guests_.end()) return {};
  return {found->second.carried.begin(), found->second.carried.end()};
}

Binding AddressMap::binding_of(const MacAddress& mac, const Guest& guest, const IpAddress& ip) {
  const auto address = guest.addresses.find(ip);
  return {.ip = ip,
          .mac = mac,
          .node = guest.node,
          .sequence = guest.sequence,
          .expires = address == guest.addresses.end() ? guest.expires : address->second,
          .name = guest.name};
}

void AddressMap::append(std::vector<Binding>& out, const MacAddress& mac, const Guest& guest) {
  if (guest.addresses.empty()) out.push_back(binding_of(mac, guest, {}));
  for (const auto& [ip, expires] : guest.addresses) out.push_back(binding_of(mac, guest, ip));
}

std::vector<Binding> AddressMap::bindings() const {
  std::vector<Binding> out;
  for (const auto& [mac, guest] : guests_) append(out, mac, guest);
  return out;
}

std::vector<Binding> AddressMap::local_bindings() const {
  std::vector<Binding> out;
  for (const MacAddress& mac : local_) append(out, mac, guests_.at(mac));
  return out;
}

std::vector<NodeId> AddressMap::nodes() const {
  std::vector<NodeId> out;
  for (const auto& [node, share] : shares_) out.push_back(node);
  return out;
}

std::vector<AddressMap::Forward> AddressMap::forwarding() const {
  std::vector<Forward> out;
  out.reserve(guests_.size());
  for (const auto& [mac, guest] : guests_) {
    if (guest.confirmed) out.push_back({.mac = mac, .node = guest.node});
  }
  return out;
}

std::vector<std::pair<IpAddress, MacAddress>> AddressMap::local_addresses() const {
  std::vector<std::pair<IpAddress, MacAddress>> out;
  for (const MacAddress& mac : local_) {
    const Guest& guest = guests_.at(mac);
    if (!guest.confirmed) continue;
    for (const auto& [ip, expires] : guest.addresses) out.emplace_back(ip, mac);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<MacAddress> AddressMap::poll_unconfirmed() {
  while (!unconfirmed_.empty()) {
    const MacAddress mac = unconfirmed_.front();
    unconfirmed_.pop_front();
    if (is_local(mac) && !is_confirmed(mac)) return mac;
  }
  return std::nullopt;
}

Instant AddressMap::first_end(const Guest& guest) {
  Instant out = guest.expires;
  for (const auto& [ip, expires] : guest.addresses) out = std::min(out, expires);
  return out;
}

Instant AddressMap::deadline(const Guest& guest) { return std::min(first_end(guest), guest.check_at); }

/// Before the first of what it has runs out: whoever is here may use an address without a word of it.
Instant AddressMap::next_check(Instant now, const Guest& guest) {
  const Duration left = first_end(guest) - now;
  return left > kLastCheck ? now + left / 2 : kNever;
}

void AddressMap::schedule(const MacAddress& mac, const Guest& guest) {
  const std::pair entry{deadline(guest), mac};
  deadlines_.insert(entry);
  Share& share = shares_[guest.node];
  ++share.guests;
  if (guest.addresses.empty()) share.without_address.insert(entry);
}

void AddressMap::unschedule(const MacAddress& mac, const Guest& guest) {
  const std::pair entry{deadline(guest), mac};
  deadlines_.erase(entry);
  const auto share = shares_.find(guest.node);
  share->second.without_address.erase(entry);
  if (--share->second.guests == 0) shares_.erase(share);
}

Instant AddressMap::next_timeout() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }

void AddressMap::handle_timeout(Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const MacAddress mac = deadlines_.begin()->second;
    const auto found = guests_.find(mac);
    Guest& guest = found->second;
    if (guest.expires <= now) {
      remember(now, mac, guest);
      drop(found);
      continue;
    }
    unschedule(mac, guest);
    for (auto address = guest.addresses.begin(); address != guest.addresses.end();) {
      if (address->second > now) {
        ++address;
        continue;
      }
      history_.add(now, binding_of(mac, guest, address->first));
      by_ip_.erase(address->first);
      guest.carried.erase(address->first);
      address = guest.addresses.erase(address);
      if (guest.node == own_) ++address_version_;
      if (guest.check_at == kNever && guest.node == own_) guest.check_at = next_check(now, guest);
    }
    if (guest.check_at <= now) {
      if (guest.confirmed) {
        ++version_;
        ++address_version_;
      }
      guest.confirmed = false;
      unconfirmed_.push_back(mac);
      guest.check_at = next_check(now, guest);
    }
    schedule(mac, guest);
  }
}

}  // namespace ipop
