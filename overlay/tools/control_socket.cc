#include "overlay/tools/control_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <string_view>

namespace ipop {
namespace {

constexpr std::string_view kOk = "ok\n";
constexpr std::string_view kError = "error\n";

Result<sockaddr_un, Problem> address_of(const std::string& path) {
  sockaddr_un out{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.empty() || path.size() >= sizeof out.sun_path) {
    return Problem{"\"" + path + "\" is no path of a socket: it must have 1 to " +
                   std::to_string(sizeof out.sun_path - 1) + " octets"};
  }
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

Descriptor connect_to(const sockaddr_un& address) {
  Descriptor out(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    out = Descriptor();
    errno = error;
  }
  return out;
}

bool is_later(ssize_t n) { return n < 0 && (errno == EAGAIN || errno == EINTR); }

}  // namespace

Result<ControlServer, Problem> ControlServer::open(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  struct stat status;
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return Problem{path + " is there already, and is no socket"};
    if (connect_to(*address).is_open()) return Problem{path + " is in use by another program"};
    unlink(path.c_str());  // Of a process that was killed.
  }
  Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const mode_t before = umask(0177);  // The socket is never there with more rights than 0600.
  const int bound = bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int error = errno;
  umask(before);
  if (bound != 0) return Problem{"cannot listen on " + path + ": " + error_text(error)};
  if (listen(listener.get(), kMaxClients) != 0) {
    return Problem{"cannot listen on " + path + ": " + error_text(errno)};
  }
  return ControlServer(path, std::move(listener));
}

ControlServer::~ControlServer() {
  if (listener_.is_open()) unlink(path_.c_str());
}

void ControlServer::wait(std::vector<pollfd>& entries) const {
  entries.push_back({.fd = listener_.get(), .events = POLLIN, .revents = 0});
  for (const auto& [id, client] : clients_) {
    short events = 0;  // Of a client that waits: only that it is gone.
    if (client.state == Client::State::Asking) events = POLLIN;
    if (client.state == Client::State::Listening) events = POLLOUT;
    entries.push_back({.fd = client.socket.get(), .events = events, .revents = 0});
  }
}

void ControlServer::run() {
  accept_all();
  for (auto entry = clients_.begin(); entry != clients_.end();) {
    const bool stays = read_from(entry->second) && write_to(entry->second);
    entry = stays ? std::next(entry) : clients_.erase(entry);
  }
}

void ControlServer::accept_all() {
  while (true) {
    Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.is_open()) return;
    if (clients_.size() == kMaxClients) clients_.erase(clients_.begin());
    clients_.emplace(next_client_++, Client{.socket = std::move(socket), .in = {}, .out = {}});
  }
}

/// False if the client is gone, or talks nonsense.  One that has asked may end its side of the stream.
bool ControlServer::read_from(Client& client) {
  if (client.state != Client::State::Asking) {
    pollfd entry{.fd = client.socket.get(), .events = 0, .revents = 0};
    return poll(&entry, 1, 0) == 0;
  }
  char buffer[kMaxCommand];
  while (true) {
    const ssize_t n = recv(client.socket.get(), buffer, sizeof buffer, 0);
    if (n == 0) return client.in.find('\n') != std::string::npos;
    if (n < 0) return is_later(n);
    client.in.append(buffer, static_cast<size_t>(n));
    if (client.in.size() > kMaxCommand) return false;
  }
}

/// False if all is said.
bool ControlServer::write_to(Client& client) {
  if (client.state != Client::State::Listening) return true;
  while (!client.out.empty()) {
    const ssize_t n = send(client.socket.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (n < 0) return is_later(n);
    client.out.erase(0, static_cast<size_t>(n));
  }
  return false;
}

std::optional<ControlServer::Command> ControlServer::poll_command() {
  for (auto& [id, client] : clients_) {
    const size_t end = client.in.find('\n');
    if (client.state != Client::State::Asking || end == std::string::npos) continue;
    client.state = Client::State::Waiting;
    return Command{.client = id, .line = client.in.substr(0, end)};
  }
  return std::nullopt;
}

void ControlServer::reply(uint64_t client, const Result<std::string, Problem>& answer) {
  const auto entry = clients_.find(client);
  if (entry == clients_.end()) return;
  entry->second.state = Client::State::Listening;
  entry->second.out = answer ? std::string(kOk) + *answer : std::string(kError) + answer.error().text + "\n";
  if (!write_to(entry->second)) clients_.erase(entry);
}

Result<std::string, Problem> ask_control_socket(const std::string& path, const std::string& command) {
  const auto address = address_of(path);
  if (!address) return address.error();
  const Descriptor socket = connect_to(*address);
  if (!socket.is_open()) {
    return Problem{"no ipop-node answers at " + path + ": " + error_text(errno)};
  }
  const std::string line = command + "\n";  // Shorter than any socket's buffer.
  if (send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return Problem{"cannot ask " + path + ": " + error_text(errno)};
  }
  std::string out;
  char buffer[4096];
  for (ssize_t n; (n = recv(socket.get(), buffer, sizeof buffer, 0)) != 0;) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Problem{"cannot read from " + path + ": " + error_text(errno)};
    out.append(buffer, static_cast<size_t>(n));
  }
  if (out.starts_with(kOk)) return out.substr(kOk.size());
  if (!out.starts_with(kError)) return Problem{"the ipop-node at " + path + " ended without an answer"};
  out.erase(0, kError.size());
  while (out.ends_with('\n')) out.pop_back();
  return Problem{out};
}

}  // namespace ipop
