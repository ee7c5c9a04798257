// What says that a key is a member: an X.509 certificate (RFC 5280) with an Ed25519 key (RFC 8410) and the
// addresses its holder may use (RFC 3779).  Whether it is to be believed is for crypto/network.h to say.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/node_id.h"
#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/crypto/identity.h"
#include "overlay/wire/address.h"

typedef struct x509_st X509;

namespace ipop {

/// Names of networks and hosts become DNS labels: 1 to 63 of a-z, 0-9 and "-", which is neither first nor
/// last (RFC 1123, section 2.1).  Lower case only, since DNS would take Alpha and alpha for the same.
bool is_dns_label(std::string_view name);

/// "2027-11-23 16:40 UTC".
std::string format_time(UnixSeconds time);

/// A value, immutable, cheap to copy; any thread may read it.
class Certificate {
 public:
  /// Ours have about 350 octets; this bounds what a stranger makes us decode, and leaves room for an admin's
  /// own PKI.
  static constexpr size_t kMaxSize = 2048;

  /// Error::Malformed unless it is exactly one certificate of at most kMaxSize octets, with an Ed25519 key,
  /// one common name that is_dns_label(), a sensible validity, and IPv4 address blocks or none.  Checks no
  /// signature.
  static Result<Certificate> from_der(ByteView der);
  /// The same, from "-----BEGIN CERTIFICATE-----".
  static Result<Certificate> from_pem(std::string_view pem);

  const Bytes& to_der() const;
  std::string to_pem() const;

  /// The subject's common name: the host's, or the network's if this is its CA.
  const std::string& host_name() const;
  const PublicKey& public_key() const;
  NodeId node_id() const { return node_id_of(public_key()); }
  UnixSeconds not_before() const;
  UnixSeconds not_after() const;  ///< The last second of its life.
  const std::vector<Ipv4Subnet>& addresses() const;
  /// basicConstraints says that it may sign others.
  bool is_authority() const;
  /// Lower-case hexadecimal.
  const std::string& serial() const;

  /// For OpenSSL's verification, within crypto/.
  X509* native() const;

 private:
  struct Contents;
  explicit Certificate(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}

  std::shared_ptr<const Contents> contents_;
};

}  // namespace ipop
