// Addresses that two guests of this host use, neither of which asked for it: the first one keeps it if it
// answers (RFC 5227, section 2.4), and whoever is gone does not keep it for the hour that its silence would
// last.
//
// A calculation: no I/O, one owner, not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "overlay/base/time.h"
#include "overlay/wire/address.h"

namespace ipop {

class Contests {
 public:
  /// So long a holder may take to answer; meanwhile it is asked every kAskInterval.
  static constexpr Duration kDefenceTime = 4s;
  static constexpr Duration kAskInterval = 1s;
  /// Who has answered is not asked again for so long.
  static constexpr Duration kQuietTime = 10s;
  /// Addresses at a time; of others the holder is not asked.
  static constexpr size_t kMost = 64;

  /// Another guest uses `ip`, which is `holder`'s.
  void start(Instant now, const IpAddress& ip, const MacAddress& holder);
  /// `mac` says that it uses `ip`.
  void handle_word(Instant now, const MacAddress& mac, const IpAddress& ip);

  struct Event {
    enum class Kind {
      Question,  ///< The holder is to be asked.
      Lost,      ///< It has not answered.
    };
    Kind kind;
    IpAddress ip;
    MacAddress holder;
  };
  std::optional<Event> poll_event();

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  struct Contest {
    MacAddress holder;
    Instant due;       ///< When the next question is asked; of one that has answered, when it is forgotten.
    Instant deadline;  ///< For the answer.
    bool is_answered = false;
  };

  std::map<IpAddress, Contest> contests_;
  std::deque<Event> events_;
};

}  // namespace ipop
