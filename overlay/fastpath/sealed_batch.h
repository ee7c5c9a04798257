// Datagrams that are ready to be sent, one after the other in one buffer.
//
// Datagrams of equal size for one endpoint form a train, which the kernel takes whole and cuts apart as late
// as it can (UDP_SEGMENT): only the last of a train may be shorter.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/wire/address.h"

namespace ipop {

class SealedBatch {
 public:
  /// Four super-frames of 64 KB fit with what sealing adds; a batch of the switch has 32 frames.
  static constexpr size_t kCapacity = 4 * (65536 + 64 * 64);
  /// Linux before 6.9 cuts a train in at most 64 (UDP_MAX_SEGMENTS), and its octets have to fit one UDP
  /// datagram.
  static constexpr size_t kMaxTrainSegments = 64;
  static constexpr size_t kMaxTrainSize = 65000;

  struct Train {
    Endpoint to;
    size_t offset = 0;        ///< Of its first octet in the buffer.
    size_t size = 0;          ///< Of all its datagrams together.
    size_t segment_size = 0;  ///< Of each datagram but the last.
  };

  SealedBatch() : buffer_(std::make_unique_for_overwrite<uint8_t[]>(kCapacity)) { trains_.reserve(64); }

  /// Where the next datagram of `size` octets is to be written, or null if there is no room.
  uint8_t* reserve(size_t size) { return size <= kCapacity - used_ ? buffer_.get() + used_ : nullptr; }
  /// The datagram that was written to the last reserve()d place is for `to`.  True if it goes on a train that
  /// has others already; never unless `may_join`.
  bool commit(const Endpoint& to, size_t size, bool may_join = true);

  const std::vector<Train>& trains() const { return trains_; }
  ByteView bytes(const Train& train) const { return {buffer_.get() + train.offset, train.size}; }
  bool empty() const { return trains_.empty(); }
  void clear();

 private:
  std::unique_ptr<uint8_t[]> buffer_;
  size_t used_ = 0;
  std::vector<Train> trains_;
  size_t segments_ = 0;       ///< Of the last train.
  bool train_closed_ = true;  ///< The last train ended with a shorter datagram.
};

/// Sends batches; the shell's socket, or a recorder.
class DatagramSink {
 public:
  virtual ~DatagramSink() = default;
  virtual void send(const SealedBatch& batch) = 0;
};

}  // namespace ipop
