// The real ipopctl, in a directory of its own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "overlay/crypto/authority.h"
#include "overlay/crypto/invite.h"
#include "overlay/crypto/network.h"
#include "overlay/crypto/settings.h"

namespace ipop {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void spill(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

struct Outcome {
  int code;
  std::string out, err;
};

class Ipopctl : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/ipopctl-test-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir = name;
    umask(022);  // As usual, so that modes mean something.
  }
  void TearDown() override { fs::remove_all(dir); }

  /// Without a shell; `path` is where it finds other programs.
  Outcome ipopctl(std::vector<std::string> words, const std::string& path = "/nonexistent") {
    const fs::path out = dir / ".out", err = dir / ".err";
    fs::remove(out);
    words.insert(words.begin(), IPOPCTL_PATH);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
      dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
      setenv("IPOP_DIR", (dir / "networks").c_str(), 1);
      setenv("PATH", path.c_str(), 1);
      execv(IPOPCTL_PATH, arguments.data());
      _exit(126);
    }
    int state = 0;
    waitpid(child, &state, 0);
    return {WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state), slurp(out), slurp(err)};
  }

  void make_grid() { ASSERT_EQ(ipopctl({"network", "create", "grid", "--subnet", "10.128.0.0/16"}).code, 0); }

  /// A program called ovs-appctl, in a directory for $PATH.
  std::string fake_appctl(const std::string& script) {
    const fs::path bin = dir / "bin";
    fs::create_directories(bin);
    spill(bin / "ovs-appctl", "#!/bin/sh\n" + script);
    fs::permissions(bin / "ovs-appctl", fs::perms::owner_all);
    return bin;
  }

  fs::path dir;
};

TEST_F(Ipopctl, MakesANetworkAndInvitesAHost) {
  const auto created = ipopctl({"network", "create", "grid", "--subnet", "10.128.0.0/16"});
  ASSERT_EQ(created.code, 0) << created.err;
  EXPECT_THAT(created.out, AllOf(HasSubstr("grid"), HasSubstr("10.128.0.0/16")));
  EXPECT_EQ(mode_of(dir / "networks/grid/ca.key"), 0600u);
  EXPECT_EQ(mode_of(dir / "networks/grid"), 0700u);

  const auto invited = ipopctl({"host", "invite", "grid", "alpha", "--introducer", "203.0.113.7:51128",
                                "--introducer", "[2001:db8::7]:51128", "--days", "30"});
  ASSERT_EQ(invited.code, 0) << invited.err;
  EXPECT_THAT(invited.err, IsEmpty());
  const auto invite = parse_invite(invited.out);
  ASSERT_TRUE(invite) << invite.error().text;
  EXPECT_EQ(invite->certificate.host_name(), "alpha");
  EXPECT_EQ(invite->authority.host_name(), "grid");
  EXPECT_EQ(invite->authority.addresses().front().to_string(), "10.128.0.0/16");
  EXPECT_EQ(invite->introducers.size(), 2u);
  EXPECT_EQ(invite->certificate.not_after() - invite->certificate.not_before(), 30 * 24 * 3600 + 3600);
  EXPECT_EQ(slurp(dir / "networks/grid/hosts/alpha.crt"), invite->certificate.to_pem());
}

TEST_F(Ipopctl, KeepsKeysFromOthersWhereverTheyGo) {
  make_grid();
  ASSERT_EQ(ipopctl({"host", "invite", "grid", "alpha"}).code, 0);
  EXPECT_EQ(mode_of(dir / ".out"), 0600u) << "the shell's `> alpha.ipop` makes it 0644";
  ASSERT_EQ(ipopctl({"host", "invite", "grid", "beta", "--output", dir / "beta.ipop"}).code, 0);
  EXPECT_EQ(mode_of(dir / "beta.ipop"), 0600u);
  EXPECT_TRUE(parse_invite(slurp(dir / "beta.ipop")));
}

TEST_F(Ipopctl, OverwritesNothingSilently) {
  make_grid();
  const std::string key = slurp(dir / "networks/grid/ca.key");
  const auto again = ipopctl({"network", "create", "grid", "--subnet", "10.0.0.0/8"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("exists already"));
  EXPECT_EQ(slurp(dir / "networks/grid/ca.key"), key);

  spill(dir / "alpha.ipop", "precious");
  const auto refused = ipopctl({"host", "invite", "grid", "alpha", "-o", dir / "alpha.ipop"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("exists already"));
  EXPECT_EQ(slurp(dir / "alpha.ipop"), "precious");
  EXPECT_FALSE(fs::exists(dir / "networks/grid/hosts/alpha.crt")) << "nor is anything recorded";
}

TEST_F(Ipopctl, InvitesAHostTwiceOnlyWhenToldTo) {
  make_grid();
  const auto first = ipopctl({"host", "invite", "grid", "alpha"});
  const auto second = ipopctl({"host", "invite", "grid", "alpha"});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, AllOf(HasSubstr("alpha"), HasSubstr("--replace")));
  EXPECT_THAT(second.out, IsEmpty());

  const auto third = ipopctl({"host", "invite", "grid", "alpha", "--replace"});
  EXPECT_EQ(third.code, 0);
  EXPECT_THAT(third.err, HasSubstr("still valid"));
  const auto earlier = parse_invite(first.out), later = parse_invite(third.out);
  ASSERT_TRUE(earlier && later);
  EXPECT_NE(earlier->identity.id(), later->identity.id());
  EXPECT_EQ(slurp(dir / "networks/grid/hosts/alpha.crt"), later->certificate.to_pem());
}

TEST_F(Ipopctl, LeavesNoRecordOfAnInviteThatWentNowhere) {
  make_grid();
  const auto lost =
      ipopctl({"host", "invite", "grid", "alpha", "--output", dir / "no/such/directory/alpha.ipop"});
  EXPECT_EQ(lost.code, 1);
  EXPECT_THAT(lost.err, HasSubstr("No such file or directory"));
  EXPECT_EQ(ipopctl({"host", "invite", "grid", "alpha"}).code, 0);
}

TEST_F(Ipopctl, LeavesNothingBehindBesidesWhatItNames) {
  make_grid();
  ASSERT_EQ(ipopctl({"host", "invite", "grid", "alpha"}).code, 0);
  ASSERT_EQ(ipopctl({"host", "invite", "grid", "alpha", "--replace"}).code, 0);
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir / "networks")) {
    files.push_back(fs::relative(entry.path(), dir / "networks"));
  }
  EXPECT_THAT(files, ::testing::UnorderedElementsAre("grid", "grid/ca.key", "grid/ca.crt", "grid/hosts",
                                                     "grid/hosts/alpha.crt"));
}

TEST_F(Ipopctl, ListsNetworksAndHosts) {
  EXPECT_EQ(ipopctl({"network", "list"}).code, 0) << "none yet is no failure";
  make_grid();
  const auto invite = parse_invite(ipopctl({"host", "invite", "grid", "alpha"}).out);
  ASSERT_TRUE(invite);
  const auto networks = ipopctl({"network", "list"});
  EXPECT_EQ(networks.code, 0);
  EXPECT_THAT(networks.out, AllOf(HasSubstr("grid"), HasSubstr("10.128.0.0/16"), HasSubstr(" 1 ")));
  const auto hosts = ipopctl({"host", "list", "grid"});
  EXPECT_EQ(hosts.code, 0);
  EXPECT_THAT(hosts.out, AllOf(HasSubstr("alpha"), HasSubstr(invite->identity.id().to_string()),
                               HasSubstr(invite->certificate.serial()),
                               HasSubstr(format_time(invite->certificate.not_after()))));
  const auto unknown = ipopctl({"host", "list", "lattice"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("no network lattice"));
}

TEST_F(Ipopctl, InspectsAnInviteWithoutShowingItsKey) {
  make_grid();
  const fs::path file = dir / "alpha.ipop";
  ASSERT_EQ(
      ipopctl({"host", "invite", "grid", "alpha", "--introducer", "203.0.113.7:51128", "-o", file}).code, 0);
  const auto invite = parse_invite(slurp(file));
  ASSERT_TRUE(invite);
  const std::string key = invite->identity.to_pem();

  const auto people = ipopctl({"inspect", file});
  EXPECT_EQ(people.code, 0) << people.err;
  EXPECT_THAT(people.err, IsEmpty());
  EXPECT_THAT(people.out, AllOf(HasSubstr("grid"), HasSubstr("alpha"), HasSubstr("203.0.113.7:51128"),
                                HasSubstr(invite->identity.id().to_string()),
                                HasSubstr(format_time(invite->certificate.not_after())), HasSubstr("yes")));
  const auto programs = ipopctl({"inspect", "--json", file});
  EXPECT_EQ(programs.code, 0);
  const auto object = boost::json::parse(programs.out);
  EXPECT_EQ(object.at("network"), "grid");
  EXPECT_EQ(object.at("host"), "alpha");
  EXPECT_EQ(object.at("node_id").as_string(), invite->identity.id().to_string());
  EXPECT_EQ(object.at("not_after"), invite->certificate.not_after());
  EXPECT_EQ(object.at("introducers"), boost::json::array({"203.0.113.7:51128"}));
  EXPECT_EQ(object.at("valid"), true);
  const std::string base64 = key.substr(key.find('\n') + 1, 40);
  EXPECT_THAT(people.out + programs.out, Not(HasSubstr(base64)));
}

TEST_F(Ipopctl, InspectsWhatIsWrong) {
  make_grid();
  const fs::path file = dir / "alpha.ipop";
  ASSERT_EQ(ipopctl({"host", "invite", "grid", "alpha", "-o", file}).code, 0);
  const std::string text = slurp(file);

  const auto missing = ipopctl({"inspect", dir / "beta.ipop"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("No such file"));

  spill(file, text.substr(0, text.size() - 50));
  const auto truncated = ipopctl({"inspect", file});
  EXPECT_EQ(truncated.code, 1);
  EXPECT_THAT(truncated.err, AllOf(HasSubstr("cut off"), HasSubstr("ipopctl host invite")));

  spill(file, text);
  fs::permissions(file, fs::perms(0644));
  const auto exposed = ipopctl({"inspect", file});
  EXPECT_EQ(exposed.code, 0);
  EXPECT_THAT(exposed.err, HasSubstr("chmod 600"));
}

TEST_F(Ipopctl, InspectTellsThatAnInviteExpired) {
  SeededRandom random(1);
  const Identity identity = Identity::generate(random);
  constexpr UnixSeconds kThen = 1'000'000'000;  // 2001.
  const auto authority =
      Authority::create("grid", *Ipv4Subnet::parse("10.128.0.0/16"), 36500 * 86400L, kThen, random);
  spill(dir / "old.ipop", format({identity,
                                  authority.issue("alpha", identity.public_key(), 86400, kThen),
                                  authority.certificate(),
                                  {}}));
  const auto people = ipopctl({"inspect", dir / "old.ipop"});
  EXPECT_EQ(people.code, 1);
  EXPECT_THAT(people.out, HasSubstr("no: the certificate of host alpha expired on 2001-09-10 01:46 UTC"));
  const auto object = boost::json::parse(ipopctl({"inspect", "--json", dir / "old.ipop"}).out);
  EXPECT_EQ(object.at("valid"), false);
  EXPECT_THAT(std::string(object.at("problem").as_string()), HasSubstr("expired"));
}

TEST_F(Ipopctl, SaysWhatIsWrongWithTheCommandLine) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases = {
      {{}, "Usage"},
      {{"frobnicate"}, "there is no command \"frobnicate\""},
      {{"network", "destroy"}, "\"network destroy\""},
      {{"network", "create"}, "NAME is missing"},
      {{"network", "create", "grid"}, "--subnet is missing"},
      {{"network", "create", "grid", "--subnet", "10.128.0.1/16"}, "zeros in the host part"},
      {{"network", "create", "grid", "--subnet", "ten"}, "is not a subnet"},
      {{"network", "create", "grid", "--subnet", "10.0.0.0/7"}, "between 8 and 29"},
      {{"network", "create", "grid", "--subnet", "10.0.0.0/30"}, "between 8 and 29"},
      {{"network", "create", "grid", "--subnet", "8.8.8.0/24"}, "--allow-public"},
      {{"network", "create", "grid", "--subnet", "127.0.0.0/8", "--allow-public"}, "no guest could use"},
      {{"network", "create", "grid", "--subnet", "224.0.0.0/8", "--allow-public"}, "no guest could use"},
      {{"network", "create", "Grid", "--subnet", "10.0.0.0/8"}, "cannot be a DNS name"},
      {{"network", "create", "../grid", "--subnet", "10.0.0.0/8"}, "cannot be a DNS name"},
      {{"network", "create", "grid", "--subnet", "10.0.0.0/8", "--days", "0"}, "--days"},
      {{"network", "create", "grid", "--subnet", "10.0.0.0/8", "--days", "many"}, "--days"},
      {{"network", "create", "grid", "--subnet", "10.0.0.0/8", "--colour", "red"}, "--colour"},
      {{"network", "create", "grid", "x", "--subnet", "10.0.0.0/8"}, "too many positional"},
      {{"network", "sign-settings", "grid"}, "FILE is missing"},
      {{"host", "invite", "grid"}, "HOST is missing"},
      {{"host", "invite", "grid", "alpha", "--introducer", "203.0.113.7"}, "is not an introducer"},
      {{"host", "invite", "grid", "alpha", "--introducer", ":51128"}, "is not an introducer"},
      {{"inspect"}, "FILE is missing"},
  };
  for (const auto& [words, message] : cases) {
    const auto outcome = ipopctl(words);
    EXPECT_EQ(outcome.code, 2) << ::testing::PrintToString(words);
    EXPECT_THAT(outcome.err, HasSubstr(message)) << ::testing::PrintToString(words);
    EXPECT_THAT(outcome.out, IsEmpty());
  }
  EXPECT_FALSE(fs::exists(dir / "networks")) << "nothing came of any of them";
}

TEST_F(Ipopctl, TakesAPublicSubnetWhenToldTo) {
  EXPECT_EQ(ipopctl({"network", "create", "grid", "--subnet", "203.0.113.0/24", "--allow-public"}).code, 0);
}

TEST_F(Ipopctl, HelpsWithEveryVerb) {
  const auto general = ipopctl({"--help"});
  EXPECT_EQ(general.code, 0);
  const std::vector<std::vector<std::string>> verbs = {{"network", "create"},
                                                       {"network", "list"},
                                                       {"network", "sign-settings"},
                                                       {"host", "invite"},
                                                       {"host", "list"},
                                                       {"inspect"},
                                                       {"status"}};
  for (std::vector<std::string> words : verbs) {
    const std::string verb = words.size() == 1 ? words[0] : words[0] + " " + words[1];
    EXPECT_THAT(general.out, HasSubstr("ipopctl " + verb));
    words.push_back("--help");
    const auto help = ipopctl(words);
    EXPECT_EQ(help.code, 0) << verb;
    EXPECT_THAT(help.out,
                AllOf(HasSubstr("Usage: ipopctl " + verb), HasSubstr("Options:"), HasSubstr("Example:")));
  }
  EXPECT_THAT(ipopctl({"--version"}).out, ::testing::StartsWith("ipopctl "));
}

TEST_F(Ipopctl, ReportsDamageToItsOwnFiles) {
  make_grid();
  spill(dir / "networks/grid/ca.crt", "junk");
  const auto outcome = ipopctl({"host", "invite", "grid", "alpha"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("damaged"));
}

TEST_F(Ipopctl, SignsSettings) {
  make_grid();
  const auto network = Network::from_authority(*Certificate::from_pem(slurp(dir / "networks/grid/ca.crt")));
  ASSERT_TRUE(network);
  const std::string document = "{\n  \"mtu\": 1300\n}\n";
  spill(dir / "grid.json", document);
  uint64_t last = 0;
  for (int i = 0; i < 3; ++i) {  // Within one second, most likely.
    const auto signed_ = ipopctl({"network", "sign-settings", "grid", dir / "grid.json"});
    ASSERT_EQ(signed_.code, 0) << signed_.err;
    const auto settings = wire::SignedSettings::decode(signed_.out);
    ASSERT_TRUE(settings) << signed_.out;
    EXPECT_EQ(settings->document, document);
    EXPECT_TRUE(check_settings(*network, *settings));
    EXPECT_GT(settings->version, last) << "always newer";
    last = settings->version;
    EXPECT_EQ(slurp(dir / "networks/grid/settings"), signed_.out);
  }
  EXPECT_GE(last, 1'700'000'000u) << "a time";
  const fs::path out = dir / "grid.settings";
  EXPECT_EQ(ipopctl({"network", "sign-settings", "grid", dir / "grid.json", "--output", out}).code, 0);
  EXPECT_EQ(slurp(out), slurp(dir / "networks/grid/settings"));
  const auto again = ipopctl({"network", "sign-settings", "grid", dir / "grid.json", "--output", out});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("exists already"));
}

TEST_F(Ipopctl, SignsNoSettingsThatHostsWouldRefuse) {
  make_grid();
  spill(dir / "grid.json", R"({"pool": ["10.129.0.0-10.129.0.9"]})");
  const auto wrong = ipopctl({"network", "sign-settings", "grid", dir / "grid.json"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("grid.json: pool[0]: "), HasSubstr("10.128.0.2-10.128.255.254")));
  EXPECT_THAT(wrong.out, IsEmpty());
  EXPECT_FALSE(fs::exists(dir / "networks/grid/settings"));
  spill(dir / "grid.json", "{}" + std::string(32 * 1024, ' '));
  EXPECT_THAT(ipopctl({"network", "sign-settings", "grid", dir / "grid.json"}).err, HasSubstr("longer than"));
  spill(dir / "grid.json", "{}");
  EXPECT_THAT(ipopctl({"network", "sign-settings", "mesh", dir / "grid.json"}).err,
              HasSubstr("there is no network mesh"));
  spill(dir / "networks/grid/settings", "noise");
  EXPECT_THAT(ipopctl({"network", "sign-settings", "grid", dir / "grid.json"}).err,
              HasSubstr("no file of settings"));
}

TEST_F(Ipopctl, StatusAsksTheSwitch) {
  const auto path = fake_appctl("echo \"asked: $*\"\n");
  EXPECT_EQ(ipopctl({"status"}, path).out, "asked: -t ovs-vswitchd ipop/show\n");
  EXPECT_EQ(ipopctl({"status", "ipop0", "--json"}, path).out,
            "asked: -t ovs-vswitchd ipop/show --json ipop0\n");
}

TEST_F(Ipopctl, StatusExplainsWhyThereIsNone) {
  const auto nowhere = ipopctl({"status"});
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("ovs-appctl is not installed"));

  const auto no_daemon =
      ipopctl({"status"},
              fake_appctl("echo 'ovs-appctl: cannot read pidfile \"/run/ovs-vswitchd.pid\"' >&2; exit 1\n"));
  EXPECT_EQ(no_daemon.code, 1);
  EXPECT_THAT(no_daemon.err, HasSubstr("ovs-vswitchd does not run here"));

  const auto stock = ipopctl(
      {"status"},
      fake_appctl("echo '\"ipop/show\" is not a valid command (use \"list-commands\")' >&2; exit 2\n"));
  EXPECT_EQ(stock.code, 1);
  EXPECT_THAT(stock.err, HasSubstr("update-alternatives"));

  const auto other = ipopctl({"status", "x"}, fake_appctl("echo 'no IPOP port x' >&2; exit 2\n"));
  EXPECT_EQ(other.code, 1);
  EXPECT_EQ(other.err, "ipopctl: no IPOP port x\n");
}

}  // namespace
}  // namespace ipop
