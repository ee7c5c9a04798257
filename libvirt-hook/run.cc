#include "libvirt-hook/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "libvirt-hook/names.h"

namespace ipop::hook {
namespace {

constexpr size_t kLargestOutput = 16 << 20;  // A listing of some 20 000 ports.

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return left.count() > 0 ? static_cast<int>(left.count()) : 0;
}

// One stream being read; `fd` becomes -1, which poll() skips, at its end.
struct Stream {
  int fd = -1;
  std::string text;
};

enum class Reading { Complete, TooMuch, TimedOut };

template <size_t N>
Reading read_streams(std::array<Stream, N>& streams, size_t limit, Deadline deadline) {
  while (true) {
    std::array<pollfd, N> polled;
    bool open = false;
    for (size_t i = 0; i < N; ++i) {
      polled[i] = {.fd = streams[i].fd, .events = POLLIN, .revents = 0};
      open |= streams[i].fd >= 0;
    }
    if (!open) return Reading::Complete;
    const int timeout = milliseconds_until(deadline);
    if (timeout == 0) return Reading::TimedOut;
    if (poll(polled.data(), N, timeout) < 0 && errno != EINTR) return Reading::TimedOut;

    for (size_t i = 0; i < N; ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      std::array<char, 65536> buffer;
      const ssize_t n = read(streams[i].fd, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        streams[i].fd = -1;
      } else {
        streams[i].text.append(buffer.data(), static_cast<size_t>(n));
        if (streams[i].text.size() > limit) return Reading::TooMuch;
      }
    }
  }
}

struct Pipe {
  int read_end = -1, write_end = -1;

  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) read_end = ends[0], write_end = ends[1];
  }
  ~Pipe() {
    close_write_end();
    if (read_end >= 0) close(read_end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_write_end() {
    if (write_end >= 0) close(write_end);
    write_end = -1;
  }
};

// 0 and the child's pid, or an errno value.
int spawn(const Command& command, const Pipe& out, const Pipe& err, pid_t& pid) {
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out.write_end, 1);
  posix_spawn_file_actions_adddup2(&files, err.write_end, 2);
  posix_spawnattr_t attributes;  // The supervisor blocks signals; its grandchildren shall not.
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error = posix_spawnp(&pid, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

// A program may close its output long before it ends.
bool wait_until(pid_t pid, Deadline deadline) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));  // glibc 2.36 declares it for C only.
  if (fd < 0) return false;
  pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
  const bool ended = poll(&polled, 1, milliseconds_until(deadline)) == 1;
  close(fd);
  return ended;
}

}  // namespace

Result<std::string, Problem> read_all(int fd, size_t limit, Deadline deadline) {
  std::array<Stream, 1> stream{Stream{.fd = fd, .text = {}}};
  switch (read_streams(stream, limit, deadline)) {
    case Reading::TooMuch:
      return Problem{"the input is too large"};
    case Reading::TimedOut:
      return Problem{"the input did not end in time"};
    case Reading::Complete:
      break;
  }
  return std::move(stream[0].text);
}

Result<std::string, Problem> run(const Command& command, Deadline deadline) {
  Pipe out, err;
  if (out.read_end < 0 || err.read_end < 0) return Problem{std::string("pipe: ") + std::strerror(errno)};
  pid_t pid = -1;
  if (const int error = spawn(command, out, err, pid))
    return Problem{command[0] + ": " + std::strerror(error)};
  out.close_write_end();
  err.close_write_end();

  std::array<Stream, 2> streams{Stream{out.read_end, {}}, Stream{err.read_end, {}}};
  const Reading reading = read_streams(streams, kLargestOutput, deadline);
  const bool ended = reading == Reading::Complete && wait_until(pid, deadline);
  if (!ended) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;

  if (reading == Reading::TooMuch) return Problem{command[0] + " printed too much"};
  if (!ended) return Problem{command[0] + " did not end in time"};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Problem{command[0] + " failed: " + printable(streams[1].text)};
  }
  return std::move(streams[0].text);
}

}  // namespace ipop::hook
