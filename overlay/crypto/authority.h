// The network's certification authority: makes the network and signs its hosts.  Only ipopctl holds one; no
// running node does.
#pragma once

#include <string>
#include <string_view>

#include "overlay/base/random.h"
#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/crypto/certificate.h"
#include "overlay/crypto/identity.h"
#include "overlay/wire/address.h"

namespace ipop {

class Authority {
 public:
  /// Certificates begin this long before they are made, for hosts whose clock is late.
  static constexpr UnixSeconds kClockSkew = 3600;

  /// A new network: a fresh key and its self-signed certificate.  REQUIRES: is_dns_label(network_name),
  /// `subnet` satisfies is_network_subnet(), validity > 0 seconds.
  static Authority create(std::string_view network_name, Ipv4Subnet subnet, UnixSeconds validity,
                          UnixSeconds now, Random& random);

  /// Error::Malformed if one of them cannot be read, Error::BadCertificate if they do not belong together or
  /// are no network's (see Network::from_authority()).
  static Result<Authority> from_pem(std::string_view key_pem, std::string_view certificate_pem);
  std::string key_pem() const { return key_.to_pem(); }

  const Certificate& certificate() const { return certificate_; }

  /// A host's certificate: it may use all addresses of the network.  It lives `validity` seconds from now,
  /// but never longer than the authority.  The serial number is a hash of key and time: unique without a file
  /// that counts.  REQUIRES: is_dns_label(host_name), validity > 0, and an authority that is valid at `now`.
  Certificate issue(std::string_view host_name, const PublicKey& host_key, UnixSeconds validity,
                    UnixSeconds now) const;

  /// Signs `text`, which must begin with a label of its own, so that it is no certificate.
  Signature sign(ByteView text) const { return key_.sign(text); }

 private:
  Authority(Identity key, Certificate certificate)
      : key_(std::move(key)), certificate_(std::move(certificate)) {}

  Identity key_;
  Certificate certificate_;
};

}  // namespace ipop
