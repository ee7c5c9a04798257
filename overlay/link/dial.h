// One attempt to set up a session with whoever is at an endpoint: repeats what the network loses.
//
//   Calling     Initiation sent, repeated with growing pauses, since no answer may also mean that the peer's
//               NAT is not open yet: our own Initiations are what opens ours for its (RFC 5128, section 3.3).
//   Confirming  Response accepted, Confirmation sent, repeated until something arrives under the new keys:
//               then the owner drops the dial.
//   Finished    Nobody answered in time.
#pragma once

#include <deque>
#include <optional>

#include "overlay/base/random.h"
#include "overlay/base/time.h"
#include "overlay/link/path.h"
#include "overlay/session/handshake.h"

namespace ipop {

/// The first repetition comes after this; each later pause is twice as long, up to the limit below, give or
/// take a third, so that nodes which started together do not stay in step.
inline constexpr Duration kFirstRetry = 300ms;
inline constexpr Duration kSlowestRetry = 2s;

/// Three to six Confirmations fit; after that the responder has surely forgotten us.
inline constexpr Duration kConfirmationPatience = 3s;

class Dial {
 public:
  struct Target {
    Path path;
    std::optional<NodeId> node;  ///< Nothing: whoever is there (an introducer).
    Duration first_retry = kFirstRetry;
    bool is_rekey = false;  ///< New keys for a session that exists.
  };

  /// Gives up after `patience` without an answer; Duration::max() never does.
  Dial(const Credentials& credentials, Target target, uint32_t local_index, Duration patience, Instant now,
       Random& random);

  /// Once Confirming: who answered, and from where.
  const Target& target() const { return target_; }
  uint32_t local_index() const { return handshake_.local_index(); }
  bool is_calling() const { return state_ == State::Calling; }
  bool finished() const { return state_ == State::Finished; }

  /// Errors as InitiatorHandshake::handle_response(), and WrongPeer if it is not the node we want: then the
  /// dial is finished, for that node does not live there.  `from` is where the peer really is.
  Result<Established> handle_response(Instant now, const Path& from, const wire::Response& response,
                                      UnixSeconds unix_now);
  Result<Done> handle_cookie(Instant now, const wire::CookieReply& reply);
  /// What to send to target().path; nothing most of the time.
  std::optional<Bytes> poll_datagram();
  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  enum class State { Calling, Confirming, Finished };

  void schedule_retry(Instant now);

  Target target_;
  InitiatorHandshake handshake_;
  Random& random_;
  State state_ = State::Calling;
  Duration pause_;
  Instant retry_at_;
  Instant give_up_at_;
  bool due_ = true;  ///< A datagram waits for poll_datagram().
  /// Only the first cookie is shown at once: who repeats a reply of 52 octets must not make us send 1200
  /// each time.
  bool has_cookie_ = false;
};

}  // namespace ipop
