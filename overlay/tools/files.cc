#include "overlay/tools/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "overlay/io/system.h"

namespace ipop {
namespace {

// Writes a temporary file beside `path`, then has `publish(temporary)` give it its name.
Result<Done, Problem> write_aside(const std::filesystem::path& path, mode_t mode, std::string_view content,
                                  const std::function<bool(const char*)>& publish) {
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  std::string temporary = directory / ".";
  temporary.append(path.filename()).append(".").append(std::to_string(getpid())).append(".tmp");
  const Descriptor fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.is_open()) return system_problem(path, "cannot be created");

  Result<Done, Problem> result = write_all(fd.get(), content);
  // The mode again, because the umask may have taken bits off; and to disk before the name is.
  if (result && (fchmod(fd.get(), mode) != 0 || fsync(fd.get()) != 0 || !publish(temporary.c_str()))) {
    result = errno == EEXIST ? Problem{path.string() + ": exists already, and is left as it is"}
                             : system_problem(path, "cannot be written");
  }
  unlink(temporary.c_str());  // Fails where publish() renamed it.
  if (!result) return result;

  const Descriptor parent(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.is_open()) fsync(parent.get());
  return Done{};
}

}  // namespace

Problem system_problem(const std::filesystem::path& path, std::string_view what) {
  const std::string reason = error_text(errno);
  return {path.string() + ": " + std::string(what) + ": " + reason};
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
    if (n < 0) return Problem{"writing failed: " + error_text(errno)};
    content.remove_prefix(static_cast<size_t>(n));
  }
  return Done{};
}

}  // namespace ipop
