// Numbers as people read them in a table.
#pragma once

#include <optional>
#include <string>

#include "overlay/base/time.h"

namespace ipop {

/// As printf; at most 511 octets.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

/// "0.4 ms", or "-".
std::string milliseconds(std::optional<Duration> duration);
/// Whole ones, rounded down.
long whole_seconds(Duration duration);
/// "3 s", "12 min", "5 h", "9 d": enough to see whether it is long.
std::string roughly(Duration duration);
/// A table has no empty cell.
std::string or_dash(const std::string& text);

}  // namespace ipop
