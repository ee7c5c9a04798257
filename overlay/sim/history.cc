#include "overlay/sim/history.h"

#include <algorithm>

namespace ipop::sim {

void History::observe(Instant at, const std::vector<Holding>& holdings) {
  ++observations_;
  last_ = holdings;
  std::sort(last_.begin(), last_.end());
  if (is_meeting_) dispute();
  std::map<std::pair<Ipv4Address, uint32_t>, std::set<uint32_t>> holders;
  for (const Holding& holding : last_) holders[{holding.ip, holding.group}].insert(holding.guest);
  for (const auto& [place, guests] : holders) {
    if (guests.size() < 2) continue;
    const auto disputed = disputed_.find(place.first);
    const bool is_inherited =
        disputed != disputed_.end() &&
        std::includes(disputed->second.begin(), disputed->second.end(), guests.begin(), guests.end());
    if (!is_inherited) violate(at, place.first, "is held by two guests of one partition");
  }
  if (at >= decide_at_) decide(at);
}

void History::note_contact() {
  is_meeting_ = true;
  dispute();
}

/// Whatever two guests have now.
void History::dispute() {
  std::map<Ipv4Address, std::set<uint32_t>> holders;
  for (const Holding& holding : last_) holders[holding.ip].insert(holding.guest);
  for (const auto& [ip, guests] : holders) {
    if (guests.size() < 2) continue;
    conflicts_ += !disputed_.contains(ip);
    disputed_[ip].insert(guests.begin(), guests.end());
  }
}

void History::note_heal(Instant at) {
  dispute();
  is_meeting_ = false;
  decide_at_ = at + kResolve;
}

void History::note_split(Instant at) {
  if (decide_at_ != kNever && at >= decide_at_ - kResolve + kDecided) {
    std::erase_if(disputed_, [this](const auto& entry) {
      const bool is_decided = holders(entry.first, entry.second).size() == 1;
      if (is_decided) excused_.erase(entry.first);
      return is_decided;
    });
  }
  decide_at_ = kNever;
}

void History::note_end(uint32_t guest) {
  for (const auto& [ip, guests] : disputed_) {
    if (guests.contains(guest)) excused_.insert(ip);  // Its host may have it for some time yet.
  }
}

std::set<uint32_t> History::holders(Ipv4Address ip, const std::set<uint32_t>& among) const {
  std::set<uint32_t> out;
  for (const Holding& holding : last_) {
    if (holding.ip == ip && among.contains(holding.guest)) out.insert(holding.guest);
  }
  return out;
}

void History::decide(Instant at) {
  decide_at_ = kNever;
  for (const auto& [ip, guests] : disputed_) {
    const size_t left = holders(ip, guests).size();
    const bool may_be_gone =
        excused_.contains(ip) ||
        std::any_of(guests.begin(), guests.end(), [this](uint32_t guest) { return silent_.contains(guest); });
    if (left == 0 && !may_be_gone) violate(at, ip, "was kept by neither side of a healed partition");
    if (left > 1) violate(at, ip, "is still held by both sides of a healed partition");
  }
  disputed_.clear();
  excused_.clear();
  silent_.clear();
}

void History::violate(Instant at, Ipv4Address ip, const std::string& what) {
  if (!reported_.insert({ip, static_cast<uint32_t>(what.size())}).second) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  violations_.push_back(std::to_string(ms.count()) + " ms: " + ip.to_string() + " " + what);
}

}  // namespace ipop::sim
