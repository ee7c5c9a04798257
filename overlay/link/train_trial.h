// Whether datagrams for one peer may leave in trains: many in one system call, which the kernel cuts apart as
// late as it can (UDP_SEGMENT, io/udp_socket.h).
//
// Kernels, drivers and paths exist that take trains and lose or spoil them, all or nearly all, while single
// datagrams pass.  TCP inside then crawls from time-out to time-out.  So while trains are sent the peer is
// asked now and then how many datagrams it has opened.  Where most are missing several times in a row they
// are sent one by one; if that helps, it stays so for a while, and if not the trains were not to blame (the
// path may be full).  A calculation on counts.
#pragma once

#include <cstdint>
#include <optional>

#include "overlay/base/time.h"

namespace ipop {

class TrainTrial {
 public:
  /// Of so many datagrams since the last answer says the next one something.
  static constexpr uint64_t kLeastSent = 8;
  /// Missing of a hundred from which on it is bad.  What is on its way counts as missing for once.
  static constexpr uint64_t kBadPercent = 40;
  /// So many bad answers in a row are no chance; so many good ones neither.
  static constexpr int kInARow = 4;
  /// How long a verdict holds: no trains, or no blame.
  static constexpr Duration kVerdictTime = 10min;

  bool allows_trains() const { return state_ == State::Trains || state_ == State::Acquitted; }
  /// How often trains were found guilty.
  uint64_t convictions() const { return convictions_; }

  /// Whether the peer should be asked, `sent` datagrams having left, `joined` of them behind another in a
  /// train. Counts since the link was made, as all others here.
  bool is_due(uint64_t sent, uint64_t joined) const;
  /// It is asked now.
  void note_asked(uint64_t sent, uint64_t joined);
  enum class Change {
    None,
    Suspected,  ///< No trains from now on, to see whether that helps.
    Convicted,  ///< It does: none for kVerdictTime.
    Acquitted,  ///< It does not: trains again.
    Retried,    ///< The verdict is old: trains again.
  };
  /// It answers that it has opened `received`.
  Change handle_answer(Instant now, uint64_t received);

 private:
  enum class State {
    Trains,     ///< Nothing is known against them.
    Singles,    ///< They are suspects: does it get better without?
    Guilty,     ///< It did.  Until the verdict is old.
    Acquitted,  ///< It did not.  Likewise.
  };
  struct Counts {
    uint64_t sent = 0, joined = 0, received = 0;
  };

  Change go(Instant now, State state, Change change);

  State state_ = State::Trains;
  Instant verdict_until_ = kNever;
  Counts asked_;                ///< When it was asked last.
  std::optional<Counts> last_;  ///< When it last answered.
  int bad_ = 0;                 ///< Answers in a row.
  int good_ = 0;
  uint64_t convictions_ = 0;
};

}  // namespace ipop
