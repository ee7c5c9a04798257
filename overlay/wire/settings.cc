#include "overlay/wire/settings.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "overlay/base/assert.h"

namespace ipop::wire {
namespace {

constexpr std::string_view kFirstLine = "ipop-settings 1\n";
constexpr std::string_view kVersion = "Version: ";
constexpr std::string_view kSignature = "\nSignature: ";
constexpr std::string_view kEmptyLine = "\n\n";
constexpr std::string_view kLabel = "ipop settings 1:";

/// Takes `wanted` off the front; false if it is not there.
bool take(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

/// A number from 1 on, without leading zeros.
std::optional<uint64_t> take_number(std::string_view& text) {
  uint64_t out = 0;
  if (text.starts_with('0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return out;
}

}  // namespace

Result<SignedSettings> SignedSettings::decode(std::string_view file) {
  if (file.size() > kMaxFileSize) return Error::Malformed;
  std::string_view rest = file;
  SignedSettings out;
  if (!take(rest, kFirstLine) || !take(rest, kVersion)) return Error::Malformed;
  const auto version = take_number(rest);
  if (!version || *version > kLastVersion || !take(rest, kSignature)) return Error::Malformed;
  const std::string_view digits = rest.substr(0, 2 * out.signature.size());
  const auto signature = from_hex(digits);
  if (!signature || signature->size() != out.signature.size() || to_hex(*signature) != digits)
    return Error::Malformed;
  rest.remove_prefix(digits.size());
  if (!take(rest, kEmptyLine) || rest.size() > kMaxDocumentSize) return Error::Malformed;
  out.version = *version;
  out.document = rest;
  std::copy(signature->begin(), signature->end(), out.signature.begin());
  return out;
}

std::string SignedSettings::encode() const {
  IPOP_ASSERT(document.size() <= kMaxDocumentSize && version > 0 && version <= kLastVersion);
  std::string out(kFirstLine);
  out.append(kVersion).append(std::to_string(version));
  out.append(kSignature).append(to_hex(signature)).append(kEmptyLine).append(document);
  return out;
}

Bytes SignedSettings::signed_part(const std::array<uint8_t, 32>& network) const {
  Writer out;
  out.bytes(as_bytes(kLabel));
  out.bytes(network);
  out.u64(version);
  out.bytes(as_bytes(document));
  return out.take();
}

}  // namespace ipop::wire
