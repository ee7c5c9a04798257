#include "overlay/session/replay_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "overlay/base/random.h"

namespace ipop {
namespace {

constexpr uint64_t kCertain = 8160;  // How far behind the newest a counter is told apart for certain.

TEST(ReplayWindow, BoundaryTable) {
  constexpr uint64_t kFar = 5'000'000;
  constexpr uint64_t kLast = ReplayWindow::kLimit - 1;
  const struct {
    int step;
    uint64_t counter;
    bool accepted;
  } table[] = {
      {1, 0, true},       // The first of all.
      {2, 0, false},      //
      {3, 1, true},       //
      {4, 1, false},      //
      {5, 31, true},      // The last of the first word,
      {6, 32, true},      // the first of the second.
      {7, 31, false},     //
      {8, 32, false},     //
      {9, 30, true},      // Late, but new.
      {10, 8191, true},   // The last before words are used again:
      {11, 33, true},     // 8158 behind,
      {12, 29, true},     // 8162 behind, and its word still stands for it.
      {13, 8192, true},   // Takes over the word of 0 to 31:
      {14, 28, false},    // never seen, but nobody can tell.
      {15, 0, false},     //
      {16, 34, true},     // The next word is untouched.
      {17, 8223, true},   //
      {18, 8224, true},   //
      {19, 63, false},    // 8161 behind.
      {20, 64, true},     // 8160 behind: certain.
      {21, kFar, true},   // A jump over many windows.
      {22, kFar, false},  //
      {23, kFar - kCertain, true},
      {24, kFar - kCertain, false},
      {25, kFar - 1, true},
      {26, kFar - 1, false},
      {27, kLast, true},      // The last that the window can tell apart,
      {28, kLast, false},     //
      {29, kLast - 1, true},  //
      {30, kLast - kCertain, true},
      {31, kLast + 1, false},  // and the first that it cannot.
      {32, ~uint64_t{0}, false},
      {33, kLast + (uint64_t{1} << 37), false},  // The same block number modulo 2^32.
      {34, kLast - kCertain, false},
  };
  ReplayWindow window;
  for (const auto& row : table) EXPECT_EQ(window.accept(row.counter), row.accepted) << "step " << row.step;
}

TEST(ReplayWindow, CountsUpAndRefusesTheSameAgain) {
  ReplayWindow window;
  for (uint64_t i = 0; i < 3 * ReplayWindow::kSize; ++i) ASSERT_TRUE(window.accept(i)) << i;
  for (uint64_t i = 3 * ReplayWindow::kSize; i-- > 0;) ASSERT_FALSE(window.accept(i)) << i;
}

TEST(ReplayWindow, CountsDownFromTheNewest) {
  constexpr uint64_t kNewest = 1'000'007;
  ReplayWindow window;
  for (uint64_t behind = 0; behind <= kCertain; ++behind)
    ASSERT_TRUE(window.accept(kNewest - behind)) << behind;
  for (uint64_t behind = 0; behind <= kCertain; ++behind)
    ASSERT_FALSE(window.accept(kNewest - behind)) << behind;
}

/// The promise, kept in a set that forgets nothing.
class SlowWindow {
 public:
  /// Whether the answer for `counter` may be `accepted`; notes it if so.
  bool agrees(uint64_t counter, bool accepted) {
    const bool is_new = !seen_.contains(counter);
    const bool is_certain = seen_.empty() || counter + kCertain >= *seen_.rbegin();
    if (accepted) seen_.insert(counter);
    return accepted ? is_new : !is_new || !is_certain;
  }

 private:
  std::set<uint64_t> seen_;
};

TEST(ReplayWindow, AgreesWithASlowTwinInAnyOrder) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SeededRandom random(seed);
    ReplayWindow window;
    SlowWindow twin;
    uint64_t front = random.below(1'000'000);
    for (int i = 0; i < 40'000; ++i) {
      switch (random.below(16)) {
        case 0:
          front += random.below(20'000);
          break;  // A gap.
        case 1:
          front += random.below(300);
          break;
        default:
          front += 1;
      }
      const uint64_t reach = random.below(3) == 0 ? 20'000 : 600;
      const uint64_t counter = front - std::min(front, random.below(reach));
      ASSERT_TRUE(twin.agrees(counter, window.accept(counter))) << "seed " << seed << ", counter " << counter;
    }
  }
}

// Several receive queues open datagrams of one session, and an attacker has copied each datagram to all of
// them.
TEST(ReplayWindow, FourThreadsAcceptEachCounterOnce) {
  constexpr uint64_t kCount = 400'000;
  constexpr uint64_t kShuffled = 2048;  // Less than the window, so none may be refused for its age...
  ReplayWindow window;
  std::vector<std::atomic<uint8_t>> accepted(kCount);
  std::atomic<uint64_t> front[4] = {};
  const auto run = [&](size_t self) {
    SeededRandom random(self + 1);
    std::vector<uint64_t> order(kShuffled);
    for (uint64_t start = 0; start < kCount; start += kShuffled) {
      // ... as long as no thread runs away from the others.
      for (auto& other : front) {
        while (other.load() + 2 * kShuffled < start) std::this_thread::yield();
      }
      std::iota(order.begin(), order.end(), start);
      for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
      for (const uint64_t counter : order) {
        if (counter < kCount && window.accept(counter)) accepted[counter].fetch_add(1);
      }
      front[self].store(start + kShuffled);
    }
    front[self].store(~uint64_t{0} / 2);
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 4; ++i) threads.emplace_back(run, i);
  for (auto& thread : threads) thread.join();
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(accepted[i].load(), 1) << "counter " << i;
}

// Where threads drift further apart than the window, counters get lost, but none is taken twice.
TEST(ReplayWindow, FourThreadsAtOddsNeverAcceptTwice) {
  constexpr uint64_t kCount = 300'000;
  ReplayWindow window;
  std::vector<std::atomic<uint8_t>> accepted(kCount);
  std::vector<std::thread> threads;
  for (size_t self = 0; self < 4; ++self) {
    threads.emplace_back([&, self] {
      SeededRandom random(self + 11);
      for (uint64_t i = 0; i < kCount; ++i) {
        const uint64_t counter = (i + random.below(2 * ReplayWindow::kSize)) % kCount;
        if (window.accept(counter)) accepted[counter].fetch_add(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (uint64_t i = 0; i < kCount; ++i) ASSERT_LE(accepted[i].load(), 1) << "counter " << i;
}

}  // namespace
}  // namespace ipop
