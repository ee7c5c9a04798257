#include "overlay/sim/internet.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ipop::sim {
namespace {

// Found by trial: tests/sim/internet_test.cc has what they must give.
constexpr double kSideMs = 50;          ///< Of the plane; along it is once over the Atlantic.
constexpr double kMedianAccessMs = 6;   ///< A line at home or a busy data centre.
constexpr double kAccessSpread = 1.25;  ///< Sigma of the logarithm.
constexpr double kMaxAccessMs = 250;    ///< A satellite.  The lognormal alone would give seconds.
constexpr double kMeanJitterMs = 1;

/// In [0, 1), with all 53 bits of a double.
double fraction(Random& random) { return static_cast<double>(random.u64() >> 11) * 0x1p-53; }

/// Box and Muller, 1958.
double normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - fraction(random)));
  return radius * std::cos(2 * std::numbers::pi * fraction(random));
}

bool happens(double share, Random& random) { return share > 0 && fraction(random) < share; }

Duration from_ms(double ms) { return Duration(std::llround(ms * 1000)); }

}  // namespace

Internet::Internet(InternetOptions options) : options_(options), random_(options.seed ^ 0x1e7e71e7) {}

uint32_t Internet::add_host() {
  const auto host = static_cast<uint32_t>(places_.size());
  SeededRandom own(SeededRandom(options_.seed).u64() + host);
  const double x = fraction(own) * kSideMs;
  const double y = fraction(own) * kSideMs;
  const double access = std::min(kMedianAccessMs * std::exp(kAccessSpread * normal(own)), kMaxAccessMs);
  places_.push_back({.x = x, .y = y, .access = access, .group = 0});
  return host;
}

std::optional<Duration> Internet::carry(uint32_t from, uint32_t to) {
  if (happens(options_.loss, random_) || !can_talk(from, to)) return std::nullopt;
  if (options_.latency == Latency::Uniform) {
    const auto spread = static_cast<uint64_t>((options_.latency_max - options_.latency_min).count());
    return options_.latency_min + Duration(random_.below(spread + 1));
  }
  // Exponential: most are hardly late, and some overtake others.
  return delay(from, to) + from_ms(-kMeanJitterMs * std::log(1 - fraction(random_)));
}

bool Internet::can_talk(uint32_t a, uint32_t b) const {
  if (places_[a].group != places_[b].group) return false;
  if (!cuts_.empty() && cuts_.contains(std::minmax(a, b))) return false;
  if (options_.deaf_pairs == 0 || a == b) return true;
  SeededRandom pair(options_.seed ^ (uint64_t{std::min(a, b)} << 32 | std::max(a, b)));
  return fraction(pair) >= options_.deaf_pairs;
}

Duration Internet::delay(uint32_t a, uint32_t b) const {
  if (options_.latency == Latency::Uniform) return (options_.latency_min + options_.latency_max) / 2;
  const Place& from = places_[a];
  const Place& to = places_[b];
  return from_ms(std::hypot(from.x - to.x, from.y - to.y) + from.access + to.access);
}

void Internet::heal() {
  for (Place& place : places_) place.group = 0;
}

}  // namespace ipop::sim
