// Bytes on the wire: a Reader that never reads past the end and a Writer that cannot fail.  Big-endian, as
// the Internet.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipop {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;
using ByteSpan = std::span<uint8_t>;

/// Reads from a view that must outlive it.  After the first failure every read yields zeros and ok() stays
/// false, so a decoder asks once, at its end.
class Reader {
 public:
  explicit Reader(ByteView data) : rest_(data) {}

  bool ok() const { return ok_; }
  /// True if all was read and nothing failed.
  bool done() const { return ok_ && rest_.empty(); }
  size_t remaining() const { return rest_.size(); }
  void fail();

  uint8_t u8() { return static_cast<uint8_t>(number<1>()); }
  uint16_t u16() { return static_cast<uint16_t>(number<2>()); }
  uint32_t u32() { return static_cast<uint32_t>(number<4>()); }
  uint64_t u64() { return number<8>(); }

  /// The next `n` bytes, as a view into the input; empty after a failure.
  ByteView bytes(size_t n);
  /// Everything that is left.
  ByteView rest() { return bytes(rest_.size()); }
  template <size_t N>
  std::array<uint8_t, N> array() {
    std::array<uint8_t, N> out{};
    const ByteView in = bytes(N);
    if (in.size() == N) std::memcpy(out.data(), in.data(), N);
    return out;
  }
  /// Skips `n` bytes that must be zero.
  void zeros(size_t n);

 private:
  template <size_t N>
  uint64_t number() {
    uint64_t value = 0;
    for (const uint8_t byte : array<N>()) value = value << 8 | byte;
    return value;
  }

  ByteView rest_;
  bool ok_ = true;
};

/// Appends to a vector of its own; take() hands it over.
class Writer {
 public:
  void u8(uint8_t value) { out_.push_back(value); }
  void u16(uint16_t value) { number<2>(value); }
  void u32(uint32_t value) { number<4>(value); }
  void u64(uint64_t value) { number<8>(value); }
  void bytes(ByteView data) { out_.insert(out_.end(), data.begin(), data.end()); }
  void zeros(size_t n) { out_.insert(out_.end(), n, 0); }

  size_t size() const { return out_.size(); }
  /// Overwrites two bytes written earlier: lengths and checksums that are known last.
  /// REQUIRES: at + 2 <= size().
  void patch_u16(size_t at, uint16_t value);
  ByteView view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  template <size_t N>
  void number(uint64_t value) {
    for (size_t i = N; i-- > 0;) out_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }

  Bytes out_;
};

/// Lower-case hexadecimal without separators.
std::string to_hex(ByteView data);
/// The inverse; nothing for an odd length or a foreign character.
std::optional<Bytes> from_hex(std::string_view text);

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

}  // namespace ipop
