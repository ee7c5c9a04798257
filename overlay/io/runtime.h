// The shell of the control half: one thread that owns a Node, and feeds and empties it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "overlay/base/log.h"
#include "overlay/io/published.h"
#include "overlay/io/questions.h"
#include "overlay/io/queues.h"
#include "overlay/io/report.h"
#include "overlay/io/state_writer.h"
#include "overlay/io/system.h"
#include "overlay/io/thread.h"
#include "overlay/io/udp_socket.h"
#include "overlay/node/node.h"

namespace ipop {

/// How often a report is made at most, and not at all while nothing happens.
inline constexpr Duration kReportInterval = 250ms;
/// How often changed leases are written at most.
inline constexpr Duration kLeaseWriteInterval = 1s;
/// How often changed peers are written at most.  An empty list is not written: it would forget whom to call.
inline constexpr Duration kPeerWriteInterval = 1s;
/// When a file that could not be written is tried again.
inline constexpr Duration kStateRetryInterval = 60s;
/// How often the wall clock is looked at.
inline constexpr Duration kClockInterval = 10s;

class Runtime {
 public:
  /// Starts the thread.  The references must outlive it.
  /// `state`: the path, without its ending, of the files in which leases, peers and settings survive a
  /// restart, or "" to forget them.
  Runtime(NodeConfig config, const std::string& state, const UdpSocket& socket, PortCounters& counters,
          Log& log);
  /// Says goodbye to the peers and ends the thread, within milliseconds, or when the disk has the state.
  ~Runtime();
  Runtime(const Runtime&) = delete;

  // Any thread:
  const Published<Snapshot>& snapshot() const { return snapshot_; }
  const Published<Report>& report() const { return report_; }
  /// Grows when the report says something else than before, apart from ages and counters.
  uint64_t report_seq() const { return report_seq_.load(std::memory_order_acquire); }
  CoreInbox& inbox() { return inbox_; }
  GuestQueue& guest_frames() { return guest_frames_; }
  Questions& questions() { return questions_; }
  const Questions& questions() const { return questions_; }
  int guest_frames_fd() const { return guest_frames_.wakeup_fd(); }
  ErrorCounters& refused() { return node_.refused(); }
  const ErrorCounters& refused() const { return node_.refused(); }

 private:
  void run();
  void run_once();
  void feed(Instant now, const CoreQueue::Entry& entry);
  void empty();
  void read_state();
  void write_leases(Instant now);
  void write_peers(Instant now);
  void write_settings(Instant now);
  void handle_unwritten(Instant now);
  void make_report_if_due(Instant now);
  void sleep_until(Instant deadline);

  std::string lease_file_;
  std::string peer_file_;
  std::string settings_file_;
  const UdpSocket& socket_;
  Log& log_;
  SystemRandom random_;
  CoreQueue inbox_;
  GuestQueue guest_frames_;
  Questions questions_;
  Node node_;
  Published<Snapshot> snapshot_{std::make_shared<Snapshot>()};
  Published<Report> report_;
  std::atomic<uint64_t> report_seq_{1};
  std::string reported_;  ///< What the last report said, without ages and counters.
  Instant report_at_{};
  bool is_report_due_ = true;                ///< Something has happened since the last one.
  std::optional<StateWriter> state_writer_;  ///< Unless nothing is kept.
  bool are_leases_unwritten_ = false;        ///< Although nothing has changed since they were to be.
  Instant leases_at_{};
  Instant peers_at_{};
  std::string peers_written_;
  Instant settings_at_{};
  uint64_t settings_written_ = 0;  ///< Their version.
  Instant clock_at_{};
  std::optional<Thread> thread_;  ///< From the end of the constructor to the beginning of the destructor.
};

}  // namespace ipop
