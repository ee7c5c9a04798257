// Writes the files in which a node's state survives a restart, on a thread of its own: a disk may take
// seconds for that, and peers hold a node that is silent for so long for dead.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "overlay/base/result.h"
#include "overlay/io/thread.h"

namespace ipop {

/// All functions: one thread, the owner's.
class StateWriter {
 public:
  StateWriter() : thread_("ipop-state", [this] { run(); }) {}
  /// Likewise finish().
  ~StateWriter() { finish(); }

  /// What the file is to have from now on.  Takes the place of what waits to be written there.
  void write(const std::string& path, std::string text);

  struct Failure {
    std::string path;
    Problem problem;
  };
  /// A file that was not written; it is as it was.
  std::optional<Failure> poll_failure();

  /// Returns when nothing waits any more; nothing is written after that.
  void finish();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> waiting_;  ///< By path.
  std::deque<Failure> failures_;
  bool is_busy_ = false;
  bool is_stopping_ = false;
  Thread thread_;  // Last: it uses the others.
};

}  // namespace ipop
