#include "overlay/vnet/lease_table.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "overlay/vnet/binding.h"

namespace ipop {
namespace {

constexpr std::string_view kFirstLine = "ipop-leases 1";
constexpr std::chrono::seconds kLongestMemory = std::chrono::days(3650);

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// From an hour of the wall clock, which may have been set meanwhile, to ours.
Instant to_instant(UnixSeconds expires, Instant now, UnixSeconds wall_now, Duration longest) {
  const auto seconds = std::clamp<int64_t>(expires - wall_now, -kLongestMemory.count(),
                                           std::chrono::floor<std::chrono::seconds>(longest).count());
  return now + std::chrono::seconds(seconds);
}

}  // namespace

Result<Done> LeaseTable::put(Instant now, const MacAddress& mac, const Lease& lease) {
  const auto other = holder(lease.ip);
  if (other && *other != mac && leases_.at(*other).expires > now) return Error::Conflict;
  const auto mine = leases_.find(mac);
  if (mine != leases_.end() && mine->second == lease) return Done{};
  if (mine == leases_.end() && leases_.size() >= kMaxLeases && (!other || *other == mac)) {
    const auto oldest = std::min_element(leases_.begin(), leases_.end(), [](const auto& a, const auto& b) {
      return a.second.expires < b.second.expires;
    });
    if (oldest->second.expires > now) return Error::Full;
    erase(MacAddress(oldest->first));  // A copy: erase() destroys the original.
  }
  if (other && *other != mac) erase(*other);
  erase(mac);
  leases_[mac] = lease;
  by_ip_[lease.ip] = mac;
  dirty_ = true;
  return Done{};
}

void LeaseTable::erase(const MacAddress& mac) {
  const auto found = leases_.find(mac);
  if (found == leases_.end()) return;
  by_ip_.erase(found->second.ip);
  leases_.erase(found);
  dirty_ = true;
}

const Lease* LeaseTable::find(const MacAddress& mac) const {
  const auto found = leases_.find(mac);
  return found == leases_.end() ? nullptr : &found->second;
}

const Lease* LeaseTable::find_living(Instant now, const MacAddress& mac) const {
  const Lease* lease = find(mac);
  return lease && lease->expires > now ? lease : nullptr;
}

std::optional<MacAddress> LeaseTable::holder(Ipv4Address ip) const {
  const auto found = by_ip_.find(ip);
  if (found == by_ip_.end()) return std::nullopt;
  return found->second;
}

std::string LeaseTable::save(Instant now, UnixSeconds wall_now) const {
  std::string out(kFirstLine);
  out += '\n';
  for (const auto& [mac, lease] : leases_) {
    const auto left = std::chrono::floor<std::chrono::seconds>(lease.expires - now).count();
    out += mac.to_string() + ' ' + lease.ip.to_string() + ' ' +
           std::to_string(std::max<int64_t>(0, wall_now + left)) + ' ' + std::to_string(lease.sequence) +
           ' ' + (lease.name.empty() ? "-" : lease.name) + '\n';
  }
  return out;
}

Result<Done, Problem> LeaseTable::load(std::string_view text, Instant now, UnixSeconds wall_now,
                                       Duration longest) {
  const auto lines = split(text, '\n');
  if (lines.empty() || lines[0] != kFirstLine) {
    return Problem{"The lease file does not begin with \"" + std::string(kFirstLine) + "\"."};
  }
  if (text.back() != '\n') return Problem{"The lease file breaks off in its last line."};
  if (lines.size() > kMaxLeases + 1) return Problem{"The lease file has too many lines."};
  LeaseTable loaded;
  for (size_t i = 1; i < lines.size(); ++i) {
    const auto wrong = [&](const std::string& what) {
      return Problem{"Line " + std::to_string(i + 1) + " of the lease file " + what + '.'};
    };
    const auto words = split(lines[i], ' ');
    if (words.size() != 5) return wrong("does not have five words");
    const auto mac = MacAddress::parse(words[0]);
    const auto ip = Ipv4Address::parse(words[1]);
    const auto expires = parse_number<uint64_t>(words[2]);
    const auto sequence = parse_number<uint64_t>(words[3]);
    const bool named = words[4] != "-";
    if (!mac || mac->is_group() || mac->is_zero() || !ip || !expires || *expires >> 40 != 0 || !sequence ||
        (named && !is_host_label(words[4]))) {
      return wrong("cannot be understood");
    }
    if (loaded.find(*mac) || loaded.holder(*ip)) return wrong("repeats an address");
    loaded.leases_[*mac] = {.ip = *ip,
                            .expires = to_instant(static_cast<UnixSeconds>(*expires), now, wall_now, longest),
                            .sequence = *sequence,
                            .name = named ? std::string(words[4]) : std::string(),
                            .is_from_file = true};
    loaded.by_ip_[*ip] = *mac;
  }
  *this = std::move(loaded);
  return Done{};
}

}  // namespace ipop
