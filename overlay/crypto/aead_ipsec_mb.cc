#if defined(__x86_64__)

#include "overlay/base/assert.h"
#include "overlay/crypto/aead_backends.h"
#include "overlay/crypto/hash.h"

namespace ipop {
namespace {

// Written once, when it is made; the direct calls below only read its function pointers.
struct Library {
  Library() : manager(alloc_mb_mgr(0)) {
    IPOP_ASSERT(manager);
    init_mb_mgr_auto(manager, &arch);
    IPOP_ASSERT(imb_get_errno(manager) == 0);
  }

  IMB_MGR* manager;
  IMB_ARCH arch = IMB_ARCH_NONE;
};

const Library& library() {
  static const Library* const instance = new Library;  // For the life of the process, whoever ends last.
  return *instance;
}

// The library checks its arguments, and does nothing if it finds a null pointer, even one to no octets.
const uint8_t* data_of(ByteView view) {
  static constexpr uint8_t kNothing = 0;
  return view.empty() ? &kNothing : view.data();
}

}  // namespace

IpsecMbAead::IpsecMbAead(std::span<const uint8_t, 32> key) {
  IMB_AES256_GCM_PRE(library().manager, key.data(), &key_);
}

IpsecMbAead::~IpsecMbAead() { wipe({reinterpret_cast<uint8_t*>(&key_), sizeof key_}); }

void IpsecMbAead::seal(NonceView nonce, ByteView aad, ByteView plaintext, uint8_t* out) const {
  gcm_context_data context;
  IMB_AES256_GCM_ENC(library().manager, &key_, &context, out, data_of(plaintext), plaintext.size(),
                     nonce.data(), data_of(aad), aad.size(), out + plaintext.size(), kTagSize);
}

bool IpsecMbAead::open(NonceView nonce, ByteView aad, ByteView sealed, uint8_t* out) const {
  if (sealed.size() < kTagSize) return false;
  const ByteView ciphertext = sealed.first(sealed.size() - kTagSize);
  uint8_t nowhere = 0;
  gcm_context_data context;
  std::array<uint8_t, kTagSize> tag{};
  IMB_AES256_GCM_DEC(library().manager, &key_, &context, ciphertext.empty() ? &nowhere : out,
                     data_of(ciphertext), ciphertext.size(), nonce.data(), data_of(aad), aad.size(),
                     tag.data(), kTagSize);
  return equal_in_constant_time(tag, sealed.last(kTagSize));
}

std::string_view IpsecMbAead::name() {
  switch (library().arch) {
    case IMB_ARCH_AVX512:
      return "intel-ipsec-mb (AVX512)";
    case IMB_ARCH_AVX2:
      return "intel-ipsec-mb (AVX2)";
    case IMB_ARCH_AVX:
      return "intel-ipsec-mb (AVX)";
    case IMB_ARCH_SSE:
      return "intel-ipsec-mb (SSE)";
    default:
      return "intel-ipsec-mb";
  }
}

}  // namespace ipop

#endif
