#include "overlay/crypto/certificate.h"

#include <openssl/pem.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <ctime>
#include <optional>

#include "overlay/base/assert.h"
#include "overlay/crypto/openssl.h"

namespace ipop {
namespace {

using Time = std::optional<UnixSeconds>;

constexpr size_t kMaxSubnets = 64;  // Nobody claims as many; it bounds what a stranger makes us decode.

std::optional<std::string> common_name(const X509* x509) {
  const X509_NAME* const subject = X509_get_subject_name(x509);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, index) >= 0) return std::nullopt;
  unsigned char* text = nullptr;
  const int length =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (length < 0) return std::nullopt;
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(length));
  OPENSSL_free(text);
  if (!is_dns_label(name)) return std::nullopt;
  return name;
}

std::optional<PublicKey> ed25519_key(const X509* x509) {
  const EVP_PKEY* const native = X509_get0_pubkey(x509);
  PublicKey key;
  size_t size = key.size();
  if (!native || EVP_PKEY_get_id(native) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(native, key.data(), &size) != 1 || size != key.size()) {
    return std::nullopt;
  }
  return key;
}

Time unix_seconds(const ASN1_TIME* time) {
  std::tm calendar{};
  if (ASN1_TIME_to_tm(time, &calendar) != 1) return std::nullopt;
  return timegm(&calendar);
}

// An RFC 3779 range as the fewest CIDR blocks.
bool append_blocks(uint64_t first, uint64_t last, std::vector<Ipv4Subnet>& out) {
  while (first <= last) {
    if (out.size() == kMaxSubnets) return false;
    const int alignment = first == 0 ? 32 : std::countr_zero(first);
    const int fitting = static_cast<int>(std::bit_width(last - first + 1)) - 1;
    const int host_bits = std::min(alignment, fitting);
    out.push_back({{static_cast<uint32_t>(first)}, static_cast<uint8_t>(32 - host_bits)});
    first += uint64_t{1} << host_bits;
  }
  return true;
}

// Empty if there is no such extension, nothing if there is one that we do not understand in full: other
// families than IPv4, or addresses "inherited" from the CA.
std::optional<std::vector<Ipv4Subnet>> address_blocks(const X509* x509) {
  int critical = 0;
  using BlocksPtr = std::unique_ptr<IPAddrBlocks, decltype([](IPAddrBlocks* p) {
                                      sk_IPAddressFamily_pop_free(p, IPAddressFamily_free);
                                    })>;
  const BlocksPtr blocks(
      static_cast<IPAddrBlocks*>(X509_get_ext_d2i(x509, NID_sbgp_ipAddrBlock, &critical, nullptr)));
  std::vector<Ipv4Subnet> out;
  if (!blocks) return critical == -1 ? std::optional(out) : std::nullopt;  // -1: not there.  Else: broken.
  if (X509v3_addr_is_canonical(blocks.get()) != 1) return std::nullopt;

  for (int i = 0; i < sk_IPAddressFamily_num(blocks.get()); ++i) {
    const IPAddressFamily* const family = sk_IPAddressFamily_value(blocks.get(), i);
    constexpr int kAfiOnly = 2;  // Octets; a third would narrow it to multicast or such.
    if (X509v3_addr_get_afi(family) != IANA_AFI_IPV4 || family->addressFamily->length != kAfiOnly ||
        family->ipAddressChoice->type != IPAddressChoice_addressesOrRanges) {
      return std::nullopt;
    }
    const auto* const ranges = family->ipAddressChoice->u.addressesOrRanges;
    for (int j = 0; j < sk_IPAddressOrRange_num(ranges); ++j) {
      std::array<uint8_t, 4> first, last;
      if (X509v3_addr_get_range(sk_IPAddressOrRange_value(ranges, j), IANA_AFI_IPV4, first.data(),
                                last.data(), 4) != 4 ||
          !append_blocks(Reader(first).u32(), Reader(last).u32(), out)) {
        return std::nullopt;
      }
    }
  }
  return out;
}

}  // namespace

struct Certificate::Contents {
  X509Ptr x509;
  Bytes der;
  std::string host_name;
  PublicKey public_key;
  UnixSeconds not_before;
  UnixSeconds not_after;
  std::vector<Ipv4Subnet> addresses;
  bool is_authority;
  std::string serial;
};

bool is_dns_label(std::string_view name) {
  const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

std::string format_time(UnixSeconds time) {
  using namespace std::chrono;
  const sys_seconds point{seconds(time)};
  const sys_days day = floor<days>(point);
  const year_month_day date(day);
  const hh_mm_ss clock(point - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()));
  return text;
}

Result<Certificate> Certificate::from_der(ByteView der) {
  if (der.size() > kMaxSize) return Error::Malformed;
  const ErrorQueueGuard guard;
  const uint8_t* end = der.data();
  X509Ptr x509(d2i_X509(nullptr, &end, static_cast<long>(der.size())));
  if (!x509 || end != der.data() + der.size()) return Error::Malformed;

  // Decodes the extensions once and for all, so that later readers on other threads only read.
  if (X509_check_purpose(x509.get(), -1, 0) != 1) return Error::Malformed;

  auto name = common_name(x509.get());
  const auto key = ed25519_key(x509.get());
  const Time not_before = unix_seconds(X509_get0_notBefore(x509.get()));
  const Time not_after = unix_seconds(X509_get0_notAfter(x509.get()));
  auto addresses = address_blocks(x509.get());
  if (!name || !key || !not_before || !not_after || *not_before > *not_after || !addresses)
    return Error::Malformed;

  const bool is_authority = (X509_get_extension_flags(x509.get()) & EXFLAG_CA) != 0;
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(x509.get());
  std::string serial_text = to_hex({serial->data, static_cast<size_t>(serial->length)});
  return Certificate(std::make_shared<const Contents>(Contents{.x509 = std::move(x509),
                                                               .der = Bytes(der.begin(), der.end()),
                                                               .host_name = std::move(*name),
                                                               .public_key = *key,
                                                               .not_before = *not_before,
                                                               .not_after = *not_after,
                                                               .addresses = std::move(*addresses),
                                                               .is_authority = is_authority,
                                                               .serial = std::move(serial_text)}));
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  if (pem.size() > 2 * kMaxSize) return Error::Malformed;  // Base64 adds a third.
  const ErrorQueueGuard guard;
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (PEM_read_bio(bio_from(pem).get(), &label, &header, &data, &size) != 1) return Error::Malformed;
  const bool is_certificate = std::string_view(label) == PEM_STRING_X509;
  const Bytes der(data, data + size);
  OPENSSL_free(label);
  OPENSSL_free(header);
  OPENSSL_free(data);
  if (!is_certificate) return Error::Malformed;
  return from_der(der);
}

std::string Certificate::to_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  IPOP_ASSERT(bio && PEM_write_bio_X509(bio.get(), contents_->x509.get()) == 1);
  return text_of(bio);
}

const Bytes& Certificate::to_der() const { return contents_->der; }
const std::string& Certificate::host_name() const { return contents_->host_name; }
const PublicKey& Certificate::public_key() const { return contents_->public_key; }
UnixSeconds Certificate::not_before() const { return contents_->not_before; }
UnixSeconds Certificate::not_after() const { return contents_->not_after; }
const std::vector<Ipv4Subnet>& Certificate::addresses() const { return contents_->addresses; }
bool Certificate::is_authority() const { return contents_->is_authority; }
const std::string& Certificate::serial() const { return contents_->serial; }
X509* Certificate::native() const { return contents_->x509.get(); }

}  // namespace ipop
