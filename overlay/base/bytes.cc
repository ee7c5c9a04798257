#include "overlay/base/bytes.h"

#include <algorithm>

namespace ipop {

void Reader::fail() {
  ok_ = false;
  rest_ = {};
}

ByteView Reader::bytes(size_t n) {
  if (n > rest_.size()) {
    fail();
    return {};
  }
  const ByteView out = rest_.first(n);
  rest_ = rest_.subspan(n);
  return out;
}

void Reader::zeros(size_t n) {
  const ByteView skipped = bytes(n);
  if (!std::all_of(skipped.begin(), skipped.end(), [](uint8_t byte) { return byte == 0; })) fail();
}

void Writer::patch_u16(size_t at, uint16_t value) {
  out_.at(at) = static_cast<uint8_t>(value >> 8);
  out_.at(at + 1) = static_cast<uint8_t>(value);
}

std::string to_hex(ByteView data) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(data.size() * 2);
  for (const uint8_t byte : data) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return out;
}

}  // namespace ipop
