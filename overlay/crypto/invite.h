// The invite file: all that a host needs to be a member.  One text, to be kept secret, in three parts: a head
// of `#` lines for people, `Introducer:` lines, and three PEM blocks (PRIVATE KEY, the host's CERTIFICATE,
// the CA's CERTIFICATE), which `openssl x509 -in FILE` and its like understand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/crypto/certificate.h"
#include "overlay/crypto/identity.h"
#include "overlay/wire/address.h"

namespace ipop {

struct Invite {
  Identity identity;
  Certificate certificate;            ///< The host's own.
  Certificate authority;              ///< The network's CA.
  std::vector<Endpoint> introducers;  ///< Members with a reachable port; may be empty.
};

/// The most octets and introducers a file may have; both are far from what anybody needs.
inline constexpr size_t kMaxInviteSize = 64 * 1024;
inline constexpr size_t kMaxIntroducers = 64;

std::string format(const Invite& invite);

/// Strict: whatever is missing, duplicated, unknown or contradicts the rest is a Problem, a sentence that
/// names it and says what to do.  Lines that begin with `#` are for people.  Does not look at a clock: see
/// check_invite().
Result<Invite, Problem> parse_invite(std::string_view text);

/// "203.0.113.7:51128": an address and a port that somebody can send to, so neither all addresses nor port 0.
std::optional<Endpoint> parse_introducer(std::string_view text);

/// Is it valid at `now`?
Result<Done, Problem> check_invite(const Invite& invite, UnixSeconds now);

}  // namespace ipop
