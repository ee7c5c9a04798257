#include "overlay/io/membership.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "overlay/crypto/invite.h"
#include "overlay/io/system.h"
#include "overlay/wire/handshake_payload.h"
#include "overlay/wire/settings.h"

namespace ipop {

Result<NodeConfig, Problem> read_membership(const std::string& path, const std::vector<Endpoint>& introducers,
                                            Random& random) {
  const auto text = read_file(path, kMaxInviteSize);
  if (!text) return text.error();
  const auto invite = parse_invite(*text);
  if (!invite) return Problem{path + ": " + invite.error().text};
  if (const auto valid = check_invite(*invite, unix_now()); !valid) {
    return Problem{path + ": " + valid.error().text};
  }
  const auto network = Network::from_authority(invite->authority);
  if (!network) return Problem{path + ": its CA certificate is not a network's"};
  if (invite->certificate.to_der().size() > wire::HandshakePayload::kMaxCertificateSize) {
    return Problem{path + ": its certificate has more than " +
                   std::to_string(wire::HandshakePayload::kMaxCertificateSize) +
                   " octets, which no handshake carries; make one with: ipopctl host invite"};
  }
  NodeConfig out{.credentials = Credentials::make(*network, invite->identity, invite->certificate, random),
                 .introducers = invite->introducers,
                 .link = {}};
  for (const Endpoint& endpoint : introducers) {
    if (std::find(out.introducers.begin(), out.introducers.end(), endpoint) == out.introducers.end()) {
      out.introducers.push_back(endpoint);
    }
  }
  return out;
}

Result<std::vector<Endpoint>, Problem> parse_introducers(std::string_view text) {
  std::vector<Endpoint> out;
  constexpr std::string_view kSeparators = ", \t\n";
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kSeparators), text.size()));
    if (text.empty()) return out;
    const std::string_view item = text.substr(0, text.find_first_of(kSeparators));
    const auto endpoint = parse_introducer(item);
    if (!endpoint) {
      return Problem{"\"" + std::string(item) + "\" is no ADDRESS:PORT (names are not looked up)"};
    }
    if (out.size() == kMaxIntroducers) return Problem{"more than " + std::to_string(kMaxIntroducers)};
    out.push_back(*endpoint);
    text.remove_prefix(item.size());
  }
}

Result<std::string, Problem> read_settings(const std::string& path) {
  if (!path.starts_with('/')) return Problem{path + ": say the whole path, from / on"};
  return read_file(path, wire::SignedSettings::kMaxFileSize);
}

std::string state_path(const std::string& directory, const NodeId& node, Log& log) {
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    log.warning("leases, peers and settings will be lost in a restart: cannot make " + directory + ": " +
                error_text(errno));
    return "";
  }
  return directory + "/" + node.to_string();
}

}  // namespace ipop
