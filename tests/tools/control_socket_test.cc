// Server and client of one process, on a real socket.
#include "overlay/tools/control_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

namespace ipop {
namespace {

struct ControlSocket : testing::Test {
  ControlSocket() {
    std::string pattern = testing::TempDir() + "ipop-XXXXXX";
    directory = mkdtemp(pattern.data());
    path = directory + "/control";
  }
  ~ControlSocket() override { std::filesystem::remove_all(directory); }

  ControlServer open() {
    auto server = ControlServer::open(path);
    EXPECT_TRUE(server) << server.error().text;
    return std::move(*server);
  }

  /// Serves until a command comes.
  static ControlServer::Command next_command(ControlServer& server) {
    while (true) {
      std::vector<pollfd> entries;
      server.wait(entries);
      EXPECT_GT(poll(entries.data(), entries.size(), 10'000), 0);
      server.run();
      if (auto command = server.poll_command()) return *command;
    }
  }

  /// What a client gets that asks `command`, when the server answers `answer`.
  Result<std::string, Problem> exchange(ControlServer& server, const std::string& command,
                                        const Result<std::string, Problem>& answer) {
    auto client = std::async(std::launch::async, [&] { return ask_control_socket(path, command); });
    const auto asked = next_command(server);
    EXPECT_EQ(asked.line, command);
    server.reply(asked.client, answer);
    while (client.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      std::vector<pollfd> entries;
      server.wait(entries);
      poll(entries.data(), entries.size(), 10);
      server.run();
    }
    return client.get();
  }

  /// A client that says `text` and then waits.
  Descriptor connect_and_say(std::string_view text) {
    Descriptor out(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(connect(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(send(out.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    return out;
  }

  std::string directory;
  std::string path;
};

TEST_F(ControlSocket, CarriesACommandAndItsAnswer) {
  ControlServer server = open();
  const std::string large(1'000'000, 'x');  // Larger than any socket's buffer.
  for (const std::string& text : {std::string("one\ntwo\n"), std::string(), large}) {
    const auto answer = exchange(server, "show --json", text);
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(*answer, text);
  }
  const auto refused = exchange(server, "nonsense", Problem{"there is no such command"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "there is no such command");
}

TEST_F(ControlSocket, ServesOthersWhileSomeWait) {
  ControlServer server = open();
  const Descriptor silent = connect_and_say("");
  const Descriptor slow = connect_and_say("trace\n");
  const auto waiting = next_command(server);
  EXPECT_EQ(waiting.line, "trace");
  EXPECT_TRUE(exchange(server, "peers", std::string("none\n")));
  server.reply(waiting.client, std::string("done\n"));
  char buffer[16];
  EXPECT_EQ(std::string(buffer, static_cast<size_t>(recv(slow.get(), buffer, sizeof buffer, 0))),
            "ok\ndone\n");
}

TEST_F(ControlSocket, ForgetsWhoIsGoneAndWhoTalksTooMuch) {
  ControlServer server = open();
  uint64_t gone = 0;
  {
    const Descriptor client = connect_and_say("trace\n");
    gone = next_command(server).client;
  }
  server.run();
  server.reply(gone, std::string("too late"));
  const Descriptor endless = connect_and_say(std::string(ControlServer::kMaxCommand + 1, 'x'));
  server.run();
  std::vector<pollfd> entries;
  server.wait(entries);
  EXPECT_EQ(entries.size(), 1u) << "the listener alone";
}

TEST_F(ControlSocket, TakesThePlaceOfTheOldestWhenThereAreTooMany) {
  ControlServer server = open();
  std::vector<Descriptor> clients;
  for (size_t i = 0; i < ControlServer::kMaxClients + 3; ++i) {
    clients.push_back(connect_and_say(""));
    server.run();
  }
  std::vector<pollfd> entries;
  server.wait(entries);
  EXPECT_EQ(entries.size(), 1 + ControlServer::kMaxClients);
  EXPECT_TRUE(exchange(server, "show", std::string("x")));
}

TEST_F(ControlSocket, IsItsOwnersAlone) {
  const ControlServer server = open();
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(ControlSocket, ReplacesADeadSocketAndNothingElse) {
  {
    const Descriptor dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  {
    const ControlServer server = open();
    const auto second = ControlServer::open(path);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().text.find("in use"), std::string::npos) << second.error().text;
  }
  EXPECT_FALSE(std::filesystem::exists(path)) << "removed with its server";
  std::ofstream(path) << "precious";
  EXPECT_FALSE(ControlServer::open(path));
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(ControlServer::open(std::string(200, 'x')));
}

TEST_F(ControlSocket, AServerThatIsNotThereIsASentence) {
  const auto answer = ask_control_socket(path, "show");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text, "no ipop-node answers at " + path + ": No such file or directory");
}

}  // namespace
}  // namespace ipop
