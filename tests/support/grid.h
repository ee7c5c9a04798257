// A small network for tests: its authority, and members as a session needs them.
#pragma once

#include <string>
#include <utility>

#include "overlay/crypto/authority.h"
#include "overlay/session/credentials.h"
#include "tests/crypto/testing.h"

namespace ipop::test {

/// The network "grid" of tests/crypto/testing.h, and the hosts that it signs.  The same seed, the same keys.
class Grid {
 public:
  explicit Grid(uint64_t seed = 1)
      : authority_(testing::grid(seed)), network_(*Network::from_authority(authority_.certificate())) {}

  const Authority& authority() const { return authority_; }
  const Network& network() const { return network_; }

  /// Another `incarnation` of the same `member` is the same host after a restart: same certificate, fresh
  /// Noise key.
  Credentials member(uint64_t member, uint64_t incarnation = 0) const {
    const Identity identity = testing::identity(1000 + member);
    return credentials(identity, certificate(member), incarnation);
  }
  /// Issued at testing::kNow, for 30 days.
  Certificate certificate(uint64_t member) const {
    return authority_.issue("host" + std::to_string(member), testing::identity(1000 + member).public_key(),
                            30 * testing::kDay, testing::kNow);
  }
  Credentials credentials(const Identity& identity, const Certificate& certificate,
                          uint64_t incarnation = 0) const {
    Reader id(identity.public_key());
    SeededRandom random(id.u64() + incarnation);
    return Credentials::make(network_, identity, certificate, random);
  }

 private:
  Authority authority_;
  Network network_;
};

}  // namespace ipop::test
