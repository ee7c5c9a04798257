// Files as ipopctl treats them: read whole, appear whole, and never overwritten by accident.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "overlay/base/result.h"

namespace ipop {

/// All of a file of at most `limit` octets.
Result<std::string, Problem> read_file(const std::filesystem::path& path, size_t limit);

/// Makes a new file, complete or not at all; also after a crash.  Refuses if there is one already.
Result<Done, Problem> create_file(const std::filesystem::path& path, mode_t mode, std::string_view content);

/// The same, but takes the place of an existing file.
Result<Done, Problem> replace_file(const std::filesystem::path& path, mode_t mode, std::string_view content);

/// Writes everything to a descriptor.
Result<Done, Problem> write_all(int fd, std::string_view content);

/// "PATH: WHAT: No such file or directory", from errno.
Problem system_problem(const std::filesystem::path& path, std::string_view what);

}  // namespace ipop
