// Certificates that the authority would never make.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "overlay/crypto/authority.h"
#include "overlay/crypto/openssl.h"
#include "tests/crypto/testing.h"

namespace ipop::testing {

struct Forgery {
  std::vector<std::string> names = {"mallory"};
  EVP_PKEY* key;           ///< The subject's.
  EVP_PKEY* signer;        ///< Whose signature it gets.
  X509* issuer = nullptr;  ///< nullptr: itself.
  UnixSeconds not_before = kNow - kDay;
  UnixSeconds not_after = kNow + kDay;
  /// In the notation of x509v3_config(5).
  std::vector<std::pair<int, std::string>> extensions = {};
};

inline Bytes forge(const Forgery& wanted) {
  const X509Ptr x509(X509_new());
  X509_set_version(x509.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 7);
  ASN1_TIME_set(X509_getm_notBefore(x509.get()), wanted.not_before);
  ASN1_TIME_set(X509_getm_notAfter(x509.get()), wanted.not_after);
  X509_set_pubkey(x509.get(), wanted.key);
  for (const std::string& name : wanted.names) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.data()),
                               static_cast<int>(name.size()), -1, 0);
  }
  X509* const issuer = wanted.issuer ? wanted.issuer : x509.get();
  X509_set_issuer_name(x509.get(), X509_get_subject_name(issuer));
  for (const auto& [nid, value] : wanted.extensions) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509.get(), nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str());
    EXPECT_NE(extension, nullptr) << value;
    X509_add_ext(x509.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  const bool needs_digest = EVP_PKEY_get_id(wanted.signer) != EVP_PKEY_ED25519;
  EXPECT_GT(X509_sign(x509.get(), wanted.signer, needs_digest ? EVP_sha256() : nullptr), 0);
  unsigned char* data = nullptr;
  const int size = i2d_X509(x509.get(), &data);
  EXPECT_GT(size, 0);
  const Bytes der(data, data + size);
  OPENSSL_free(data);
  return der;
}

}  // namespace ipop::testing
