// Frames and octets of guests that passed a port.  Any thread; relaxed, since a statistic orders nothing.
#pragma once

#include <atomic>
#include <cstdint>

namespace ipop {

struct PortCounters {
  std::atomic<uint64_t> rx_frames{0}, rx_bytes{0}, rx_dropped{0};  ///< Towards the switch.
  std::atomic<uint64_t> tx_frames{0}, tx_bytes{0}, tx_dropped{0};  ///< From the switch.
  std::atomic<uint64_t> tx_datagrams{0}, rx_datagrams{0};          ///< Data, on the Internet's side.
  std::atomic<uint64_t> refused_trains{0};                         ///< That the system did not take as such.
  std::atomic<uint64_t> tx_sliced{0};                              ///< Frames that did not fit the path.
  std::atomic<uint64_t> rx_incomplete{0};                          ///< Of which some slices did not come.
  std::atomic<uint64_t> to_core{0}, core_full{0};  ///< Handed to the core; refused since it lags.

  static void add(std::atomic<uint64_t>& counter, uint64_t n = 1) {
    counter.fetch_add(n, std::memory_order_relaxed);
  }
};

}  // namespace ipop
