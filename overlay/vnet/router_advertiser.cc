#include "overlay/vnet/router_advertiser.h"

#include <algorithm>
#include <chrono>

#include "overlay/wire/dns.h"

namespace ipop {
namespace {

uint32_t seconds(Duration duration) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(duration).count());
}

}  // namespace

// RFC 4861, section 6.2.6.  The delay that it wants is for several routers that hear one host; here each host
// has its own.
Result<Done> RouterAdvertiser::handle_solicitation(Instant now, const MacAddress& mac,
                                                   const Ipv6Address& src) {
  if (!rate_.take(now)) return Error::RateLimited;
  send(mac, src.is_unspecified() ? kAllNodes : src);
  return Done{};
}

void RouterAdvertiser::handle_guest(Instant now) {
  if (next_ == kNever) schedule(now);
}

void RouterAdvertiser::handle_timeout(Instant now, bool has_guests) {
  if (next_ > now) return;
  next_ = kNever;
  if (!has_guests) return;
  send(kAllNodes.multicast_mac(), kAllNodes);
  schedule(now);
}

void RouterAdvertiser::schedule(Instant now) {
  constexpr Duration kSpread = kLongestInterval - kShortestInterval;
  next_ = now + kShortestInterval + Duration(random_.below(kSpread.count()));
}

void RouterAdvertiser::send(const MacAddress& mac, const Ipv6Address& dst) {
  const auto servers = service_.dns_servers();  // If these are others, IPv6 must not bring ours back.
  const bool is_resolver = std::find(servers.begin(), servers.end(), service_.ip) != servers.end();
  const RouterAdvertisement advertisement{
      .router_lifetime_s = 0,
      .source_mac = service_.mac,
      .mtu = service_.guest_mtu(),
      .prefix = service_.prefix,
      .prefix_valid_s = seconds(kPrefixValid),
      .prefix_preferred_s = seconds(kPrefixPreferred),
      .dns_server = is_resolver ? std::optional(service_.ipv6) : std::nullopt,
      .search_domain = encode_names(service_.search_domains()),
      .dns_lifetime_s = seconds(kDnsLifetime)};
  const Ipv6Address& src = service_.link_local;
  frames_.push_back(nd_frame(mac, service_.mac, dst, src, advertisement.encode(src, dst)));
  ++sent_;
}

std::optional<Bytes> RouterAdvertiser::poll_frame() {
  if (frames_.empty()) return std::nullopt;
  Bytes frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

}  // namespace ipop
