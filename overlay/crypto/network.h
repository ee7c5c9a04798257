// What a member knows of its network, and how it tells members from strangers.
#pragma once

#include <string>

#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/crypto/certificate.h"
#include "overlay/crypto/hash.h"
#include "overlay/wire/address.h"

namespace ipop {

/// A prefix of 8 to 29 bits: a network needs a few addresses of its own besides those of guests.
bool is_network_subnet(Ipv4Subnet subnet);

/// A value; any thread may check with it.
class Network {
 public:
  /// Error::BadCertificate unless it is a CA's, signed by itself, with one address block that
  /// is_network_subnet().  Says nothing about its validity in time: check() does.
  static Result<Network> from_authority(const Certificate& authority);

  const std::string& name() const { return authority_.host_name(); }
  Ipv4Subnet subnet() const { return authority_.addresses().front(); }
  const Certificate& authority() const { return authority_; }
  /// SHA-256 of the CA's public key.  Two networks of the same name are still two.
  const Hash& id() const { return id_; }

  /// Is this the certificate of a host of this network?  Error::BadCertificate if it is not signed by its CA,
  /// is itself a CA's, or claims addresses outside the network or none (RFC 3779, section 2.3);
  /// Error::ExpiredCertificate if it or the CA is outside its validity at `now`.
  Result<Done> check(const Certificate& certificate, UnixSeconds now) const;
  /// The same without a clock: never Error::ExpiredCertificate.
  Result<Done> check_at_any_time(const Certificate& certificate) const;

 private:
  explicit Network(Certificate authority);

  Certificate authority_;
  Hash id_;
};

}  // namespace ipop
