#include "overlay/crypto/invite.h"

#include <algorithm>
#include <optional>

#include "overlay/crypto/network.h"

namespace ipop {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kKeyLabel = "PRIVATE KEY";
constexpr std::string_view kCertificateLabel = "CERTIFICATE";
constexpr std::string_view kIntroducer = "Introducer";

std::string ask_again(std::string_view network = "NETWORK", std::string_view host = "HOST") {
  std::string command = "ask for a new invite with: ipopctl host invite ";
  return command.append(network).append(" ").append(host);
}

Problem damaged(std::string_view what) {
  return {std::string(what) + "; copy the file again as a whole, or " + ask_again()};
}

std::string quoted(std::string_view text) {
  constexpr size_t kEnough = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, kEnough)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > kEnough ? "...\"" : "\"");
}

std::string_view trim(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t first = line.find_first_not_of(kBlanks);
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

/// Control characters other than those that end or indent a line; beyond ASCII all is left to comments.
bool is_text(std::string_view text) {
  constexpr std::string_view kLayout = "\t\r\n";
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return (c >= ' ' && c != 0x7f) || kLayout.find(static_cast<char>(c)) != kLayout.npos;
  });
}

/// Takes the first line off `rest`.
std::string_view take_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trim(line);
}

/// If `line` is PREFIX LABEL -----, the label.
std::optional<std::string_view> label_of(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix) || line.size() < prefix.size() + kDashes.size() || !line.ends_with(kDashes)) {
    return std::nullopt;
  }
  return line.substr(prefix.size(), line.size() - prefix.size() - kDashes.size());
}

// Collects the parts of a file, each once.
class Parser {
 public:
  Result<Invite, Problem> parse(std::string_view text) {
    if (text.size() > kMaxInviteSize) return Problem{"this is too big to be an invite; check the path"};
    if (!is_text(text)) {
      return Problem{"this is not an invite: it is not a text file; check the path, or " + ask_again()};
    }
    while (!text.empty()) {
      const char* const start = text.data();
      const std::string_view line = take_line(text);
      Result<Done, Problem> ok = Done{};
      if (const auto label = label_of(line, kBegin)) {
        ok = block(*label, start, text);
      } else if (!line.empty() && !line.starts_with('#')) {
        ok = key_and_value(line);
      }
      if (!ok) return ok.error();
    }
    return finish();
  }

 private:
  Result<Done, Problem> block(std::string_view label, const char* start, std::string_view& rest) {
    for (;;) {
      if (rest.empty())
        return damaged("the " + std::string(label) + " block has no end: the invite is cut off");
      const std::string_view line = take_line(rest);
      if (line.starts_with(kBegin)) {
        return damaged("the " + std::string(label) + " block has no end before the next begins");
      }
      if (line.starts_with(kEnd)) {
        if (label_of(line, kEnd) == label) break;
        return damaged("the " + std::string(label) + " block ends with " + quoted(line));
      }
    }
    const std::string_view pem(start, static_cast<size_t>(rest.data() - start));
    if (label == kKeyLabel) return private_key(pem);
    if (label == kCertificateLabel) return certificate(pem);
    return Problem{"the invite has a block " + quoted(label) + ", which does not belong there; " +
                   ask_again()};
  }

  Result<Done, Problem> private_key(std::string_view pem) {
    if (identity_) return damaged("the invite has two PRIVATE KEY blocks");
    auto identity = Identity::from_pem(pem);
    if (!identity) return damaged("the PRIVATE KEY block is damaged or not an Ed25519 key");
    identity_ = std::move(*identity);
    return Done{};
  }

  Result<Done, Problem> certificate(std::string_view pem) {
    auto parsed = Certificate::from_pem(pem);
    if (!parsed) return damaged("a CERTIFICATE block is damaged or not an IPOP certificate");
    auto& slot = parsed->is_authority() ? authority_ : certificate_;
    if (slot) {
      return damaged(parsed->is_authority() ? "the invite has two network (CA) certificates"
                                            : "the invite has two host certificates");
    }
    slot = std::move(*parsed);
    return Done{};
  }

  Result<Done, Problem> key_and_value(std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == line.npos) {
      return damaged("the invite has a line that is neither a comment (#) nor \"Key: value\": " +
                     quoted(line));
    }
    const std::string_view key = trim(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    if (key != kIntroducer) {
      return Problem{"the invite says " + quoted(key) +
                     ", which this version does not know; update ipop, or " + ask_again()};
    }
    const auto endpoint = parse_introducer(value);
    if (!endpoint) {
      return Problem{"the introducer " + quoted(value) +
                     " is not an ADDRESS:PORT; correct the line, for example: Introducer: 203.0.113.7:51128"};
    }
    if (introducers_.size() == kMaxIntroducers) {
      return Problem{"the invite has more than " + std::to_string(kMaxIntroducers) +
                     " introducers; remove some of the lines"};
    }
    introducers_.push_back(*endpoint);
    return Done{};
  }

  Result<Invite, Problem> finish() {
    if (!identity_ && !certificate_ && !authority_) {
      return Problem{"this is not an invite: it has no PEM blocks; check the path, or " + ask_again()};
    }
    if (!identity_) return damaged("the invite has no PRIVATE KEY block");
    if (!certificate_) return damaged("the invite has no CERTIFICATE block of the host");
    if (!authority_) return damaged("the invite has no CERTIFICATE block of the network (CA)");

    const std::string again = ask_again(authority_->host_name(), certificate_->host_name());
    const auto network = Network::from_authority(*authority_);
    if (!network) {
      return Problem{"the certificate of network " + authority_->host_name() +
                     " is not signed by itself, or has no usable subnet; " + again};
    }
    if (identity_->public_key() != certificate_->public_key()) {
      return Problem{"the private key does not belong to the certificate of host " +
                     certificate_->host_name() + "; " + again};
    }
    if (!network->check_at_any_time(*certificate_)) {
      return Problem{"the certificate of host " + certificate_->host_name() + " is not signed by network " +
                     network->name() + ", or claims addresses outside " + network->subnet().to_string() +
                     "; " + again};
    }
    return Invite{std::move(*identity_), std::move(*certificate_), std::move(*authority_),
                  std::move(introducers_)};
  }

  std::optional<Identity> identity_;
  std::optional<Certificate> certificate_;
  std::optional<Certificate> authority_;
  std::vector<Endpoint> introducers_;
};

}  // namespace

std::string format(const Invite& invite) {
  const Certificate& host = invite.certificate;
  const Certificate& network = invite.authority;
  std::string out = "# Invite to an IPOP network.  KEEP IT SECRET: whoever has this file is the host.\n";
  out += "#\n";
  out += "#   Network: " + network.host_name() + "\n";
  out += "#   Host:    " + host.host_name() + "\n";
  for (const Ipv4Subnet& subnet : host.addresses()) out += "#   Subnet:  " + subnet.to_string() + "\n";
  out += "#   Expires: " + format_time(host.not_after()) + "\n";
  out += "#\n";
  out += "# Put it on the host, readable by root only, and name it in options:invite of its port.\n\n";
  for (const Endpoint& introducer : invite.introducers) out += "Introducer: " + introducer.to_string() + "\n";
  if (!invite.introducers.empty()) out += "\n";
  return out + invite.identity.to_pem() + host.to_pem() + network.to_pem();
}

Result<Invite, Problem> parse_invite(std::string_view text) { return Parser().parse(text); }

std::optional<Endpoint> parse_introducer(std::string_view text) {
  const auto endpoint = Endpoint::parse(text);
  if (!endpoint || endpoint->port == 0 || endpoint->address == Endpoint{}.address ||
      endpoint->address == Endpoint::from_ipv4({}, 0).address) {
    return std::nullopt;
  }
  return endpoint;
}

Result<Done, Problem> check_invite(const Invite& invite, UnixSeconds now) {
  const Certificate& host = invite.certificate;
  const Certificate& network = invite.authority;
  const std::string again = ask_again(network.host_name(), host.host_name());
  if (now > network.not_after()) {
    return Problem{"network " + network.host_name() + " itself expired on " +
                   format_time(network.not_after()) + "; make a new one with: ipopctl network create"};
  }
  if (now > host.not_after()) {
    return Problem{"the certificate of host " + host.host_name() + " expired on " +
                   format_time(host.not_after()) + "; " + again};
  }
  if (const UnixSeconds start = std::max(host.not_before(), network.not_before()); now < start) {
    return Problem{"the invite of host " + host.host_name() + " is valid only from " + format_time(start) +
                   "; check this machine's clock, which says " + format_time(now)};
  }
  return Done{};
}

}  // namespace ipop
