// The two bounded queues between the switch's threads and the core's: neither is on the way of a data frame
// whose session exists, unless it says what a guest may not say unseen.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "overlay/fastpath/core_inbox.h"
#include "overlay/fastpath/counters.h"
#include "overlay/io/system.h"

namespace ipop {

/// Any thread puts, the core's thread takes.  When full, what comes is refused and counted: it is all
/// repeated by somebody, or was noise.
class CoreQueue : public CoreInbox {
 public:
  static constexpr size_t kMaxEntries = 4096;
  static constexpr size_t kMaxBytes = 4 << 20;
  /// So full, it takes only what keeps links alive: no frames of guests, whether ours or those of peers, and
  /// nothing from strangers.
  static constexpr size_t kMaxUnreserved = kMaxEntries / 2;
  static constexpr size_t kMaxUnreservedBytes = kMaxBytes / 2;

  struct GuestFrame {
    Bytes frame;
  };
  struct Datagram {
    Endpoint from;
    Bytes bytes;
  };
  struct Opened {
    uint32_t local_index;
    Endpoint from;
    wire::Type type;
    Bytes plaintext;
  };
  struct Received {
    uint32_t local_index;
    Endpoint from;
  };
  struct Quiet {
    NodeId node;
  };
  struct TooBig {
    NodeId node;
  };
  struct TooLong {
    Bytes head;
    size_t max_frame;
  };
  using Entry = std::variant<GuestFrame, Datagram, Opened, Received, Quiet, TooBig, TooLong>;

  explicit CoreQueue(PortCounters& counters) : counters_(counters) {}

  void guest_frame(ByteView frame) override;
  void datagram(const Endpoint& from, ByteView datagram) override;
  void opened(uint32_t local_index, const Endpoint& from, wire::Type type, ByteView plaintext) override;
  void received(uint32_t local_index, const Endpoint& from) override;
  void quiet(const NodeId& node) override;
  void too_big(const NodeId& node) override;
  void too_long(ByteView head, size_t max_frame) override;

  /// All that is there, in order.
  std::vector<Entry> take_all();
  Wakeup& wakeup() { return wakeup_; }
  /// The core's thread is to end: from now on wakeup() stays readable, whatever is taken.  Any thread.
  void stop();
  bool is_stopping() const { return is_stopping_; }

 private:
  enum class Room { Unreserved, All };
  /// Puts what `make()` returns, unless that room has no place for it and its `size` octets.
  template <class Make>
  void put(Room room, size_t size, Make make);

  PortCounters& counters_;
  Wakeup wakeup_;
  std::atomic<bool> is_stopping_{false};
  std::mutex mutex_;
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
};

/// Frames of the core for the switch.
class GuestQueue {
 public:
  static constexpr size_t kMaxFrames = 4096;

  explicit GuestQueue(PortCounters& counters) : counters_(counters) {}

  /// The core's thread.
  void put(Bytes frame);
  /// The switch's receiving thread; costs one load while the queue is empty.
  std::optional<Bytes> take();
  /// Readable while there is something to take.
  int wakeup_fd() const { return wakeup_.fd(); }

 private:
  PortCounters& counters_;
  Wakeup wakeup_;
  std::atomic<size_t> size_{0};
  std::mutex mutex_;
  std::deque<Bytes> frames_;
};

}  // namespace ipop
