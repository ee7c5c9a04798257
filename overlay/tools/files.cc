#include "overlay/tools/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <system_error>

namespace ipop {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { close(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const { return fd_; }
  bool close() {
    if (fd_ < 0) return true;
    return ::close(std::exchange(fd_, -1)) == 0;
  }

 private:
  int fd_;
};

// Writes a temporary file beside `path`, then has `publish(temporary)` give it its name.
Result<Done, Problem> write_aside(const std::filesystem::path& path, mode_t mode, std::string_view content,
                                  const std::function<bool(const char*)>& publish) {
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  const std::string temporary =
      directory / ("." + path.filename().string() + "." + std::to_string(getpid()) + ".tmp");
  Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (fd.get() < 0) return system_problem(path, "cannot be created");

  Result<Done, Problem> result = write_all(fd.get(), content);
  // The mode again, because the umask may have taken bits off; and to disk before the name is.
  if (result &&
      (fchmod(fd.get(), mode) != 0 || fsync(fd.get()) != 0 || !fd.close() || !publish(temporary.c_str()))) {
    result = errno == EEXIST ? Problem{path.string() + ": exists already, and is left as it is"}
                             : system_problem(path, "cannot be written");
  }
  unlink(temporary.c_str());  // Fails where publish() renamed it.
  if (!result) return result;

  const Fd parent(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0) fsync(parent.get());
  return Done{};
}

}  // namespace

Problem system_problem(const std::filesystem::path& path, std::string_view what) {
  const std::string reason = std::generic_category().message(errno);
  return {path.string() + ": " + std::string(what) + ": " + reason};
}

Result<std::string, Problem> read_file(const std::filesystem::path& path, size_t limit) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return system_problem(path, "cannot be opened");
  std::string content(limit + 1, '\0');
  size_t length = 0;
  while (length < content.size()) {
    const ssize_t n = read(fd.get(), content.data() + length, content.size() - length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_problem(path, "cannot be read");
    if (n == 0) break;
    length += static_cast<size_t>(n);
  }
  if (length > limit) return Problem{path.string() + ": has more than " + std::to_string(limit) + " octets"};
  content.resize(length);
  return content;
}

Result<Done, Problem> create_file(const std::filesystem::path& path, mode_t mode, std::string_view content) {
  // link() is the one that refuses to overwrite on every file system.
  return write_aside(path, mode, content,
                     [&](const char* temporary) { return link(temporary, path.c_str()) == 0; });
}

Result<Done, Problem> replace_file(const std::filesystem::path& path, mode_t mode, std::string_view content) {
  return write_aside(path, mode, content,
                     [&](const char* temporary) { return rename(temporary, path.c_str()) == 0; });
}

Result<Done, Problem> write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Problem{"writing failed: " + std::generic_category().message(errno)};
    content.remove_prefix(static_cast<size_t>(n));
  }
  return Done{};
}

}  // namespace ipop
