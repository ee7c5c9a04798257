#include "overlay/crypto/network.h"

#include <algorithm>

#include "overlay/base/assert.h"
#include "overlay/crypto/openssl.h"

namespace ipop {
namespace {

// Signature, extensions, chain and RFC 3779 addresses, by OpenSSL's own path validation (RFC 5280, section
// 6).
bool is_signed_by(const Certificate& authority, const Certificate& certificate, unsigned long flags) {
  const ErrorQueueGuard guard;
  const std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  const std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * p) { sk_X509_free(p); })> trusted(
      sk_X509_new_null());
  IPOP_ASSERT(context && trusted && sk_X509_push(trusted.get(), authority.native()) == 1);
  IPOP_ASSERT(X509_STORE_CTX_init(context.get(), nullptr, certificate.native(), nullptr) == 1);
  X509_STORE_CTX_set0_trusted_stack(context.get(), trusted.get());
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()), X509_V_FLAG_NO_CHECK_TIME | flags);
  return X509_verify_cert(context.get()) == 1;
}

bool is_valid_at(const Certificate& certificate, UnixSeconds now) {
  return certificate.not_before() <= now && now <= certificate.not_after();
}

}  // namespace

bool is_network_subnet(Ipv4Subnet subnet) {
  return subnet.prefix_length >= 8 && subnet.prefix_length <= 29 && subnet.contains(subnet.network);
}

Network::Network(Certificate authority)
    : authority_(std::move(authority)), id_(sha256({authority_.public_key()})) {}

Result<Network> Network::from_authority(const Certificate& authority) {
  if (!authority.is_authority() || authority.addresses().size() != 1 ||
      !is_network_subnet(authority.addresses().front()) ||
      !is_signed_by(authority, authority, X509_V_FLAG_CHECK_SS_SIGNATURE)) {
    return Error::BadCertificate;
  }
  return Network(authority);
}

Result<Done> Network::check(const Certificate& certificate, UnixSeconds now) const {
  if (const auto ok = check_at_any_time(certificate); !ok) return ok.error();
  if (!is_valid_at(certificate, now) || !is_valid_at(authority_, now)) return Error::ExpiredCertificate;
  return Done{};
}

Result<Done> Network::check_at_any_time(const Certificate& certificate) const {
  if (certificate.is_authority() || certificate.addresses().empty() ||
      !is_signed_by(authority_, certificate, 0)) {
    return Error::BadCertificate;
  }
  return Done{};
}

}  // namespace ipop
