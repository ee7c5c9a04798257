// The part of Directory that has to do with what our guests have: what is written to the DHT and when, and
// what others may hear of it.
#include <algorithm>

#include "overlay/base/jitter.h"
#include "overlay/node/dht_address.h"
#include "overlay/node/directory.h"

namespace ipop {
namespace {

using wire::DhtAddress;
using wire::DhtRecord;
using State = DhtRecord::State;

}  // namespace

/// What two rings have granted is compared where their records meet.  For that the replicas need not even be
/// each other's neighbours, if those who hold it write it again.
void Directory::note_arrivals(Instant now, const Neighbourhood& near) {
  const size_t new_here = arrivals(self_, replica_.near(), near).size();
  arrivals_.insert(arrivals_.end(), new_here, now);
  while (!arrivals_.empty() && arrivals_.front() + kArrivalWindow < now) arrivals_.pop_front();
  if (new_here == 0 || arrivals_.size() < kManyArrivals) return;
  arrivals_.clear();
  write_all_again(now);
}

/// At once, and again when no more can count as lost with these; a neighbour that comes and goes is no reason
/// to write without end.
void Directory::note_mass_loss(Instant now) {
  has_lost_more_ = now < mass_loss_at_ + Replica::kLossWindow;
  if (has_lost_more_) return;
  mass_loss_at_ = now;
  write_all_again(now);
}

void Directory::write_all_again(Instant now) {
  const Duration spread = kMeetingSpread + entries_.size() * kMeetingPause;
  for (auto& [address, entry] : entries_) {
    entry.is_doubted |= entry.is_busy();  // Perhaps among those that were the replicas before.
    const Instant at = now + kMeetingDelay + Duration(random_.below(spread.count()));
    if (entry.is_bound && !entry.is_busy() && at < entry.due_at) schedule(address, entry, at);
  }
}

void Directory::track(Instant now, const DhtAddress& address, const MacAddress& mac) {
  if (const auto known = entries_.find(address); known != entries_.end() && known->second.has_left) {
    const bool is_back = known->second.mac == mac && now < known->second.kept_until;
    if (!is_back) forget(address);  // Others have decided whose it is.
  }
  Entry& entry = entries_[address];
  lapse(now, entry);
  if (entry.mac != mac) {  // Another guest of ours has it now, which is for us to decide.
    entry.mac = mac;
    entry.kept_until = {};
    if (entry.sequence > 0) ++entry.sequence;
    if (entry.reserved > 0) ++entry.reserved;
  }
  if (!entry.is_busy()) schedule(address, entry, now);
}

/// A guest that sleeps for longer than its records live begins anew: others may have its address.
void Directory::lapse(Instant now, Entry& entry) {
  if (now < entry.valid_until) return;
  entry.valid_until = kNever;
  entry.sequence = entry.reserved = 0;
  entry.is_bound = entry.is_told = false;
}

/// Its reservation counts.  Another claim of the same guest may have come through before, and be bound by
/// now.
void Directory::grant(Entry& entry) { entry.sequence = std::max(entry.sequence, entry.reserved); }

/// A guest that invents MACs must not use up what this node may have at the replicas.  Who wants one that has
/// no record asks everybody; scan() tries again.
void Directory::track_guest(Instant now, const MacAddress& mac) {
  const DhtAddress address = mac_address(mac);
  const bool is_new = !entries_.contains(address);
  if (is_new && vnet_.map().addresses(mac).empty() && !addressless_rate_.take(now)) return;
  track(now, address, mac);
}

void Directory::schedule(const DhtAddress& address, Entry& entry, Instant at) {
  due_.erase({entry.due_at, address});
  entry.due_at = at;
  if (at != kNever) due_.insert({at, address});
}

void Directory::forget(const DhtAddress& address) {
  const auto entry = entries_.find(address);
  if (entry == entries_.end()) return;
  schedule(address, entry->second, kNever);
  entries_.erase(entry);
}

void Directory::scan(Instant now) {
  scan_at_ = now + jittered(kScanInterval, random_);
  if (has_lost_more_) note_mass_loss(now);
  for (const Binding& binding : vnet_.local_bindings()) {
    const DhtAddress ip = ip_address(binding.ip);
    if (!binding.ip.is_unspecified() && !entries_.contains(ip)) track(now, ip, binding.mac);
    if (!entries_.contains(mac_address(binding.mac))) track_guest(now, binding.mac);
  }
}

/// The binding of an address that is here now.
std::optional<Binding> Directory::find(const DhtAddress& address) const {
  const AddressMap& map = vnet_.map();
  auto out = address.kind == DhtAddress::Kind::Ip ? map.find_ip(address.ip) : map.find_mac(address.mac);
  if (out && out->node != self_) out.reset();
  return out;
}

void Directory::write_due(Instant now, Duration wall) {
  while (!due_.empty() && due_.begin()->first <= now && writes_ < kMaxWrites) {
    const DhtAddress address = due_.begin()->second;
    Entry& entry = entries_.at(address);
    schedule(address, entry, kNever);
    write(now, wall, address, entry);
  }
}

void Directory::write(Instant now, Duration wall, const DhtAddress& address, Entry& entry) {
  // The replicas keep a reservation for longer than it is offered.
  const Instant withdrawable =
      entry.valid_until + (entry.is_bound ? Duration() : kReservationTime - kOfferTime);
  const bool has_record = entry.valid_until != kNever && now < withdrawable;
  const uint64_t last = has_record ? std::max(entry.sequence, entry.reserved) : 0;
  const Duration left = has_record ? entry.valid_until - now : Duration();
  lapse(now, entry);
  const auto binding = find(address);
  DhtRecord record;
  record.kind = address.kind;
  record.ip = address.ip;
  record.mac = entry.mac;
  if (!binding || binding->mac != entry.mac) {
    const AddressMap& map = vnet_.map();
    const auto elsewhere =
        address.kind == DhtAddress::Kind::Ip ? map.find_ip(address.ip) : map.find_mac(address.mac);
    record.sequence = last;
    const auto guest = map.find_mac(entry.mac);
    if (is_claiming(address)) return schedule(address, entry, now + jittered(kRetryInterval, random_));
    if (now < entry.kept_until) return schedule(address, entry, entry.kept_until + 1s);
    // Or it may be what a write of ours has just reserved.
    const bool is_offered = has_record && !entry.is_bound && !entry.has_left && now < entry.valid_until;
    if (is_offered) return schedule(address, entry, entry.valid_until + 1s);
    // Its new host has the say, also if we have forgotten where that is.
    const bool is_elsewhere = elsewhere || (guest ? guest->node != self_ : entry.has_left);
    if (record.sequence > 0 && !is_elsewhere) withdraw(now, wall, record, left);
    return forget(address);
  }
  entry.has_left = false;
  if (entry.is_busy()) return;  // What comes of it has its own schedule.
  if (is_withdrawing(address)) return schedule(address, entry, now + jittered(kRetryInterval, random_));
  const bool is_ip = address.kind == DhtAddress::Kind::Ip;
  if (!is_ip) record.ip = as_told(*binding).ip;
  record.sequence = std::clamp<uint64_t>(std::max(entry.sequence, binding->sequence), 1, kLastSequence);
  record.name = binding->name;
  const bool is_granted = entry.is_bound || (is_ip && entry.sequence > 0);
  record.state = is_ip && !is_granted ? State::Reserved : State::Bound;
  const Duration life =
      record.state == State::Reserved ? kReservationTime : std::min(binding->expires - now, kLongestRecord);
  record.expires_s = static_cast<uint64_t>((wall + life) / 1s);
  const uint64_t id = random_.u64();
  // Of a guest that we have from our lease file, and have not seen, another host may know better.
  const bool is_seen = vnet_.map().is_confirmed(entry.mac);
  const auto started = is_granted || (!is_ip && !is_seen) ? client_.put(now, wall, id, record)
                                                          : client_.create(now, wall, id, record, is_seen);
  if (!started) return schedule(address, entry, now + jittered(kRetryInterval, random_));
  entry.writing_until = now + life;
  entry.write = id;
  ++writes_;
  purposes_[id] = {.kind = Purpose::Kind::Write, .query = {}, .address = address, .mac = entry.mac};
}

/// With the sequence of what it withdraws: being later it beats that, and nothing that another host wrote of
/// the guest since, which had to beat it, too.  It lives as long, so that no copy comes back.
void Directory::withdraw(Instant now, Duration wall, DhtRecord record, Duration left) {
  record.state = State::Withdrawn;
  record.expires_s = static_cast<uint64_t>((wall + std::clamp(left, kReservationTime, kLongestRecord)) / 1s);
  record.name.clear();
  const uint64_t id = random_.u64();
  if (!client_.put(now, wall, id, record)) return;  // It expires.
  ++counts_.withdrawals;
  purposes_[id] = {.kind = Purpose::Kind::Cleanup, .query = {}, .address = record.address()};
}

/// A guest of ours asks for it just now.
bool Directory::is_claiming(const DhtAddress& address) const {
  return std::any_of(purposes_.begin(), purposes_.end(), [&](const auto& purpose) {
    return purpose.second.kind == Purpose::Kind::Claim && ip_address(purpose.second.query.ip) == address;
  });
}

/// It could arrive after a later claim of ours, and free under a guest what that was granted.
bool Directory::is_withdrawing(const DhtAddress& address) const {
  return std::any_of(purposes_.begin(), purposes_.end(), [&](const auto& purpose) {
    return purpose.second.kind == Purpose::Kind::Cleanup && purpose.second.address == address;
  });
}

bool Directory::is_told(const Binding& binding) const {
  const auto entry = entries_.find(ip_address(binding.ip));
  return entry != entries_.end() && entry->second.mac == binding.mac && entry->second.is_told;
}

Binding Directory::as_told(const Binding& binding) const {
  Binding out = binding;
  if (binding.node == self_ && !is_told(binding)) out.ip = {};
  return out;
}

Binding Directory::as_answer(Instant now, Query::Kind asked, const Binding& binding) const {
  if (asked == Query::Kind::Mac) return as_told(binding);
  Binding out = binding;
  if (binding.node == self_ && !is_told(binding)) out.expires = std::min(out.expires, now + kClaimTime);
  return out;
}

std::vector<Binding> Directory::told_bindings() const {
  std::vector<Binding> out;
  for (const Binding& binding : vnet_.local_bindings()) {
    const Binding told = as_told(binding);
    const bool is_repetition = told.ip.is_unspecified() && !out.empty() && out.back().mac == told.mac;
    if (!is_repetition) out.push_back(told);
  }
  return out;
}

bool Directory::is_published(const IpAddress& ip) const {
  const auto entry = entries_.find(ip_address(ip));
  return entry != entries_.end() && entry->second.is_bound;
}

std::pair<size_t, size_t> Directory::published() const {
  const auto bound = std::count_if(entries_.begin(), entries_.end(),
                                   [](const auto& entry) { return entry.second.is_bound; });
  return {static_cast<size_t>(bound), entries_.size()};
}

}  // namespace ipop
