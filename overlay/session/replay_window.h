// Which counters of a keypair were received already.
//
// Several receive queues of the switch may open datagrams of one session at the same time, so the window is a
// ring of words that are swapped atomically, and needs neither a lock nor a common "highest counter": the
// upper half of a word names the block of 32 counters that the word stands for, the lower half has a bit for
// each.  A block whose word has moved on to a newer one is too old.  (RFC 6479 keeps such a ring of blocks
// for one thread.)
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace ipop {

class ReplayWindow {
 public:
  /// Counters that may lie between a datagram and the newest one before it counts as too old: 8160 are
  /// certain. At 64 segments a system call and a few queues, reordering stays two orders of magnitude below.
  static constexpr uint64_t kSize = 8192;

  /// The first counter that the window cannot tell apart any more; a keypair ends long before.
  static constexpr uint64_t kLimit = (uint64_t{1} << 32) * 32;

  /// Marks `counter` as seen.  False if it was seen before or is too old to tell.  Only for authenticated
  /// datagrams: a forged one must not move the window.  Any thread.
  bool accept(uint64_t counter) {
    if (counter >= kLimit) return false;
    const uint64_t block = counter / 32;
    const uint64_t bit = uint64_t{1} << (counter % 32);
    std::atomic<uint64_t>& word = words_[block % words_.size()];
    uint64_t seen = word.load(std::memory_order_relaxed);
    uint64_t next;
    do {
      const uint64_t seen_block = seen >> 32;
      if (seen_block > block) return false;  // The ring has moved on.
      if (seen_block == block && (seen & bit) != 0) return false;
      next = seen_block == block ? seen | bit : block << 32 | bit;
    } while (!word.compare_exchange_weak(seen, next, std::memory_order_relaxed));
    return true;
  }

 private:
  std::array<std::atomic<uint64_t>, kSize / 32> words_{};
};

}  // namespace ipop
