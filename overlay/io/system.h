// The clocks, the randomness and the files of the machine we run on.
#pragma once

#include <string>

#include "overlay/base/random.h"
#include "overlay/base/result.h"
#include "overlay/base/time.h"

namespace ipop {

/// CLOCK_BOOTTIME.
Instant monotonic_now();
/// CLOCK_REALTIME.
UnixSeconds unix_now();

/// The kernel's generator, getrandom(2).  Any thread.
class SystemRandom : public Random {
 public:
  void fill(ByteSpan out) override;
};

/// The whole of a file of at most `limit` octets.  The Problem says what the system said.
Result<std::string, Problem> read_file(const std::string& path, size_t limit);

/// Replaces the file as a whole or not at all, also when the machine stops meanwhile; mode 0600.
Result<Done, Problem> write_file(const std::string& path, const std::string& text);

/// "Permission denied" and its like, for errno.
std::string error_text(int error);

/// A descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release();

 private:
  int fd_;
};

/// An eventfd: signal() makes it readable, clear() unreadable.  Any thread.
class Wakeup {
 public:
  Wakeup();
  int fd() const { return fd_.get(); }
  void signal();
  void clear();

 private:
  Descriptor fd_;
};

}  // namespace ipop
