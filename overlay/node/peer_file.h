// The file of peers: whom a node was connected to, so that it finds its network again after a restart, also
// if it was the one that introduced the others and they have nothing to say just now.
//
// A first line "ipop-peers 1", then "NODE ENDPOINT" each line.  A hint like any other word of where a node
// is: what is stale costs a few calls.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/ring/contact.h"

namespace ipop {

/// Far more than a node needs to find its network.  An introducer has more links while a network starts.
inline constexpr size_t kMaxSavedPeers = 512;

/// The first kMaxSavedPeers.
std::string save_peers(const std::vector<Contact>& peers);

/// The first kMaxSavedPeers.  A text that is wrong in one of these is a Problem as a whole.
Result<std::vector<Contact>, Problem> load_peers(std::string_view text);

}  // namespace ipop
