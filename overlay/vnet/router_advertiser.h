// Tells the guests of this host what network they are in (RFC 4861, section 6.2): its IPv6 prefix, from which
// they make their addresses (RFC 4862), the MTU, and where to ask for names (RFC 8106).  It is nobody's
// default router, and says so.  Answers router solicitations, each to the guest that asks, and repeats itself
// rarely to all while there are guests.  A calculation: no I/O.
#pragma once

#include <deque>
#include <optional>

#include "overlay/base/random.h"
#include "overlay/base/result.h"
#include "overlay/base/token_bucket.h"
#include "overlay/vnet/service.h"
#include "overlay/wire/nd.h"

namespace ipop {

class RouterAdvertiser {
 public:
  static constexpr Duration kShortestInterval = 200s;    ///< RFC 4861, section 6.2.1: MinRtrAdvInterval,
  static constexpr Duration kLongestInterval = 600s;     ///< and MaxRtrAdvInterval.
  static constexpr Duration kPrefixValid = 30 * 24h;     ///< AdvValidLifetime,
  static constexpr Duration kPrefixPreferred = 7 * 24h;  ///< and AdvPreferredLifetime.
  /// RFC 8106, section 5.1: three times the interval, so that two may be lost.
  static constexpr Duration kDnsLifetime = 3 * kLongestInterval;

  /// The references outlive the advertiser.
  RouterAdvertiser(const Service& service, Random& random) : service_(service), random_(random) {}

  /// From the local guest `mac`, whose address is `src` or "::".  RateLimited: 100 a second after a burst of
  /// 500.
  Result<Done> handle_solicitation(Instant now, const MacAddress& mac, const Ipv6Address& src);
  /// There is a guest here that speaks IPv6; others are not disturbed.
  void handle_guest(Instant now);

  /// The next Ethernet frame for the guests.
  std::optional<Bytes> poll_frame();
  Instant next_timeout() const { return next_; }
  /// Falls silent if there are no guests any more.
  void handle_timeout(Instant now, bool has_guests);
  uint64_t sent() const { return sent_; }

 private:
  void send(const MacAddress& mac, const Ipv6Address& dst);
  void schedule(Instant now);

  const Service& service_;
  Random& random_;
  TokenBucket rate_{10ms, 500};
  Instant next_ = kNever;
  std::deque<Bytes> frames_;
  uint64_t sent_ = 0;
};

}  // namespace ipop
