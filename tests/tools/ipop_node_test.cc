// The real ipop-node on loopback, asked by the real ipopctl.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "overlay/crypto/settings.h"
#include "tests/support/member_files.h"

namespace ipop {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A program that runs; killed with its owner.
class Program {
 public:
  explicit Program(std::vector<std::string> words) {
    int out[2];
    int err[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err[1], STDERR_FILENO);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&files);
    close(out[1]);
    close(err[1]);
    out_ = Descriptor(out[0]);
    err_ = Descriptor(err[0]);
  }
  ~Program() {
    if (pid_ > 0) kill(pid_, SIGKILL), wait();
  }
  Program(const Program&) = delete;

  /// Reads its standard error until `text` is in it; false at the end, or when nothing comes for 10 s.
  bool says(const std::string& text) {
    while (said_.find(text) == std::string::npos) {
      pollfd entry{.fd = err_.get(), .events = POLLIN, .revents = 0};
      char buffer[4096];
      if (poll(&entry, 1, 10'000) <= 0) return false;
      const ssize_t n = read(err_.get(), buffer, sizeof buffer);
      if (n <= 0) return false;
      said_.append(buffer, static_cast<size_t>(n));
    }
    return true;
  }
  const std::string& said() const { return said_; }
  std::string output() {
    std::string out;
    char buffer[4096];
    for (ssize_t n; (n = read(out_.get(), buffer, sizeof buffer)) > 0;)
      out.append(buffer, static_cast<size_t>(n));
    return out;
  }
  void signal(int number) const { kill(pid_, number); }
  /// Its exit status, or minus the signal that ended it.
  int wait() {
    int state = 0;
    waitpid(std::exchange(pid_, -1), &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
  }

 private:
  pid_t pid_ = -1;
  Descriptor out_, err_;
  std::string said_;
};

struct Outcome {
  int code;
  std::string out, err;
};

Outcome run(std::vector<std::string> words) {
  Program program(std::move(words));
  Outcome outcome{.code = 0, .out = program.output(), .err = {}};
  program.says("\xff");  // Up to the end.
  outcome.code = program.wait();
  outcome.err = program.said();
  return outcome;
}

struct IpopNode : testing::Test, test::MemberFiles {
  std::string control(const std::string& host) const { return directory + "/" + host + ".sock"; }

  std::unique_ptr<Program> start(const std::string& host, const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{IPOP_NODE_PATH, "--invite", invite(host), "--listen",   "127.0.0.1:0",
                                   "--state-dir",  directory,  "--control",  control(host)};
    words.insert(words.end(), options.begin(), options.end());
    return std::make_unique<Program>(words);
  }
  Outcome ask(const std::string& host, const std::vector<std::string>& words) const {
    std::vector<std::string> all{IPOPCTL_PATH, "node", control(host)};
    all.insert(all.end(), words.begin(), words.end());
    return run(all);
  }

  /// Where a node that has started listens.
  static std::string endpoint_of(Program& program) {
    EXPECT_TRUE(program.says("listens on ") && program.says("\n")) << program.said();
    const std::string from = program.said().substr(program.said().find("listens on ") + 11);
    return from.substr(0, from.find('\n'));
  }
};

TEST_F(IpopNode, IntroducesAnswersAndSaysGoodbye) {
  const auto alpha = start("alpha");
  const auto beta = start("beta", {"--introducers", endpoint_of(*alpha) + ", 127.0.0.1:9"});
  ASSERT_TRUE(beta->says("connected to alpha")) << beta->said();
  ASSERT_TRUE(alpha->says("connected to beta")) << alpha->said();

  const auto shown = ask("beta", {"show"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("network          grid (10.128.0.0/16)"), HasSubstr("host             beta")));
  const auto json = ask("beta", {"show", "--json"});
  EXPECT_EQ(boost::json::parse(json.out).at("introducers").as_array().size(), 2u) << json.out;
  EXPECT_EQ(ask("alpha", {"peers", "--json"}).code, 0);
  EXPECT_EQ(ask("alpha", {"leases", "--json"}).out, "{\"leases\":[],\"reservations\":[]}\n");
  ASSERT_TRUE(alpha->says("has its place on the ring") && beta->says("has its place on the ring"));
  auto ring = boost::json::parse(ask("alpha", {"ring", "--json"}).out);
  for (int i = 0; i < 1000 && ring.at("links").as_array().empty(); ++i) {  // A report is up to 250 ms old.
    ring = boost::json::parse(ask("alpha", {"ring", "--json"}).out);
  }
  EXPECT_EQ(ring.at("links").at(0).at("host"), "beta");
  const std::string node(ring.at("node").as_string());
  const auto trace = ask("beta", {"trace", node});
  EXPECT_EQ(trace.code, 0) << trace.err;
  EXPECT_THAT(trace.out, HasSubstr(node + ": reached in 1 hop"));
  const auto crawl = boost::json::parse(ask("beta", {"crawl", "--json"}).out);
  EXPECT_EQ(crawl.at("nodes").as_array().size(), 2u);

  const auto why = boost::json::parse(ask("beta", {"why", "10.128.0.9", "--json"}).out);
  EXPECT_EQ(why.at("answers").as_array().size(), 2u) << why;
  EXPECT_TRUE(why.at("record").is_null());

  beta->signal(SIGTERM);
  EXPECT_EQ(beta->wait(), 0);
  EXPECT_TRUE(alpha->says("says goodbye")) << alpha->said();
  alpha->signal(SIGINT);
  EXPECT_EQ(alpha->wait(), 0);
}

TEST_F(IpopNode, LoadsSettingsAndPassesThemOn) {
  const auto alpha = start("alpha");
  const auto beta = start("beta", {"--introducers", endpoint_of(*alpha)});
  ASSERT_TRUE(beta->says("connected to alpha")) << beta->said();
  const std::string path = directory + "/of the grid.settings";  // Blanks are part of it.
  std::ofstream(path) << sign_settings(authority, 1764086400, R"({"mtu": 1300})").encode();
  const auto loaded = ask("alpha", {"settings-load", path, "--json"});
  EXPECT_EQ(loaded.code, 0) << loaded.err;
  EXPECT_EQ(boost::json::parse(loaded.out).at("version").to_number<uint64_t>(), 1764086400u);
  ASSERT_TRUE(beta->says("settings of 2025-11-25 16:00 UTC (version 1764086400) are in use")) << beta->said();
  boost::json::value shown;
  for (int i = 0; i < 1000; ++i) {  // A report is up to 250 ms old.
    shown = boost::json::parse(ask("beta", {"settings", "--json"}).out);
    if (shown.at("version").to_number<uint64_t>() != 0) break;
  }
  EXPECT_EQ(shown.at("mtu").to_number<int>(), 1300);

  std::ofstream(path) << sign_settings(authority, 1764086399, "{}").encode();
  const auto refused = ask("beta", {"settings-load", path});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr(path + ": it is older than the settings in use"));
  EXPECT_THAT(ask("beta", {"settings-load", directory + "/none"}).err, HasSubstr("No such file"));
}

TEST_F(IpopNode, AWrongCommandIsASentence) {
  const auto alpha = start("alpha");
  endpoint_of(*alpha);
  const auto unknown = ask("alpha", {"nonsense"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("nonsense"), HasSubstr("show, peers")));
  EXPECT_EQ(ask("alpha", {"trace", "nonsense"}).code, 1);
  EXPECT_THAT(ask("alpha", {"why", "nonsense"}).err, HasSubstr("no address of a guest"));
  EXPECT_THAT(ask("alpha", {"show", "nonsense"}).err, HasSubstr("\"nonsense\" means nothing to show"));
  EXPECT_EQ(ask("alpha", {}).code, 2);
  const auto nobody = ask("nobody", {"show"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("no ipop-node answers at"));
}

TEST_F(IpopNode, AWrongCommandLineIsASentenceAndStatusTwo) {
  const std::string good = invite("alpha");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "--invite is missing"},
      {{"--invite", good, "--listen", "nonsense"}, "--listen: \"nonsense\" is no ADDRESS:PORT"},
      {{"--invite", good, "--introducers", "example.org:1"}, "--introducers: \"example.org:1\" is no"},
      {{"--invite", good, "--nonsense"}, "--nonsense"},
      {{"--invite", good, "stray"}, "positional"},
      {{"--invite"}, "--invite"},
  };
  for (const auto& [words, sentence] : cases) {
    std::vector<std::string> all{IPOP_NODE_PATH};
    all.insert(all.end(), words.begin(), words.end());
    const auto outcome = run(all);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(sentence));
  }
}

TEST_F(IpopNode, WhatCannotWorkIsASentenceAndStatusOne) {
  const auto missing = run({IPOP_NODE_PATH, "--invite", directory + "/none.ipop"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("none.ipop: No such file or directory"));
  const auto alpha = start("alpha");
  const std::string taken = endpoint_of(*alpha);
  const auto second =
      run({IPOP_NODE_PATH, "--invite", invite("beta"), "--listen", taken, "--state-dir", directory});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr("is taken"));
}

TEST_F(IpopNode, HelpAndVersionGoToStandardOutput) {
  EXPECT_THAT(run({IPOP_NODE_PATH, "--help"}).out, HasSubstr("Usage: ipop-node --invite FILE"));
  EXPECT_THAT(run({IPOP_NODE_PATH, "--version"}).out, HasSubstr("ipop-node "));
}

}  // namespace
}  // namespace ipop
