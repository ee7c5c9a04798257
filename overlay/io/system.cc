#include "overlay/io/system.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "overlay/base/assert.h"

namespace ipop {

Instant monotonic_now() {
  timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);  // Leases end while the machine sleeps, too.
  return Instant(std::chrono::seconds(ts.tv_sec) + Duration(ts.tv_nsec / 1000));
}

UnixSeconds unix_now() { return time(nullptr); }

void SystemRandom::fill(ByteSpan out) {
  while (!out.empty()) {
    const ssize_t n = getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    IPOP_ASSERT(n > 0);  // Without flags it fails for no other reason.
    out = out.subspan(static_cast<size_t>(n));
  }
}

std::string error_text(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);  // The GNU one, which returns the text.
}

Result<std::string, Problem> read_file(const std::string& path, size_t limit) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return Problem{"cannot read " + path + ": " + error_text(errno)};
  struct stat status;
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Problem{"cannot read " + path + ": not a regular file"};
  }
  std::string out;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Problem{"cannot read " + path + ": " + error_text(errno)};
    if (n == 0) return out;
    out.append(buffer, static_cast<size_t>(n));
    if (out.size() > limit) {
      return Problem{"cannot read " + path + ": longer than " + std::to_string(limit) + " octets"};
    }
  }
}

Result<Done, Problem> write_file(const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  const auto fail = [&](const char* what) {
    const Problem problem{std::string("cannot ") + what + " " + draft + ": " + error_text(errno)};
    unlink(draft.c_str());
    return problem;
  };
  Descriptor file(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.is_open()) return fail("create");
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t n = write(file.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail("write");
    rest.remove_prefix(static_cast<size_t>(n));
  }
  if (fsync(file.get()) != 0) return fail("write");
  if (rename(draft.c_str(), path.c_str()) != 0) return fail("rename");
  return Done{};
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

int Descriptor::release() { return std::exchange(fd_, -1); }

Wakeup::Wakeup() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_.is_open()) throw std::system_error(errno, std::generic_category(), "cannot make an eventfd");
}

void Wakeup::signal() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(fd_.get(), &one, sizeof one);  // EAGAIN: it is readable already.
}

void Wakeup::clear() {
  uint64_t count;
  [[maybe_unused]] const ssize_t n = read(fd_.get(), &count, sizeof count);
}

}  // namespace ipop
