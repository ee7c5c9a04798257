// The hook as libvirt runs it: a process with pipes for stdin, stdout and stderr.  The ovs-vsctl and nft that
// it finds are ours and write down what they are asked.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "libvirt-hook/domain.h"
#include "tests/libvirt-hook/recorded.h"

namespace ipop::hook {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto kPromise = 5s;  // "Never blocks over 5 s."

struct Ending {
  int status = -1;
  std::string out, err;
  std::chrono::steady_clock::duration took{};
};

class HookProgram : public testing::Test {
 protected:
  HookProgram() {
    std::string name = testing::TempDir() + "hook-XXXXXX";
    folder_ = mkdtemp(name.data());
    std::filesystem::copy(data("switch-before.json"), folder_ / "switch");
    std::filesystem::copy(data("guards.json"), folder_ / "guards");
    fake("ovs-vsctl", "case \"$*\" in *'list Bridge'*) cat " + path("switch") + ";; esac");
    fake("nft", "case \"$*\" in *list*) cat " + path("guards") + ";; esac");
  }
  ~HookProgram() override { std::filesystem::remove_all(folder_); }

  // Puts a program into the PATH of the hook.  It notes its arguments, then does what `script` says.
  void fake(const std::string& program, const std::string& script) {
    const auto file = folder_ / "bin" / program;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << "#!/bin/sh\nPATH=/usr/bin:/bin\necho \"" << program << " $*\" >> " << path("asked")
                        << "\n"
                        << script << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  // Runs the hook, feeds it `xml`, and waits for the end of its stdout and stderr as libvirt does: whatever
  // keeps those open keeps libvirt waiting.
  Ending run(std::vector<std::string> arguments, const std::string& xml, bool close_stdin = true) {
    int in[2], out[2], err[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC | O_NONBLOCK) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    fcntl(in[0], F_SETFL, 0);  // O_NONBLOCK is for our end only.

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[0], 0);
    posix_spawn_file_actions_adddup2(&files, out[1], 1);
    posix_spawn_file_actions_adddup2(&files, err[1], 2);
    arguments.insert(arguments.begin(), IPOP_HOOK_PATH);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string search = "PATH=" + path("bin");
    char* environment[] = {search.data(), nullptr};

    const auto start = std::chrono::steady_clock::now();
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, IPOP_HOOK_PATH, &files, nullptr, argv.data(), environment), 0);
    posix_spawn_file_actions_destroy(&files);
    for (const int fd : {in[0], out[1], err[1]}) close(fd);

    Ending ending;
    converse(in[1], out[0], err[0], xml, close_stdin, ending);
    EXPECT_EQ(waitpid(pid, &ending.status, 0), pid);
    ending.took = std::chrono::steady_clock::now() - start;
    return ending;
  }

  std::string asked() const {
    std::ifstream file(folder_ / "asked");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  static std::string data(const std::string& name) {
    return std::string(IPOP_SOURCE_DIR) + "/tests/libvirt-hook/data/" + name;
  }

  static void converse(int in, int out, int err, std::string_view xml, bool close_stdin, Ending& ending) {
    signal(SIGPIPE, SIG_IGN);
    pollfd polled[] = {{in, POLLOUT, 0}, {out, POLLIN, 0}, {err, POLLIN, 0}};
    const int held = close_stdin ? -1 : dup(in);
    while (polled[1].fd >= 0 || polled[2].fd >= 0) {
      if (poll(polled, 3, -1) < 0) continue;
      if (polled[0].fd >= 0 && polled[0].revents) {
        const ssize_t n = write(in, xml.data(), xml.size());
        xml.remove_prefix(n > 0 ? static_cast<size_t>(n) : xml.size());
        if (xml.empty()) close(std::exchange(polled[0].fd, -1));
      }
      for (int i = 1; i <= 2; ++i) {
        if (polled[i].fd < 0 || !polled[i].revents) continue;
        char buffer[4096];
        const ssize_t n = read(polled[i].fd, buffer, sizeof buffer);
        if (n > 0) (i == 1 ? ending.out : ending.err).append(buffer, static_cast<size_t>(n));
        if (n <= 0) close(std::exchange(polled[i].fd, -1));
      }
    }
    if (polled[0].fd >= 0) close(polled[0].fd);
    if (held >= 0) close(held);
  }

  std::filesystem::path folder_;
};

void expect_success(const Ending& ending) {
  EXPECT_TRUE(WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0) << "status " << ending.status;
  EXPECT_EQ(ending.out, "") << "libvirt would take it for XML";
  EXPECT_LT(ending.took, kPromise);
}

// The loopback device plays the tap: every host has one.
std::string marked_loopback() {
  std::string xml = recorded("marked-started.xml");
  xml.replace(xml.find("vnet1"), 5, "lo");
  return xml;
}

TEST_F(HookProgram, AttachesAMarkedNicAndGuardsIt) {
  expect_success(run({"marked", "started", "begin", "-"}, marked_loopback()));
  EXPECT_THAT(
      asked(),
      HasSubstr("ovs-vsctl --timeout=2 --no-wait -- --if-exists del-port lo -- add-port br-ipop lo -- "
                "set Interface lo external_ids:attached-mac=\"52:54:00:00:02:01\""));
  EXPECT_THAT(asked(),
              HasSubstr("add chain netdev ipop_guests guard-lo { type filter hook ingress device \"lo\""));
}

TEST_F(HookProgram, DetachesAtRelease) {
  std::filesystem::copy(std::string(IPOP_SOURCE_DIR) + "/tests/libvirt-hook/data/switch-attached.json",
                        path("switch"), std::filesystem::copy_options::overwrite_existing);
  expect_success(run({"marked", "release", "end", "-"}, recorded("marked-release.xml")));
  EXPECT_THAT(asked(), HasSubstr("remove Bridge br-ipop ports c57eee71-ff81-4eff-b914-9ff2d1a1f348"));
  EXPECT_THAT(asked(), HasSubstr("remove Bridge br-ipop ports f6856d36-1c6f-4272-98f1-f2ca5e7b9b96"));
}

TEST_F(HookProgram, AGuardWhoseLeftOverIsGoneIsAddedWithoutIt) {
  std::ofstream(path("guards")) << R"({"nftables": [{"chain": {"family": "netdev", "table": "ipop_guests",
                                       "name": "guard-lo", "handle": 77}}]})";
  fake("nft", "case \"$*\" in *list*) cat " + path("guards") + ";; *'handle 77'*) exit 1;; esac");
  expect_success(run({"marked", "started", "begin", "-"}, marked_loopback()));
  EXPECT_THAT(asked(),
              HasSubstr("nft add table netdev ipop_guests ; delete chain netdev ipop_guests handle 77"));
  EXPECT_THAT(asked(), HasSubstr("nft add table netdev ipop_guests ; add chain netdev ipop_guests guard-lo"));
}

TEST_F(HookProgram, AsksNothingForEventsThatAreNoneOfItsBusiness) {
  for (const char* operation : {"start", "stopped", "migrate", "restore", "made-up"}) {
    expect_success(run({"marked", operation, "begin", "-"}, recorded("marked-started.xml")));
  }
  expect_success(run({}, ""));
  expect_success(run({"marked"}, recorded("marked-started.xml")));
  EXPECT_EQ(asked(), "");
}

TEST_F(HookProgram, OddXmlChangesNothingInTheSwitch) {
  std::string injection = marked_loopback();
  injection.replace(injection.find("'lo'"), 4, "'lo&quot; ; reboot'");
  for (const std::string& xml :
       {std::string(), std::string("<domain"), std::string(5 << 20, '<'), injection}) {
    const Ending ending = run({"vm\n; reboot", "started", "begin", "-"}, xml);
    expect_success(ending);
    EXPECT_THAT(ending.err, Not(IsEmpty())) << "it should say why";
  }
  EXPECT_THAT(asked(), Not(HasSubstr("add-port")));
  EXPECT_THAT(asked(), Not(HasSubstr("reboot")));
}

TEST_F(HookProgram, AMissingSwitchIsSaidAndSurvived) {
  std::filesystem::remove_all(path("bin"));
  const Ending ending = run({"marked", "started", "begin", "-"}, recorded("marked-started.xml"));
  expect_success(ending);
  EXPECT_THAT(ending.err, HasSubstr("ovs-vsctl: No such file or directory"));
}

TEST_F(HookProgram, AFailingSwitchIsQuoted) {
  fake("ovs-vsctl",
       "echo 'ovs-vsctl: unix:/run/openvswitch/db.sock: database connection failed' >&2; exit 1");
  const Ending ending = run({"marked", "started", "begin", "-"}, recorded("marked-started.xml"));
  expect_success(ending);
  EXPECT_THAT(ending.err, HasSubstr("database connection failed"));
}

TEST_F(HookProgram, AHangingSwitchDoesNotHangLibvirt) {
  fake("ovs-vsctl", "sleep 60");
  expect_success(run({"marked", "started", "begin", "-"}, recorded("marked-started.xml")));
}

TEST_F(HookProgram, NeitherDoesASwitchThatHangsWithItsOutputClosed) {
  fake("ovs-vsctl", "exec >/dev/null 2>&1; sleep 60");
  fake("nft", "trap '' TERM; sleep 60");
  expect_success(run({"marked", "reconnect", "begin", "-"}, recorded("marked-reconnect.xml")));
}

TEST_F(HookProgram, ASwitchThatNeverStopsTalkingIsCutShort) {
  fake("ovs-vsctl", "cat /dev/zero");
  expect_success(run({"marked", "started", "begin", "-"}, recorded("marked-started.xml")));
}

TEST_F(HookProgram, AStdinThatNeverEndsDoesNotHangLibvirt) {
  expect_success(run({"marked", "started", "begin", "-"}, recorded("marked-started.xml"), false));
}

TEST_F(HookProgram, ExitsWithSuccessWhenItsWorkerIsKilled) {
  fake("ovs-vsctl", "kill -KILL $PPID");
  const Ending ending = run({"marked", "reconnect", "begin", "-"}, recorded("marked-reconnect.xml"));
  expect_success(ending);
  EXPECT_THAT(ending.err, HasSubstr("ended by signal 9"));
}

TEST_F(HookProgram, ExitsWithSuccessWhenItIsTerminatedItself) {
  fake("ovs-vsctl",
       "read -r pid name state supervisor rest </proc/$PPID/stat; kill -TERM $supervisor; sleep 60");
  expect_success(run({"marked", "reconnect", "begin", "-"}, recorded("marked-reconnect.xml")));
}

}  // namespace
}  // namespace ipop::hook
