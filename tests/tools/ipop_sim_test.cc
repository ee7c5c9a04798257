// The real ipop-sim, in a directory of its own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace ipop {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Outcome {
  int code;
  std::string out, err;
};

class IpopSim : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/ipop-sim-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir = name;
    std::ofstream(dir / "pair.json")
        << R"({"about": "Two nodes meet.", "phases": [{"do": "start", "nodes": 2},
                {"do": "settle", "within_s": 10, "figure": "converged_s"}],
               "plot": {"kind": "line", "of": "right", "title": "A pair", "x": "seconds", "y": "share"}})";
  }
  void TearDown() override { fs::remove_all(dir); }

  Outcome ipop_sim(std::vector<std::string> words) {
    const fs::path out = dir / ".out", err = dir / ".err";
    words.insert(words.begin(), IPOP_SIM_PATH);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
      dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
      setenv("IPOP_SCENARIOS", dir.c_str(), 1);
      execv(IPOP_SIM_PATH, arguments.data());
      _exit(126);
    }
    int state = 0;
    waitpid(child, &state, 0);
    return {WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state), slurp(out), slurp(err)};
  }

  fs::path dir;
};

TEST_F(IpopSim, RunsAScenarioByNameAndWritesWhatItFoundOut) {
  const auto ran = ipop_sim({"pair", "--seed", "7", "--json", dir / "out.json", "--plot", dir / "out.svg"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, IsEmpty());
  EXPECT_THAT(ran.out, HasSubstr("pair, seed 7\n"));
  EXPECT_THAT(ran.out, HasSubstr("converged_s"));
  const auto json = boost::json::parse(slurp(dir / "out.json")).as_object();
  EXPECT_EQ(json.at("scenario"), "pair");
  EXPECT_EQ(json.at("seed").to_number<int>(), 7);
  EXPECT_EQ(json.at("nodes").to_number<int>(), 2);
  EXPECT_EQ(json.at("invariant_violations").to_number<int>(), 0);
  for (const auto& [key, value] : json) EXPECT_TRUE(value.is_primitive()) << "flat, but for " << key;
  for (const char* name : {"converged_s", "events", "virtual_s", "wall_s", "rss_gb", "heap_kb_max"}) {
    ASSERT_TRUE(json.contains(name)) << name;
    EXPECT_GT(json.at(name).to_number<double>(), 0) << name;
  }
  EXPECT_THAT(slurp(dir / "out.svg"), HasSubstr(">A pair<"));
}

TEST_F(IpopSim, RunsOneAboutAGuestThatMoves) {
  std::ofstream(dir / "move.json") << R"({"moves": {"hosts": 5, "talkers": 2, "moves": 3}})";
  const auto ran = ipop_sim({"move", "--json", dir / "out.json", "--plot", dir / "out.svg"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto json = boost::json::parse(slurp(dir / "out.json")).as_object();
  EXPECT_EQ(json.at("moves").to_number<int>(), 3);
  EXPECT_EQ(json.at("frozen").to_number<int>(), 0);
  EXPECT_THAT(slurp(dir / "out.svg"), HasSubstr(">round trips<"));
}

TEST_F(IpopSim, TheSameSeedWritesTheSameFile) {
  const auto run = [&](const char* seed) {
    EXPECT_EQ(
        ipop_sim({dir / "pair.json", "--seed", seed, "--reproducible", "--json", dir / "out.json"}).code, 0);
    return slurp(dir / "out.json");
  };
  const std::string first = run("7");
  EXPECT_EQ(run("7"), first);
  EXPECT_NE(run("8"), first);
  EXPECT_THAT(first, Not(HasSubstr("wall_s")));
}

TEST_F(IpopSim, ARangeOfSeedsIsAnArray) {
  const auto ran = ipop_sim({"pair", "--seeds", "3-5", "--json", dir / "out.json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto json = boost::json::parse(slurp(dir / "out.json")).as_array();
  ASSERT_EQ(json.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(json[i].at("seed").to_number<int>(), 3 + i);
}

// Where all replicas lie, guests are given one address.
TEST_F(IpopSim, ViolationsAreNamedAndTheExitStatus) {
  std::ofstream(dir / "liars.json")
      << R"({"about": "Nobody is honest.", "latency": "uniform", "subnet": "10.128.0.0/27",
              "leases": {"hosts": 12, "guests": 24, "liars": 12, "settle_s": 440, "s": 120, "pause_s": 5}})";
  const auto ran = ipop_sim({dir / "liars.json", "--seeds", "4-12", "--json", dir / "out.json"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("is held by two guests of one partition"));
  int violations = 0;
  const auto runs = boost::json::parse(slurp(dir / "out.json")).as_array();
  for (const auto& figures : runs) {
    violations += figures.at("violations").to_number<int>();
  }
  EXPECT_GT(violations, 0) << "the figures are written all the same";
}

TEST_F(IpopSim, ListsTheScenariosThereAre) {
  const auto listed = ipop_sim({"--list"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("pair\n    Two nodes meet.\n"));
  for (const char* name : {"join-600", "cold-256", "steady-10k", "bindings-10k", "kill-half", "churn",
                           "pairs-70", "partition-3", "partition-short", "restart-1000", "leases", "moves"}) {
    EXPECT_THAT(listed.out, HasSubstr(std::string(name) + "\n")) << "and it can be read";
  }
}

TEST_F(IpopSim, SaysWhatIsWrongWithACommandLine) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{}, "SCENARIO is missing"},
      {{"pear"}, "there is no scenario \"pear\""},
      {{"./pear.json"}, "pear.json"},
      {{"pair", "--seed", "x"}, "seed"},
      {{"pair", "--seeds", "5-3"}, "--seeds must be two numbers"},
      {{"pair", "--seeds", "1-2x"}, "--seeds must be two numbers"},
      {{"pair", "pair"}, "too many positional"},
      {{"pair", "--speed", "9"}, "--speed"},
  };
  for (const auto& [words, sentence] : cases) {
    const auto ran = ipop_sim(words);
    EXPECT_EQ(ran.code, 2) << sentence;
    EXPECT_THAT(ran.err, HasSubstr(sentence));
    EXPECT_THAT(ran.out, IsEmpty());
  }
}

TEST_F(IpopSim, SaysWhatIsWrongWithAScenario) {
  std::ofstream(dir / "bad.json") << R"({"phases": [{"do": "dance"}]})";
  const auto ran = ipop_sim({dir / "bad.json"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("bad.json: \"phases\" number 1 cannot do \"dance\""));
}

TEST_F(IpopSim, FailsWhereItCannotWrite) {
  const auto ran = ipop_sim({"pair", "--json", dir / "nowhere/out.json"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("nowhere/out.json"));
}

TEST_F(IpopSim, HelpsWithoutBeingRun) {
  EXPECT_THAT(ipop_sim({"--help"}).out, HasSubstr("Usage: ipop-sim SCENARIO"));
  EXPECT_THAT(ipop_sim({"--version"}).out, testing::StartsWith("ipop-sim "));
}

}  // namespace
}  // namespace ipop
