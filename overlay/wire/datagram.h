// The outer format of every UDP datagram between two nodes: docs/protocol.md, "Datagrams".
//
// All types share the first four octets: | type (1) | flags (1) | zero (2) |.  Big-endian throughout.  The
// shape follows the WireGuard paper (Donenfeld, NDSS 2017, section 5.4), with the messages of Noise XX in
// place of IK.
#pragma once

#include <array>
#include <cstdint>

#include "overlay/base/bytes.h"
#include "overlay/base/octets.h"
#include "overlay/base/result.h"

namespace ipop::wire {

enum class Type : uint8_t {
  Initiation = 1,      ///< Noise XX message 1.
  Response = 2,        ///< Noise XX message 2.
  Confirmation = 3,    ///< Noise XX message 3.
  Data = 4,            ///< An Ethernet frame, sealed.
  Control = 5,         ///< A control message (wire/control.h), sealed.
  CookieReply = 6,     ///< "Prove your address": under load, instead of a Response.
  UnknownSession = 7,  ///< "I hold no keys for the index you sent to": the sender may have restarted.
};

/// The type of a datagram; Error::Malformed if it is shorter than the common head, if it has flags that its
/// type does not know, or if the zeros are not.
Result<Type> peek_type(ByteView datagram);

inline constexpr size_t kMacSize = 16;

/// No datagram of the handshake is longer, so that it passes every path that carries IPv6 (RFC 8200, section
/// 5: 1280 octets of packet) without fragments.
inline constexpr size_t kMaxHandshakeSize = 1200;

/// | type = 1 | zero (3) | sender_index (4) | noise (360) | mac1 (16) | mac2 (16) |
///
/// Always 400 octets: a third of the longest Response, so that a forged source address amplifies by no more
/// than the factor that RFC 9000, section 8.1, allows.  Calls are much of what a node sends while others come
/// and go, which is why it is not more.
struct Initiation {
  static constexpr size_t kSize = 400;
  static constexpr size_t kNoiseSize = kSize - 8 - 2 * kMacSize;
  uint32_t sender_index = 0;
  Bytes noise;  ///< kNoiseSize octets.

  static Result<Initiation> decode(ByteView datagram);
  /// Without the two MACs, which session/cookie.h appends.
  Bytes encode() const;
};

/// | type = 2 | zero (3) | sender_index (4) | receiver_index (4) | noise (...) | mac1 (16) | mac2 (16) |
struct Response {
  uint32_t sender_index = 0;
  uint32_t receiver_index = 0;
  Bytes noise;

  static Result<Response> decode(ByteView datagram);
  Bytes encode() const;
};

/// | type = 3 | zero (3) | receiver_index (4) | noise (...) | mac1 (16) | mac2 (16) |
struct Confirmation {
  uint32_t receiver_index = 0;
  Bytes noise;

  static Result<Confirmation> decode(ByteView datagram);
  Bytes encode() const;
};

/// | type = 6 | zero (3) | receiver_index (4) | nonce (12) | sealed cookie (16 + 16) |
struct CookieReply {
  static constexpr size_t kSealedSize = 32;
  uint32_t receiver_index = 0;
  std::array<uint8_t, 12> nonce{};
  std::array<uint8_t, kSealedSize> sealed{};

  static Result<CookieReply> decode(ByteView datagram);
  Bytes encode() const;
};

/// | type = 7 | zero (3) | receiver_index (4) |   The index as it was received.  A hint, never a proof.
struct UnknownSession {
  uint32_t receiver_index = 0;

  static Result<UnknownSession> decode(ByteView datagram);
  Bytes encode() const;
};

/// | type = 4 or 5 | flags (1) | zero (2) | receiver_index (4) | counter (8) |, then the sealed plaintext
/// with its tag (16). The 16 octets are the additional data of the seal, the counter is its nonce.
struct DataHeader {
  static constexpr size_t kSize = 16;
  /// Of Data: the TCP or UDP checksum of the frame holds nothing of value and is filled in by whoever needs
  /// it, as with VIRTIO_NET_HDR_F_NEEDS_CSUM; the tag has kept the octets whole.
  static constexpr uint8_t kPartialChecksum = 1;
  /// Of Data: the plaintext is a slice of a frame, which begins with a SliceHeader (wire/slice.h).
  static constexpr uint8_t kSliced = 2;

  Type type = Type::Data;  ///< Data or Control.
  uint8_t flags = 0;       ///< Zero in Control.
  uint32_t receiver_index = 0;
  uint64_t counter = 0;

  bool has_partial_checksum() const { return (flags & kPartialChecksum) != 0; }
  bool is_slice() const { return (flags & kSliced) != 0; }

  /// The flags that a datagram may have.
  static constexpr uint8_t flags_of(Type type) { return type == Type::Data ? kPartialChecksum | kSliced : 0; }

  /// Of what begins `datagram`, which may be anything.  Here, since every frame passes.
  static Result<DataHeader> decode(ByteView datagram) {
    if (datagram.size() < kSize || (datagram[2] | datagram[3]) != 0) return Error::Malformed;
    const auto type = static_cast<Type>(datagram[0]);
    if (type != Type::Data && type != Type::Control) return Error::Malformed;
    const uint8_t flags = datagram[1];
    if ((flags & ~flags_of(type)) != 0) return Error::Malformed;
    return DataHeader{.type = type,
                      .flags = flags,
                      .receiver_index = number_of<uint32_t>(datagram.data() + 4),
                      .counter = number_of<uint64_t>(datagram.data() + 8)};
  }
  /// Writes kSize octets.
  void encode_to(uint8_t* out) const {
    put_pair(uint64_t{static_cast<uint8_t>(type)} << 56 | uint64_t{flags} << 48 | receiver_index, counter,
             out);
  }
};

}  // namespace ipop::wire
