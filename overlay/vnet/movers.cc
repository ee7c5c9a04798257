#include "overlay/vnet/movers.h"

#include <algorithm>

namespace ipop {

void Movers::handle_arrival(Instant now, const MacAddress& mac) {
  std::erase_if(newcomers_, [&](const auto& entry) { return entry.second.until <= now; });
  newcomers_[mac] = {.until = now + kNewcomerTime};
  departed_.erase(mac);
}

void Movers::handle_departure(Instant now, const MacAddress& mac, std::vector<IpAddress> had) {
  newcomers_.erase(mac);
  std::erase_if(departed_, [&](const auto& entry) { return entry.second.at + kDepartedTime <= now; });
  if (departed_.size() >= kMaxDeparted) {
    departed_.erase(std::min_element(departed_.begin(), departed_.end(),
                                     [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
  }
  departed_[mac] = {.at = now, .had = std::move(had)};
}

void Movers::handle_lost(const MacAddress& mac, const IpAddress& ip) {
  if (const auto guest = departed_.find(mac); guest != departed_.end()) std::erase(guest->second.had, ip);
}

bool Movers::is_kept_from(Instant now, const Binding& claim) const {
  return std::any_of(departed_.begin(), departed_.end(), [&](const auto& entry) {
    const auto& [mac, guest] = entry;
    return now < guest.at + kReturnTime && mac != claim.mac &&
           std::find(guest.had.begin(), guest.had.end(), claim.ip) != guest.had.end();
  });
}

bool Movers::is_newcomer(Instant now, const MacAddress& mac) const {
  const auto newcomer = newcomers_.find(mac);
  return newcomer != newcomers_.end() && newcomer->second.until > now && map_.is_local(mac);
}

bool Movers::is_to_outbid(Instant now, const Binding& claim) const {
  if (!is_newcomer(now, claim.mac) || newcomers_.at(claim.mac).outbid >= kMaxOutbid) return false;
  if (claim.node == own_ || claim.expires <= now) return false;
  const auto ours = map_.find_mac(claim.mac);
  return claim.sequence != ours->sequence ? claim.sequence > ours->sequence : claim.node < own_;
}

bool Movers::is_further_move(const Binding& claim) const {
  const auto newcomer = newcomers_.find(claim.mac);
  return map_.is_local(claim.mac) && newcomer != newcomers_.end() && newcomer->second.outbid > 0 &&
         claim.sequence == next_sequence(map_.find_mac(claim.mac)->sequence);
}

std::vector<MacAddress> Movers::departed() const {
  std::vector<MacAddress> out;
  for (const auto& [mac, guest] : departed_) {
    if (!map_.is_local(mac)) out.push_back(mac);
  }
  return out;
}

}  // namespace ipop
