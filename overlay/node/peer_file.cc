#include "overlay/node/peer_file.h"

#include <algorithm>

namespace ipop {
namespace {

constexpr std::string_view kFirstLine = "ipop-peers 1";

/// Takes a line without its end off the front.
std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

std::string save_peers(const std::vector<Contact>& peers) {
  std::string out(kFirstLine);
  out += '\n';
  for (size_t i = 0; i < std::min(peers.size(), kMaxSavedPeers); ++i) {
    out += peers[i].node.to_string() + ' ' + peers[i].endpoint.to_string() + '\n';
  }
  return out;
}

Result<std::vector<Contact>, Problem> load_peers(std::string_view text) {
  if (take_line(text) != kFirstLine)
    return Problem{"it does not begin with \"" + std::string(kFirstLine) + "\""};
  std::vector<Contact> out;
  while (!text.empty() && out.size() < kMaxSavedPeers) {
    const std::string_view line = take_line(text);
    const size_t blank = line.find(' ');
    const auto node = from_hex(line.substr(0, blank));
    const auto endpoint =
        blank == std::string_view::npos ? std::nullopt : Endpoint::parse(line.substr(blank + 1));
    if (!node || node->size() != NodeId::kSize || !endpoint || endpoint->port == 0) {
      return Problem{"line " + std::to_string(out.size() + 2) + " is no \"NODE ENDPOINT\""};
    }
    Contact peer{.node = {}, .endpoint = *endpoint};
    std::copy(node->begin(), node->end(), peer.node.bytes.begin());
    out.push_back(peer);
  }
  return out;
}

}  // namespace ipop
