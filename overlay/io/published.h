// A value that one thread replaces and many read, without a lock as long as it stays the same.
//
// Each reading thread keeps its own reference, and looks only at a version number to see whether it is still
// the newest.  A thread that stopped reading holds its last value until it reads again or ends.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace ipop {

template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)), id_(next_id()) {}

  void publish(std::shared_ptr<const T> value) {
    {
      const std::lock_guard lock(mutex_);
      value_.swap(value);
      version_.fetch_add(1, std::memory_order_release);
    }
    // The old value dies here, if at all, outside the lock.
  }

  /// The newest value.  The reference is good until this thread's next read() of any Published<T>.
  const T& read() const {
    thread_local std::array<Cache, kCaches> caches;
    Cache& cache = caches[id_ % kCaches];
    const uint64_t version = version_.load(std::memory_order_acquire);
    if (cache.owner != id_ || cache.version != version) {
      Cache fresh{.owner = id_, .version = 0, .value = nullptr};
      {
        const std::lock_guard lock(mutex_);
        fresh.version = version_.load(std::memory_order_relaxed);
        fresh.value = value_;
      }
      std::swap(cache, fresh);  // What the cache held may die here, outside the lock.
    }
    return *cache.value;
  }

  /// For a thread that reads rarely and should keep nothing.
  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  struct Cache {
    uint64_t owner = 0;
    uint64_t version = 0;
    std::shared_ptr<const T> value;
  };

  /// So many of a kind are read by one thread without getting in each other's way: ports of one switch.
  static constexpr size_t kCaches = 16;

  /// Never reused, unlike addresses: a thread's cache may outlive the object it read.
  static uint64_t next_id() {
    static std::atomic<uint64_t> last{0};
    return ++last;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<uint64_t> version_{1};
  const uint64_t id_;
};

}  // namespace ipop
