// The UDP socket of a port: IPv4 and IPv6 in one, batches both ways, segmentation offload where the kernel
// has it.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/fastpath/sealed_batch.h"
#include "overlay/io/system.h"
#include "overlay/wire/address.h"

namespace ipop {

class UdpSocket {
 public:
  struct OpenError {
    int error = 0;     ///< errno
    std::string text;  ///< A sentence that names the address.
  };
  /// Binds to `local`; an all-zero address stands for all, IPv4 only where the host has no IPv6.
  /// Non-blocking.
  static Result<UdpSocket, OpenError> open(const Endpoint& local);
  /// `n` >= 1 sockets that share `local`, which nobody else may have: what one sender sends arrives at one of
  /// them, in order, and senders are spread over them (SO_REUSEPORT, socket(7)).
  static Result<std::vector<UdpSocket>, OpenError> open_group(const Endpoint& local, size_t n);

  int fd() const { return fd_.get(); }
  /// As bound.
  const Endpoint& local() const { return local_; }
  /// The address from which the system would send to `remote`, with our port; nothing if there is no route.
  std::optional<Endpoint> local_towards(const Endpoint& remote) const;

  /// Sends one datagram.  False if the system did not take it; a lost datagram is the sender's to repeat. Any
  /// thread.
  bool send(const Endpoint& to, ByteView datagram) const;
  struct Sent {
    size_t lost = 0;            ///< Datagrams that the system did not take.
    size_t refused_trains = 0;  ///< Trains that it did not take: their datagrams left one by one.
  };
  /// Sends all trains; one by one what they are made of if udp_offload() has none.  Any thread.
  Sent send(const SealedBatch& batch) const;

 private:
  enum class Sharing { None, Group };
  static Result<UdpSocket, OpenError> open(const Endpoint& local, Sharing sharing);
  UdpSocket(Descriptor fd, bool is_ipv6, Endpoint local)
      : fd_(std::move(fd)), is_ipv6_(is_ipv6), local_(local) {}
  socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) const;
  size_t send_singly(const SealedBatch& batch, const SealedBatch::Train& train) const;

  Descriptor fd_;
  bool is_ipv6_;
  Endpoint local_;
};

/// Receives with as few system calls as it can, and yields one datagram at a time.  One thread.
class ReceiveRing {
 public:
  ReceiveRing();

  /// Valid until the next call.
  struct Datagram {
    const Endpoint& from;
    ByteView bytes;
  };
  /// The next datagram; asks the system once for more if none is left, and yields nothing if it has none.
  std::optional<Datagram> next(const UdpSocket& socket) {
    if (current_ == filled_) refill(socket);
    if (current_ == filled_) return std::nullopt;
    Slot& slot = slots_[current_];
    const ByteView rest = ByteView(slot.octets).subspan(slot.offset, slot.size - slot.offset);
    const ByteView bytes = rest.first(std::min(slot.segment_size, rest.size()));
    slot.offset += bytes.size();
    if (slot.offset == slot.size) ++current_;
    return Datagram{.from = slot.endpoint, .bytes = bytes};
  }
  /// True if next() has something without asking the system.
  bool has_more() const { return current_ < filled_; }

 private:
  static constexpr size_t kSlots = 16;

  struct Slot {
    sockaddr_storage from;
    alignas(8) std::array<uint8_t, 64> control;
    iovec vector;       ///< All of `octets`.
    Endpoint endpoint;  ///< `from`.
    size_t size = 0;
    size_t segment_size = 0;
    size_t offset = 0;                  ///< Consumed.
    std::array<uint8_t, 65536> octets;  ///< What UDP_GRO may join.
  };

  void refill(const UdpSocket& socket);

  std::unique_ptr<Slot[]> slots_;
  std::array<mmsghdr, kSlots> messages_{};  ///< Into the slots.
  size_t filled_ = 0;
  size_t current_ = 0;
};

}  // namespace ipop
