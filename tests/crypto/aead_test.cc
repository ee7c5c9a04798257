#include "overlay/crypto/aead.h"

#include <openssl/err.h>

#include <thread>

#include "overlay/crypto/aead_backends.h"
#include "tests/crypto/testing.h"

namespace ipop {
namespace {

using testing::hex;
using testing::hex_array;

Bytes random_bytes(Random& random, size_t size) {
  Bytes out(size);
  random.fill(out);
  return out;
}

template <class Key>
Bytes seal(const Key& key, const Nonce& nonce, ByteView aad, ByteView plaintext) {
  Bytes out(plaintext.size() + kTagSize);
  key.seal(nonce, aad, plaintext, out.data());
  return out;
}

template <class Key>
std::optional<Bytes> open(const Key& key, const Nonce& nonce, ByteView aad, ByteView sealed) {
  Bytes out(sealed.size() - kTagSize);
  if (!key.open(nonce, aad, sealed, out.data())) return std::nullopt;
  return out;
}

template <class Key>
class Aead : public ::testing::Test {};

#if defined(__x86_64__)
using Implementations = ::testing::Types<AeadKey, OpensslAead, IpsecMbAead>;
#else
using Implementations = ::testing::Types<AeadKey, OpensslAead>;
#endif
TYPED_TEST_SUITE(Aead, Implementations);

// McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B, test cases 13 to 16.
TYPED_TEST(Aead, MatchesTheGcmSpecification) {
  struct Case {
    const char *key, *nonce, *aad, *plaintext, *ciphertext, *tag;
  };
  const char* const zero_key = "0000000000000000000000000000000000000000000000000000000000000000";
  const char* const key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
  const Case cases[] = {
      {zero_key, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      {zero_key, "000000000000000000000000", "", "00000000000000000000000000000000",
       "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
      {key, "cafebabefacedbaddecaf888", "",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
       "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
       "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
       "b094dac5d93471bdec1a502270e3cc6c"},
      {key, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
       "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
       "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
       "76fc6ece0f4e1768cddf8853bb2d551b"},
  };
  for (const Case& c : cases) {
    const TypeParam aead{hex_array<32>(c.key)};
    const auto nonce = hex_array<12>(c.nonce);
    const Bytes sealed = seal(aead, nonce, hex(c.aad), hex(c.plaintext));
    EXPECT_EQ(to_hex(sealed), std::string(c.ciphertext) + c.tag);
    EXPECT_EQ(open(aead, nonce, hex(c.aad), sealed), hex(c.plaintext));
  }
}

TYPED_TEST(Aead, RefusesWhateverWasChanged) {
  SeededRandom random(1);
  const TypeParam aead{hex_array<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")};
  const Nonce nonce = hex_array<12>("000000000000000000000001");
  const Bytes aad = random_bytes(random, 16), plaintext = random_bytes(random, 53);
  const Bytes sealed = seal(aead, nonce, aad, plaintext);
  ASSERT_EQ(open(aead, nonce, aad, sealed), plaintext);

  for (size_t i = 0; i < sealed.size(); ++i) {
    Bytes forged = sealed;
    forged[i] ^= 0x80;
    EXPECT_FALSE(open(aead, nonce, aad, forged)) << "octet " << i;
  }
  for (size_t i = 0; i < aad.size(); ++i) {
    Bytes forged = aad;
    forged[i] ^= 1;
    EXPECT_FALSE(open(aead, nonce, forged, sealed)) << "octet " << i << " of the header";
  }
  for (size_t size = kTagSize; size < sealed.size(); ++size) {
    EXPECT_FALSE(open(aead, nonce, aad, ByteView(sealed).first(size))) << "cut to " << size;
  }
  uint8_t nothing[1];
  for (size_t size = 0; size < kTagSize; ++size) {
    EXPECT_FALSE(aead.open(nonce, aad, ByteView(sealed).first(size), nothing)) << "cut to " << size;
  }
  EXPECT_FALSE(aead.open(nonce, {}, Bytes(kTagSize, 0), nothing)) << "a tag of zeros";
  Nonce other = nonce;
  other[11] ^= 1;
  EXPECT_FALSE(open(aead, other, aad, sealed));
  const TypeParam stranger{hex_array<32>("0000000000000000000000000000000000000000000000000000000000000001")};
  EXPECT_FALSE(open(stranger, nonce, aad, sealed));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TYPED_TEST(Aead, SealsAndOpensInPlace) {
  SeededRandom random(2);
  const TypeParam aead{hex_array<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")};
  const Nonce nonce{};
  for (size_t size = 0; size <= 300; ++size) {
    const Bytes plaintext = random_bytes(random, size), aad = random_bytes(random, size % 21);
    Bytes buffer = plaintext;
    buffer.resize(size + kTagSize);
    aead.seal(nonce, aad, ByteView(buffer).first(size), buffer.data());
    ASSERT_EQ(buffer, seal(aead, nonce, aad, plaintext)) << size;
    ASSERT_TRUE(aead.open(nonce, aad, buffer, buffer.data())) << size;
    buffer.resize(size);
    ASSERT_EQ(buffer, plaintext) << size;
  }
}

TYPED_TEST(Aead, ServesManyThreadsWithOneKey) {
  const TypeParam aead{hex_array<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")};
  std::vector<std::thread> threads;
  std::array<int, 4> opened{};
  for (size_t t = 0; t < opened.size(); ++t) {
    threads.emplace_back([&, t] {
      SeededRandom random(t);
      for (int i = 0; i < 500; ++i) {
        Nonce nonce{};
        random.fill(nonce);
        const Bytes plaintext = random_bytes(random, random.below(1500));
        opened[t] += open(aead, nonce, {}, seal(aead, nonce, {}, plaintext)) == plaintext;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int count : opened) EXPECT_EQ(count, 500);
}

#if defined(__x86_64__)
TEST(AeadKey, ImplementationsAgree) {
  SeededRandom random(3);
  for (size_t size = 0; size <= 2000; ++size) {
    std::array<uint8_t, 32> secret;
    Nonce nonce;
    random.fill(secret);
    random.fill(nonce);
    const Bytes plaintext = random_bytes(random, size), aad = random_bytes(random, random.below(64));
    const OpensslAead openssl(secret);
    const IpsecMbAead ipsec_mb(secret);
    const Bytes sealed = seal(openssl, nonce, aad, plaintext);
    ASSERT_EQ(seal(ipsec_mb, nonce, aad, plaintext), sealed) << size;
    ASSERT_EQ(open(ipsec_mb, nonce, aad, sealed), plaintext) << size;
    ASSERT_EQ(open(openssl, nonce, aad, sealed), plaintext) << size;
  }
}

TEST(AeadKey, UsesTheFastImplementationHere) {
  EXPECT_TRUE(AeadKey::implementation().starts_with("intel-ipsec-mb"));
}
#endif

TEST(AeadKey, KeysMove) {
  AeadKey a(hex_array<32>("0000000000000000000000000000000000000000000000000000000000000001"));
  const Bytes sealed = seal(a, {}, {}, as_bytes("hello"));
  AeadKey b = std::move(a);
  EXPECT_EQ(seal(b, {}, {}, as_bytes("hello")), sealed);
}

}  // namespace
}  // namespace ipop
