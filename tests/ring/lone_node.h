// For tests of whom a node calls and when, seen by what it sends.
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "overlay/ring/ring.h"
#include "tests/support/circle.h"

namespace ipop::test {

/// A ring with nobody on it but us: what it sends is seen, nobody answers.
class LoneNode : public ::testing::Test {
 protected:
  static NodeId stranger(uint8_t number) { return {{number, 1}}; }
  static Endpoint place_of(uint8_t number) { return Endpoint::from_ipv4({0xcb007100u + number}, 2000); }
  /// Where Initiations went from now until `end`.
  std::map<Endpoint, int> calls_until(Instant end) {
    std::map<Endpoint, int> out;
    const auto note = [&] {
      alone_.pump(now_);
      while (const auto datagram = alone_.links.poll_datagram()) ++out[*datagram->to.endpoint];
    };
    for (note(); alone_.next_timeout() <= end; note()) {
      now_ = std::max(now_, alone_.next_timeout());
      alone_.handle_timeout(now_);
    }
    now_ = end;
    return out;
  }
  Grid grid_;
  Instant now_{1000s};
  Place alone_{grid_, 1, now_, true};
};

}  // namespace ipop::test
