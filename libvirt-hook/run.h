// Runs a command and reads a descriptor, both against a deadline: nothing here waits longer than it is told.
#pragma once

#include <chrono>
#include <string>

#include "libvirt-hook/commands.h"
#include "overlay/base/result.h"

namespace ipop::hook {

using Deadline = std::chrono::steady_clock::time_point;

/// Everything until end of file, or a Problem after `limit` octets or at the deadline.
Result<std::string, Problem> read_all(int fd, size_t limit, Deadline deadline);

/// Runs a program found through PATH, with an empty stdin and no descriptor of ours.  Returns what it wrote
/// to stdout; a Problem quotes what it wrote to stderr.  At the deadline it is killed.
Result<std::string, Problem> run(const Command& command, Deadline deadline);

}  // namespace ipop::hook
