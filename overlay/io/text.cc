#include "overlay/io/text.h"

#include <cstdarg>
#include <cstdio>

namespace ipop {

std::string format(const char* pattern, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, pattern);
  vsnprintf(buffer, sizeof buffer, pattern, arguments);
  va_end(arguments);
  return buffer;
}

std::string milliseconds(std::optional<Duration> duration) {
  return duration ? format("%.1f ms", static_cast<double>(duration->count()) / 1000) : "-";
}

long whole_seconds(Duration duration) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

std::string roughly(Duration duration) {
  const long s = whole_seconds(duration);
  if (s < 120) return format("%ld s", s);
  if (s < 7200) return format("%ld min", s / 60);
  if (s < 172800) return format("%ld h", s / 3600);
  return format("%ld d", s / 86400);
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

}  // namespace ipop
