#include "overlay/vnet/dhcp_pool.h"

#include <algorithm>

namespace ipop {

bool DhcpPool::may_give(Ipv4Address ip) const {
  return allowed_.empty() || std::any_of(allowed_.begin(), allowed_.end(),
                                         [&](const Ipv4Subnet& block) { return block.contains(ip); });
}

std::optional<Ipv4Address> DhcpPool::reserved_for(const MacAddress& mac) const {
  const auto ip = service_.address_for(mac);
  return ip && may_give(*ip) ? ip : std::nullopt;
}

bool DhcpPool::is_reserved_for_another(Ipv4Address ip, const MacAddress& mac) const {
  const auto found = service_.settings->reserved.find(ip);
  if (found != service_.settings->reserved.end()) return found->second != mac;
  const auto said = service_.introduced.whose(ip);
  return said && *said != mac;
}

bool DhcpPool::is_for(Ipv4Address ip, const MacAddress& mac) const {
  return (service_.is_in_pool(ip) && may_give(ip)) || reserved_for(mac) == ip;
}

bool DhcpPool::is_granted(Instant now, Ipv4Address ip, const MacAddress& mac) const {
  const Lease* lease = leases_.find_living(now, mac);
  const auto known = map_.find_ip(ip);
  return lease && lease->ip == ip && !lease->is_from_file && (!known || known->mac == mac);
}

std::optional<Instant> DhcpPool::held_until(Instant now, Ipv4Address ip, const MacAddress& mac) const {
  if (const Lease* lease = leases_.find_living(now, mac); lease && lease->ip == ip) return lease->expires;
  if (const auto known = map_.find_ip(ip); known && known->mac == mac && known->expires > now) {
    return known->expires;
  }
  return std::nullopt;
}

bool DhcpPool::is_in_use(Instant now, Ipv4Address ip, const MacAddress& mac) const {
  const auto known = map_.find_ip(ip);
  return (known && known->mac != mac && known->expires > now) || is_in_use_here(now, ip, mac);
}

bool DhcpPool::is_in_use_here(Instant now, Ipv4Address ip, const MacAddress& mac) const {
  if (const auto known = map_.find_ip(ip);
      known && known->mac != mac && known->expires > now && map_.is_local(known->mac)) {
    return true;
  }
  if (const auto holder = leases_.holder(ip); holder && *holder != mac && leases_.find_living(now, *holder)) {
    return true;
  }
  if (const auto client = kept_for(ip); client && *client != mac) return true;
  const auto declined = declined_.find(ip);
  return declined != declined_.end() && declined->second > now;
}

bool DhcpPool::is_taken(Instant now, Ipv4Address ip, const MacAddress& mac) const {
  return is_in_use(now, ip, mac) || is_reserved_for_another(ip, mac) || !may_give(ip);
}

std::vector<Ipv4Range> DhcpPool::ranges() const {
  if (allowed_.empty()) return service_.pool();
  std::vector<Ipv4Range> out;
  for (const Ipv4Range& range : service_.pool()) {
    for (const Ipv4Subnet& block : allowed_) {
      const Ipv4Range both{std::max(range.first, block.network), std::min(range.last, block.broadcast())};
      if (both.first <= both.last) out.push_back(both);
    }
  }
  return out;
}

std::optional<Ipv4Address> DhcpPool::find_free(Instant now, const MacAddress& mac, uint64_t& offset) const {
  const std::vector<Ipv4Range> ranges = this->ranges();
  const uint64_t size = total_size(ranges);
  const uint64_t start = size == 0 ? 0 : service_.pool_start(mac) % size;
  while (offset < 2 * size) {
    const bool is_first_time = offset < size;
    const Ipv4Address ip = address_in(ranges, (start + offset++) % size);
    const auto had_it = leases_.holder(ip);
    if (!is_taken(now, ip, mac) && !(is_first_time && had_it && *had_it != mac)) return ip;
  }
  return std::nullopt;
}

std::optional<MacAddress> DhcpPool::kept_for(Ipv4Address ip) const {
  const auto found = kept_.find(ip);
  if (found == kept_.end()) return std::nullopt;
  return found->second;
}

Result<Done> DhcpPool::decline(Instant now, Ipv4Address ip) {
  if (declined_.size() >= kMaxDeclined) return Error::Full;
  declined_[ip] = now + kDeclineTime;
  return Done{};
}

Instant DhcpPool::next_timeout() const {
  Instant out = kNever;
  for (const auto& [ip, until] : declined_) out = std::min(out, until);
  return out;
}

void DhcpPool::handle_timeout(Instant now) {
  std::erase_if(declined_, [&](const auto& entry) { return entry.second <= now; });
}

}  // namespace ipop
