// A thread of ours in the switch's process.
#pragma once

#include <pthread.h>

#include <functional>

namespace ipop {

/// Runs with all signals blocked, which are the switch's business, and on a stack of 512 KB: with --mlockall,
/// which is the default of Open vSwitch, every octet of it is resident, and OpenSSL needs no more.
class Thread {
 public:
  /// `name`: at most 15 octets.  Throws std::system_error.
  Thread(const char* name, std::function<void()> body);
  /// Waits until `body` has returned, which somebody has to bring about.
  ~Thread();
  Thread(const Thread&) = delete;

 private:
  static void* thread_main(void* self);

  const char* const name_;
  const std::function<void()> body_;
  pthread_t thread_;
};

}  // namespace ipop
