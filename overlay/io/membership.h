// What makes a process a member of a network: its invite, and the files in which it remembers.  Shared by a
// port of the switch and by a node without one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/log.h"
#include "overlay/base/random.h"
#include "overlay/base/result.h"
#include "overlay/node/node.h"

namespace ipop {

inline constexpr uint16_t kDefaultPort = 51128;
inline constexpr const char* kDefaultStateDir = "/var/lib/ipop";

/// The member that the invite in the file `path` makes, with `introducers` besides the invite's own.  The
/// Problem begins with the path.
Result<NodeConfig, Problem> read_membership(const std::string& path, const std::vector<Endpoint>& introducers,
                                            Random& random);

/// "203.0.113.7:51128, [2001:db8::7]:51128": separated by commas or blanks, at most kMaxIntroducers.
Result<std::vector<Endpoint>, Problem> parse_introducers(std::string_view text);

/// The file of settings at `path`, which is absolute since it comes from somebody in another directory.
Result<std::string, Problem> read_settings(const std::string& path);

/// The path, without its ending, of the files of a member, in `directory`, which is made if it is not there:
/// the same for the same invite, whatever the port is called.  Empty, after a warning, if it cannot be made.
std::string state_path(const std::string& directory, const NodeId& node, Log& log);

}  // namespace ipop
