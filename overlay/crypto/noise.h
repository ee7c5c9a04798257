// One side of a Noise_XX_25519_AESGCM_SHA256 handshake.
//
//   XX:
//     -> e
//     <- e, ee, s, es
//     -> s, se
//
// The Noise Protocol Framework, revision 34 (noiseprotocol.org/noise.html).  Both sides learn each other's
// static key under encryption; whether it belongs to a member is for the payloads to prove.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/crypto/hash.h"
#include "overlay/crypto/x25519.h"

namespace ipop {

enum class Role { Initiator, Responder };

/// AES-256-GCM keys of one direction each, from our point of view.  Wiped when the value dies.
struct TransportKeys {
  std::array<uint8_t, 32> send{};
  std::array<uint8_t, 32> receive{};

  ~TransportKeys();
};

/// A value: to try a message that may be forged, work on a copy and keep the copy if it was genuine.
class Noise {
 public:
  /// `prologue`: what both sides must have agreed on beforehand; it is hashed, not sent.
  Noise(Role role, ByteView prologue, DhKey static_key, DhKey ephemeral);
  Noise(const Noise&) = default;
  Noise& operator=(const Noise&) = default;
  ~Noise();

  /// Octets that a message is longer than its payload: keys and tags.  `message` is 0, 1 or 2.
  static size_t overhead(int message);

  /// True if the next step is write_message(), false if it is read_message() or nothing.
  bool is_our_turn() const;

  /// REQUIRES: is_our_turn(), and payload.size() + overhead <= 65535.
  Bytes write_message(ByteView payload);

  /// The payload.  Error::Malformed if it is too short or too long or brings a worthless key,
  /// Error::BadAuthTag if it is not from the one we talk to, Error::UnexpectedMessage if it is not their
  /// turn. After an error the object is to be thrown away.
  Result<Bytes> read_message(ByteView message);

  /// All three messages went through.
  bool complete() const { return next_message_ == 3; }
  /// Known to the initiator after the second message, to the responder after the third; zeros before.
  const std::array<uint8_t, 32>& remote_static() const { return remote_static_; }
  /// Binds whatever is signed over it to this very handshake (section 11.2).
  const Hash& handshake_hash() const { return h_; }
  /// REQUIRES: complete().
  TransportKeys split() const;

 private:
  // The tokens e and s, and a DH one.
  void write_e(Bytes& out);
  void read_e(Reader& in);
  Result<Done> read_s(Reader& in);
  Result<Done> mix_dh(const DhKey& ours, const std::array<uint8_t, 32>& theirs);
  // The SymmetricState of section 5.2, by the names it has there.
  void mix_key(ByteView input_key_material);
  void mix_hash(ByteView data);
  void encrypt_and_hash(ByteView plaintext, Bytes& out);
  Result<Bytes> decrypt_and_hash(ByteView ciphertext);

  Role role_;
  int next_message_ = 0;  ///< 0 to 2, and 3 when complete.
  Hash h_{};
  Hash ck_{};
  std::optional<Hash> k_;
  uint64_t n_ = 0;
  DhKey s_;
  DhKey e_;
  std::array<uint8_t, 32> remote_static_{};
  std::array<uint8_t, 32> remote_ephemeral_{};
  std::array<uint8_t, 32> ee_{};  ///< The responder's, from the first message to the second.
};

}  // namespace ipop
