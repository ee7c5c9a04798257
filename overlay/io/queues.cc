#include "overlay/io/queues.h"

#include <utility>

namespace ipop {
namespace {

Bytes copy(ByteView view) { return {view.begin(), view.end()}; }

}  // namespace

template <class Make>
void CoreQueue::put(Room room, size_t size, Make make) {
  const size_t most = room == Room::All ? kMaxEntries : kMaxUnreserved;
  const size_t most_bytes = room == Room::All ? kMaxBytes : kMaxUnreservedBytes;
  {
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= most || bytes_ + size > most_bytes) {
      PortCounters::add(counters_.core_full);
      return;
    }
    entries_.push_back(make());
    bytes_ += size;
    if (entries_.size() > 1) return;  // Signalled already.
  }
  wakeup_.signal();
}

void CoreQueue::guest_frame(ByteView frame) {
  put(Room::Unreserved, frame.size(), [&] { return GuestFrame{copy(frame)}; });
}

void CoreQueue::datagram(const Endpoint& from, ByteView datagram) {
  put(Room::Unreserved, datagram.size(), [&] { return Datagram{from, copy(datagram)}; });
}

void CoreQueue::opened(uint32_t local_index, const Endpoint& from, wire::Type type, ByteView plaintext) {
  // A peer may send as many frames as it likes.
  const Room room = type == wire::Type::Data ? Room::Unreserved : Room::All;
  put(room, plaintext.size(), [&] { return Opened{local_index, from, type, copy(plaintext)}; });
}

void CoreQueue::received(uint32_t local_index, const Endpoint& from) {
  put(Room::Unreserved, 0, [&] { return Received{local_index, from}; });
}

void CoreQueue::quiet(const NodeId& node) {
  put(Room::All, 0, [&] { return Quiet{node}; });
}

void CoreQueue::too_big(const NodeId& node) {
  put(Room::All, 0, [&] { return TooBig{node}; });
}

void CoreQueue::too_long(ByteView head, size_t max_frame) {
  put(Room::Unreserved, head.size(), [&] { return TooLong{copy(head), max_frame}; });
}

void CoreQueue::stop() {
  is_stopping_ = true;
  wakeup_.signal();
}

std::vector<CoreQueue::Entry> CoreQueue::take_all() {
  wakeup_.clear();
  if (is_stopping_) wakeup_.signal();  // That of stop() may be what was cleared.
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(entries_, {});
}

void GuestQueue::put(Bytes frame) {
  {
    const std::lock_guard lock(mutex_);
    if (frames_.size() >= kMaxFrames) {
      PortCounters::add(counters_.rx_dropped);
      return;
    }
    frames_.push_back(std::move(frame));
    size_.store(frames_.size(), std::memory_order_release);
    wakeup_
        .signal();  // Under the lock, as clear() is: else it might come after the clear() of an empty queue.
  }
}

std::optional<Bytes> GuestQueue::take() {
  if (size_.load(std::memory_order_acquire) == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (frames_.empty()) return std::nullopt;
  Bytes out = std::move(frames_.front());
  frames_.pop_front();
  size_.store(frames_.size(), std::memory_order_release);
  if (frames_.empty()) wakeup_.clear();
  return out;
}

}  // namespace ipop
