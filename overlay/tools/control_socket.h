// The control socket of ipop-node, both ends: a UNIX stream socket that carries one command each connection.
//
// The client sends a line, "ring --json".  The server answers "ok" or "error", a line end, and a text up to
// the end of the stream.  Only whoever may write to the socket's file, its owner, may ask.
#pragma once

#include <poll.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/io/system.h"

namespace ipop {

/// Never blocks.  One thread.
class ControlServer {
 public:
  /// More clients than people have hands; one more takes the place of the oldest.
  static constexpr size_t kMaxClients = 16;
  static constexpr size_t kMaxCommand = 256;  ///< Octets.

  /// Listens at `path`.  A socket that nobody listens to any more is replaced.
  static Result<ControlServer, Problem> open(const std::string& path);
  ControlServer(ControlServer&&) = default;
  ~ControlServer();

  /// Appends what to wait for.
  void wait(std::vector<pollfd>& entries) const;
  /// Accepts, reads and writes as far as possible.
  void run();

  struct Command {
    uint64_t client;
    std::string line;  ///< Without its end.
  };
  std::optional<Command> poll_command();
  /// A client that is gone by now is no error.
  void reply(uint64_t client, const Result<std::string, Problem>& answer);

 private:
  struct Client {
    Descriptor socket;
    std::string in;
    std::string out;
    enum class State { Asking, Waiting, Listening } state = State::Asking;
  };

  ControlServer(std::string path, Descriptor listener)
      : path_(std::move(path)), listener_(std::move(listener)) {}
  void accept_all();
  static bool read_from(Client& client);
  static bool write_to(Client& client);

  std::string path_;
  Descriptor listener_;
  uint64_t next_client_ = 1;
  std::map<uint64_t, Client> clients_;  ///< The oldest first.
};

/// Asks the server at `path` and waits for its whole answer.
Result<std::string, Problem> ask_control_socket(const std::string& path, const std::string& command);

}  // namespace ipop
