// The underlay between hosts: whether a datagram arrives, and when.  Knows hosts by number and nothing of
// what they say.
//
// Two kinds of latency.  Uniform bounds are for tests that want to know what to expect.  The plane is for
// experiments: every host has a position, which gives the propagation delay, and an access line of its own,
// which gives the long tail; each datagram jitters, so they overtake each other.  Its constants are set so
// that the round trip of random pairs has a median of about 90 ms and a 99th percentile above 300 ms, as
// measured between hosts of the Internet (Gummadi et al., "King", IMC 2002: a median near 100 ms, and a tail
// beyond 400 ms).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "overlay/base/random.h"
#include "overlay/base/time.h"

namespace ipop::sim {

enum class Latency { Uniform, Plane };

struct InternetOptions {
  uint64_t seed = 1;
  Latency latency = Latency::Uniform;
  Duration latency_min = 10ms;  ///< Of Latency::Uniform, one way; each datagram draws its own.
  Duration latency_max = 30ms;
  double loss = 0;        ///< Share of datagrams, 0 to 1.
  double deaf_pairs = 0;  ///< Share of pairs that never exchange a datagram, 0 to 1.
};

class Internet {
 public:
  explicit Internet(InternetOptions options);

  /// Hosts are numbered from 0 in the order in which they are added.  Where the n-th one is depends on the
  /// seed and n alone.
  uint32_t add_host();

  /// When a datagram that is sent now arrives; nothing if it is lost.
  std::optional<Duration> carry(uint32_t from, uint32_t to);

  /// Whether datagrams of the two can reach each other at all, loss aside.
  bool can_talk(uint32_t a, uint32_t b) const;
  /// One way, without jitter; of Latency::Uniform the middle.
  Duration delay(uint32_t a, uint32_t b) const;

  /// Nothing passes between the two, either way, until mend().
  void cut(uint32_t a, uint32_t b) { cuts_.insert(std::minmax(a, b)); }
  void mend(uint32_t a, uint32_t b) { cuts_.erase(std::minmax(a, b)); }
  /// Nothing passes between hosts of different groups.  All are in group 0 until told otherwise.
  void set_group(uint32_t host, uint32_t group) { places_[host].group = group; }
  uint32_t group(uint32_t host) const { return places_[host].group; }
  void heal();

 private:
  struct Place {
    double x, y;    ///< In milliseconds of propagation.
    double access;  ///< Milliseconds.
    uint32_t group;
  };

  InternetOptions options_;
  SeededRandom random_;
  std::vector<Place> places_;
  std::set<std::pair<uint32_t, uint32_t>> cuts_;
};

}  // namespace ipop::sim
