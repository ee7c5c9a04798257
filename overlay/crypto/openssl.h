// For the files of crypto/ only: owners for OpenSSL's objects, and manners for its error queue.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "overlay/base/assert.h"

namespace ipop {

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Free<BIO_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using CipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;

/// Drops what OpenSSL queued since it was made.  The queue belongs to the thread, and on the switch's main
/// thread its SSL connections read it too: an error that we left there would be taken for theirs.
class ErrorQueueGuard {
 public:
  ErrorQueueGuard() { ERR_set_mark(); }
  ~ErrorQueueGuard() { ERR_pop_to_mark(); }
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
};

/// Reads from `text`, which must outlive it.
inline BioPtr bio_from(std::string_view text) {
  IPOP_ASSERT(text.size() <=
              1 << 20);  // Callers refuse long input before, and BIO_new_mem_buf() takes an int.
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  IPOP_ASSERT(bio);
  return bio;
}

/// All that was written to a BIO_s_mem().
inline std::string text_of(const BioPtr& bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(length)};
}

}  // namespace ipop
