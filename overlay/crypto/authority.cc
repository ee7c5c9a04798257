#include "overlay/crypto/authority.h"

#include <algorithm>

#include "overlay/base/assert.h"
#include "overlay/crypto/hash.h"
#include "overlay/crypto/network.h"
#include "overlay/crypto/openssl.h"

namespace ipop {
namespace {

struct Template {
  std::string_view subject;
  const PublicKey& key;
  UnixSeconds not_before;
  UnixSeconds not_after;
};

// What is asserted here fails only when memory is out, or beyond the year 9999.
class Builder {
 public:
  explicit Builder(const Template& contents) : x509_(X509_new()) {
    constexpr long kVersion3 = 2;
    IPOP_ASSERT(x509_ && X509_set_version(x509_.get(), kVersion3) == 1 &&
                ASN1_TIME_set(X509_getm_notBefore(x509_.get()), contents.not_before) &&
                ASN1_TIME_set(X509_getm_notAfter(x509_.get()), contents.not_after));
    const PkeyPtr key(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, contents.key.data(), contents.key.size()));
    IPOP_ASSERT(key && X509_set_pubkey(x509_.get(), key.get()) == 1);
    IPOP_ASSERT(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509_.get()), "CN", MBSTRING_UTF8,
                                           reinterpret_cast<const unsigned char*>(contents.subject.data()),
                                           static_cast<int>(contents.subject.size()), -1, 0) == 1);
  }

  /// 128 bits, positive and never zero.
  void set_serial(const Hash& hash) {
    std::array<uint8_t, 16> octets;
    std::copy_n(hash.begin(), octets.size(), octets.begin());
    octets[0] = static_cast<uint8_t>((octets[0] & 0x7f) | 0x40);
    ASN1_INTEGER* const serial = X509_get_serialNumber(x509_.get());
    IPOP_ASSERT(ASN1_STRING_set(serial, octets.data(), static_cast<int>(octets.size())) == 1);
  }

  /// `value` in the notation of x509v3_config(5).  Key identifiers need the issuer to be set.
  void add_extension(int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer_, x509_.get(), nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
        X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
    IPOP_ASSERT(extension && X509_add_ext(x509_.get(), extension.get(), -1) == 1);
  }

  /// REQUIRES: lives longer than this.
  void set_issuer(X509* issuer) {
    issuer_ = issuer;
    IPOP_ASSERT(X509_set_issuer_name(x509_.get(), X509_get_subject_name(issuer)) == 1);
  }
  void set_issuer_self() { set_issuer(x509_.get()); }

  Certificate sign(const Identity& key) {
    IPOP_ASSERT(X509_sign(x509_.get(), key.native(), nullptr) > 0);
    unsigned char* data = nullptr;
    const int size = i2d_X509(x509_.get(), &data);
    IPOP_ASSERT(size > 0);
    const auto certificate = Certificate::from_der({data, static_cast<size_t>(size)});
    OPENSSL_free(data);
    IPOP_ASSERT(certificate);
    return *certificate;
  }

 private:
  X509Ptr x509_;
  X509* issuer_ = nullptr;
};

Hash serial_of(const PublicKey& issuer, const PublicKey& subject, UnixSeconds now) {
  Writer time;
  time.u64(static_cast<uint64_t>(now));
  return sha256({issuer, subject, time.view()});
}

}  // namespace

Authority Authority::create(std::string_view network_name, Ipv4Subnet subnet, UnixSeconds validity,
                            UnixSeconds now, Random& random) {
  IPOP_ASSERT(is_dns_label(network_name) && is_network_subnet(subnet) && validity > 0);
  Identity key = Identity::generate(random);
  Builder builder({.subject = network_name,
                   .key = key.public_key(),
                   .not_before = now - kClockSkew,
                   .not_after = now + validity});
  builder.set_serial(serial_of(key.public_key(), key.public_key(), now));
  builder.set_issuer_self();
  builder.add_extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  builder.add_extension(NID_key_usage, "critical,keyCertSign,cRLSign");
  builder.add_extension(NID_subject_key_identifier, "hash");
  builder.add_extension(NID_sbgp_ipAddrBlock, "critical,IPv4:" + subnet.to_string());
  Certificate certificate = builder.sign(key);
  return Authority(std::move(key), std::move(certificate));
}

Result<Authority> Authority::from_pem(std::string_view key_pem, std::string_view certificate_pem) {
  auto key = Identity::from_pem(key_pem);
  if (!key) return key.error();
  auto certificate = Certificate::from_pem(certificate_pem);
  if (!certificate) return certificate.error();
  if (!Network::from_authority(*certificate) || certificate->public_key() != key->public_key()) {
    return Error::BadCertificate;
  }
  return Authority(std::move(*key), std::move(*certificate));
}

Certificate Authority::issue(std::string_view host_name, const PublicKey& host_key, UnixSeconds validity,
                             UnixSeconds now) const {
  IPOP_ASSERT(is_dns_label(host_name) && validity > 0);
  const Ipv4Subnet subnet = certificate_.addresses().front();
  Builder builder({.subject = host_name,
                   .key = host_key,
                   .not_before = now - kClockSkew,
                   .not_after = std::min(now + validity, certificate_.not_after())});
  builder.set_serial(serial_of(certificate_.public_key(), host_key, now));
  builder.set_issuer(certificate_.native());
  builder.add_extension(NID_basic_constraints, "critical,CA:FALSE");
  builder.add_extension(NID_key_usage, "critical,digitalSignature");
  builder.add_extension(NID_subject_key_identifier, "hash");
  builder.add_extension(NID_authority_key_identifier, "keyid:always");
  builder.add_extension(NID_sbgp_ipAddrBlock, "critical,IPv4:" + subnet.to_string());
  return builder.sign(key_);
}

}  // namespace ipop
