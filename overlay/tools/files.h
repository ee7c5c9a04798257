// Files as ipopctl makes them: they appear whole, and are never overwritten by accident.  Reading is
// read_file() of overlay/io/system.h.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "overlay/base/result.h"

namespace ipop {

/// Makes a new file, complete or not at all; also after a crash.  Refuses if there is one already.
Result<Done, Problem> create_file(const std::filesystem::path& path, mode_t mode, std::string_view content);

/// The same, but takes the place of an existing file.
Result<Done, Problem> replace_file(const std::filesystem::path& path, mode_t mode, std::string_view content);

/// Writes everything to a descriptor.
Result<Done, Problem> write_all(int fd, std::string_view content);

/// "PATH: WHAT: No such file or directory", from errno.
Problem system_problem(const std::filesystem::path& path, std::string_view what);

}  // namespace ipop
