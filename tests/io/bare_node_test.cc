// Nodes of one process on loopback: real sockets, real threads.
#include "overlay/io/bare_node.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <functional>

#include "tests/support/member_files.h"
#include "tests/support/recorders.h"

namespace ipop {
namespace {

struct BareNodes : testing::Test, test::MemberFiles {
  struct Member {
    test::LogLines log;  // Written by the node's thread; nobody reads it before that has ended.
    std::unique_ptr<BareNode> node;
    bool is_connected() const {
      const auto report = node->runtime().report().get();
      return !report->peers.empty() && report->peers[0].is_up;
    }
  };

  void open(Member& out, const std::string& invite_path) {
    auto node = BareNode::open({.invite = invite_path,
                                .listen = *Endpoint::parse("127.0.0.1:0"),
                                .introducers = {},
                                .state_dir = directory + "/state"},
                               out.log);
    ASSERT_TRUE(node) << node.error().text;
    out.node = std::move(*node);
  }

  /// Plays the main loop of each program until `done`; false after half a minute.
  static bool run_until(const std::vector<BareNode*>& nodes, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::vector<pollfd> entries;
      for (const BareNode* node : nodes) {
        int fds[2];
        node->fds(fds);
        for (const int fd : fds) entries.push_back({.fd = fd, .events = POLLIN, .revents = 0});
      }
      poll(entries.data(), entries.size(), 50);
      for (BareNode* node : nodes) node->receive();
    }
    return true;
  }
};

TEST_F(BareNodes, ConnectAndSayGoodbye) {
  Member alpha;
  Member beta;
  open(alpha, invite("alpha"));
  open(beta, invite("beta", {alpha.node->facts().listen}));
  const std::vector<BareNode*> both{alpha.node.get(), beta.node.get()};
  ASSERT_TRUE(run_until(both, [&] { return alpha.is_connected() && beta.is_connected(); }));
  EXPECT_EQ(alpha.node->runtime().report().get()->peers[0].host, "beta");
  EXPECT_EQ(beta.node->facts().name, "beta");
  EXPECT_EQ(beta.node->facts().introducers.size(), 1u);

  beta.node.reset();
  EXPECT_TRUE(run_until({alpha.node.get()}, [&] { return !alpha.is_connected(); }));
  alpha.node.reset();
  EXPECT_EQ(alpha.log.count("says goodbye"), 1u);
}

TEST_F(BareNodes, ATakenPortIsASentence) {
  Member alpha;
  open(alpha, invite("alpha"));
  const auto second = BareNode::open({.invite = invite("beta"),
                                      .listen = alpha.node->facts().listen,
                                      .introducers = {},
                                      .state_dir = directory},
                                     alpha.log);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text.find("is taken"), std::string::npos) << second.error().text;
}

}  // namespace
}  // namespace ipop
