// The network's settings as a signed file, which its members hand to each other: docs/protocol.md,
// "Settings".
//
//   ipop-settings 1
//   Version: 1764086400
//   Signature: (128 lower-case hexadecimal digits)
//   (an empty line)
//   (the document, up to the end of the file)
//
// Each file has one way to be written, so that equal files are equal octets.  Says what is there, and checks
// no signature: crypto/settings.h does.  What the document says is for vnet/settings.h to understand.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"

namespace ipop::wire {

struct SignedSettings {
  /// Octets of a file; bounds what a member may make us keep and carry, and has room for some 400
  /// reservations.
  static constexpr size_t kMaxFileSize = 32 * 1024;
  /// Octets of a document: what the lines above it leave, with a version of 20 digits.
  static constexpr size_t kMaxDocumentSize = kMaxFileSize - 192;

  static constexpr uint64_t kLastVersion = uint64_t{1} << 40;  ///< The year 36812.

  uint64_t version = 0;  ///< Seconds since 1970 when it was signed, or one more than that of the last.
  std::string document;  ///< As the admin wrote it.
  std::array<uint8_t, 64> signature{};  ///< Over signed_part(), by the network's CA.

  bool operator==(const SignedSettings&) const = default;

  /// Error::Malformed unless encode() gives the same octets, at most kMaxFileSize, and the version is 1 to
  /// kLastVersion.
  static Result<SignedSettings> decode(std::string_view file);
  /// REQUIRES: document.size() <= kMaxDocumentSize, version of 1 to kLastVersion.
  std::string encode() const;

  /// | label "ipop settings 1:" (16) | network (32) | version (8) | document |.  `network`: the identifier of
  /// the network, so that a CA's settings are of one network only.
  Bytes signed_part(const std::array<uint8_t, 32>& network) const;
};

}  // namespace ipop::wire
