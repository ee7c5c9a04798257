// The two transport keys of a session and what must be remembered of their use.
//
// A Keypair is shared by the core, which makes and retires it, and the switch's threads, which seal and open
// with it, several at once: the keys never change, the rest is atomic, nothing locks.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/crypto/aead.h"
#include "overlay/crypto/noise.h"
#include "overlay/session/replay_window.h"
#include "overlay/wire/datagram.h"

namespace ipop {

/// What passed between us and one peer, over all keypairs.  Any thread.
struct PeerActivity {
  std::atomic<uint64_t> tx_frames{0}, tx_bytes{0}, rx_frames{0}, rx_bytes{0};  ///< Frames of guests.
  std::atomic<uint64_t> tx_joined{0};        ///< Of those sent, the ones that left behind another in a train.
  std::atomic<Clock::rep> last_sent{0};      ///< Data or control, in microseconds of Instant.
  std::atomic<Clock::rep> last_received{0};  ///< Authenticated, likewise.
  std::atomic<bool> quiet{
      false};  ///< We send and hear nothing; whoever sets it tells the core, which clears it.
  std::atomic<bool> too_big{false};  ///< Frames did not fit the path whole; whoever sets it tells the core.
  std::atomic<Clock::rep> guest_told{0};  ///< When a guest was told of that, likewise.
};

/// After so many messages a keypair is used up.  AES-GCM under one key is safe for far more than the 2^32
/// datagrams of NIST SP 800-38D section 8.3, since our nonces are a counter; what binds is the replay window.
inline constexpr uint64_t kMaxMessages = ReplayWindow::kLimit - (1 << 20);

class Keypair {
 public:
  static constexpr size_t kOverhead = wire::DataHeader::kSize + kTagSize;  ///< 32 octets a datagram.

  /// `local_index` is the one we chose and receive under, `remote_index` the peer's.
  Keypair(const TransportKeys& keys, uint32_t local_index, uint32_t remote_index, Instant created,
          std::shared_ptr<PeerActivity> activity)
      : send_(keys.send),
        receive_(keys.receive),
        local_index_(local_index),
        remote_index_(remote_index),
        created_(created),
        activity_(std::move(activity)) {}

  uint32_t local_index() const { return local_index_; }
  uint32_t remote_index() const { return remote_index_; }
  Instant created() const { return created_; }
  PeerActivity& activity() { return *activity_; }
  /// Whether anything was opened since the last time that somebody asked this.
  bool take_heard() { return heard_.exchange(false, std::memory_order_relaxed); }

  /// Writes a datagram of plaintext.size() + kOverhead octets to `out`, which must not overlap `plaintext`,
  /// unless that is exactly where its ciphertext goes: out + wire::DataHeader::kSize. False, and nothing
  /// written, if the keypair is used up.
  bool seal(wire::Type type, ByteView plaintext, uint8_t* out);
  /// Counters for `n` frames to seal_frame(), of which it returns the first; nothing if the keypair is used
  /// up.
  std::optional<uint64_t> reserve(uint64_t n);
  /// As seal(), of Data with `flags` of wire::DataHeader.  REQUIRES: `counter` was reserved, and is used
  /// once.
  void seal_frame(uint64_t counter, uint8_t flags, ByteView frame, uint8_t* out) const;
  /// Slice `index` of `count` of a frame (wire/slice.h), likewise; returns the datagram's size, at most
  /// slice_datagram_size().  REQUIRES: `counter` is `index` beyond that of slice 0.
  size_t seal_slice(uint64_t counter, uint8_t flags, ByteView frame, size_t index, size_t count,
                    uint8_t* out) const;
  /// Of the largest slice.
  static size_t slice_datagram_size(size_t frame_size, size_t count);

  /// Opens a datagram that `header` was read from and writes datagram.size() - kOverhead octets to `out`,
  /// which may be uninitialised and holds nothing of value after an error: BadAuthTag or Replayed. REQUIRES:
  /// datagram.size() >= kOverhead.
  Result<Done> open(const wire::DataHeader& header, ByteView datagram, uint8_t* out);

 private:
  void seal_as(const wire::DataHeader& header, ByteView plaintext, uint8_t* out) const;

  const AeadKey send_;
  const AeadKey receive_;
  const uint32_t local_index_;
  const uint32_t remote_index_;
  const Instant created_;
  const std::shared_ptr<PeerActivity> activity_;
  std::atomic<uint64_t> next_counter_{0};
  std::atomic<bool> heard_{false};
  ReplayWindow window_;
};

}  // namespace ipop
