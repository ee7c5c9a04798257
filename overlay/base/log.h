// Where the core says what changed.  The shell decides where it goes (vlog, stderr, a test's vector).
#pragma once

#include <string_view>

namespace ipop {

class Log {
 public:
  enum class Level { Debug, Info, Warning };
  virtual ~Log() = default;
  /// One line, no newline, never a key.  Whatever a remote can provoke is rate-limited by its caller.
  virtual void write(Level level, std::string_view line) = 0;

  void debug(std::string_view line) { write(Level::Debug, line); }
  void info(std::string_view line) { write(Level::Info, line); }
  void warning(std::string_view line) { write(Level::Warning, line); }
};

}  // namespace ipop
