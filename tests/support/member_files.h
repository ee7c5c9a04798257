// Invites in a directory of their own, for tests with real files and sockets.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "overlay/crypto/authority.h"
#include "overlay/crypto/invite.h"
#include "overlay/io/system.h"

namespace ipop::test {

class MemberFiles {
 public:
  MemberFiles() {
    std::string pattern = testing::TempDir() + "ipop-XXXXXX";
    directory = mkdtemp(pattern.data());
  }
  ~MemberFiles() { std::filesystem::remove_all(directory); }
  MemberFiles(const MemberFiles&) = delete;

  /// Writes the invite of a new host, and returns where it is.
  std::string invite(const std::string& host, const std::vector<Endpoint>& introducers = {}) {
    const Identity identity = Identity::generate(random);
    const Invite invite{.identity = identity,
                        .certificate = authority.issue(host, identity.public_key(), 86400, unix_now()),
                        .authority = authority.certificate(),
                        .introducers = introducers};
    const std::string path = directory + "/" + host + ".ipop";
    std::ofstream(path) << format(invite);
    return path;
  }

  SystemRandom random;
  Authority authority =
      Authority::create("grid", *Ipv4Subnet::parse("10.128.0.0/16"), 86400 * 365, unix_now(), random);
  std::string directory;
};

}  // namespace ipop::test
