// A connected peer: its keypairs, where it is, and whether it still lives.
//
// The switch's threads send and receive without visiting this machine; it sees what they did through
// PeerActivity and wakes in time to report what only it decides:
//   Connected  the first keypair of this process of the peer can be used: it knows nothing we told an earlier
//   one; Ping       to learn the round trip, keep NAT mappings open, and prove that the peer lives; Rekey
//   when the keypair that we send with is old; Dead       when a peer that we talk to stays silent.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/node_id.h"
#include "overlay/base/random.h"
#include "overlay/base/time.h"
#include "overlay/session/handshake.h"
#include "overlay/session/keypair.h"
#include "overlay/wire/address.h"

namespace ipop {

/// On an idle link; RFC 8445 section 11, default Tr.  NAT mappings live for at least 30 s in practice and by
/// RFC 4787, REQ-5, for two minutes.
inline constexpr Duration kKeepaliveInterval = 15s;
/// Hints that the peer lost our session are heard no more often: each costs a handshake.
inline constexpr Duration kHintInterval = 1s;
/// Whoever sends to a peer that was silent for so long tells the core (PeerActivity::quiet), which asks.
inline constexpr Duration kSilencePatience = 2s;
/// Between the Pings of a peer that does not answer, and how many stay unanswered until it counts as dead.
inline constexpr Duration kProbeInterval = 1s;
inline constexpr int kMaxUnansweredPings = 5;

class Link {
 public:
  struct Options {
    Duration rekey_after = 120s;  ///< WireGuard's REKEY_AFTER_TIME.
  };

  /// How a keypair came to be: only the initiator of a handshake has to wait for its confirmation.
  enum class Origin { Initiated, Accepted };

  Link(NodeId node, std::string host_name, Options options, Random& random);

  const NodeId& node() const { return node_; }
  const std::string& host_name() const { return host_name_; }
  const Endpoint& endpoint() const { return endpoint_; }
  Instant connected_since() const { return connected_since_; }
  uint64_t handshakes() const { return handshakes_; }
  std::optional<Duration> round_trip() const { return round_trip_; }
  const std::shared_ptr<PeerActivity>& activity() const { return activity_; }

  /// The keypair to send with; null until one is confirmed.
  const std::shared_ptr<Keypair>& sending() const { return sending_; }
  /// The keypair that waits for its first datagram, or null.
  const std::shared_ptr<Keypair>& unconfirmed() const { return unconfirmed_; }
  /// The keypair that we receive with under this index, or null.
  std::shared_ptr<Keypair> find(uint32_t local_index) const;
  /// All keypairs we still accept datagrams under, the newest first.
  const std::vector<std::shared_ptr<Keypair>>& receiving() const { return keypairs_; }

  /// A handshake with this peer is complete.  An accepted keypair is used at once, an initiated one as soon
  /// as something arrives under it.
  void handle_established(Instant now, const Established& established, Origin origin, const Endpoint& from);

  /// An authentic datagram arrived under `local_index` from `from`, as the newest word of where the peer is.
  /// True if that changed what the switch's threads must know.  To be told of all control datagrams, and of
  /// data if the keypair is unconfirmed() or `from` is not endpoint().
  bool handle_received(Instant now, uint32_t local_index, const Endpoint& from);

  /// The peer says that it holds no keys for what we sent: it may have restarted.  Believed only so far that
  /// a new handshake is started; until it succeeds all stays as it is.
  void handle_unknown_session(Instant now);
  /// Something was sent and nothing was received for kSilencePatience.
  void handle_quiet(Instant now);
  void handle_pong(Instant now, uint64_t token, const Endpoint& observed);
  /// Where the peer sees us, if it said so.
  const std::optional<Endpoint>& observed() const { return observed_; }

  enum class Event { Connected, Ping, Rekey, Dead };
  std::optional<Event> poll_event();
  /// The token for the Ping that is to be sent now.
  uint64_t start_ping(Instant now);
  /// A handshake with the peer came to nothing: an Event::Rekey may come again; without any confirmed keypair
  /// the peer is dead.
  void handle_handshake_failed();

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  enum class Timer {
    Keepalive,  ///< Nothing was received for a while: is the peer there, is the mapping open?
    Probe,      ///< The last Ping should have been answered by now.
    Rekey,      ///< The keypair that we send with is old enough.
    Expiry,     ///< The oldest keypair is too old to be accepted.
  };
  static constexpr size_t kTimerCount = 4;
  Instant& timer(Timer which) { return timers_[static_cast<size_t>(which)]; }

  Instant timer(Timer which) const { return timers_[static_cast<size_t>(which)]; }

  Instant last_received() const;
  void note_life(Instant now);
  void send_with(std::shared_ptr<Keypair> keypair, Origin origin);
  void ask_for_life(Instant now);
  void drop_expired(Instant now);
  void arm_expiry();
  Duration reject_after() const { return options_.rekey_after * 3 / 2; }  ///< 180 s of 120 s, as WireGuard.

  NodeId node_;
  std::string host_name_;
  Options options_;
  Random& random_;
  Endpoint endpoint_;
  Instant connected_since_{};
  std::shared_ptr<PeerActivity> activity_ = std::make_shared<PeerActivity>();
  std::array<uint8_t, 32> remote_static_{};
  std::vector<std::shared_ptr<Keypair>> keypairs_;
  std::shared_ptr<Keypair> sending_;
  std::shared_ptr<Keypair> unconfirmed_;  ///< Initiated; becomes sending_ when something arrives under it.
  uint64_t handshakes_ = 0;
  bool rekeying_ = false;
  Instant next_hint_{};
  bool is_new_ = true;  ///< No Event::Connected yet for the peer's present process.

  struct SentPing {
    uint64_t token;
    Instant at;
  };
  std::optional<SentPing> sent_ping_;
  int unanswered_pings_ = 0;
  std::optional<Duration> round_trip_;
  std::optional<Endpoint> observed_;

  std::array<Instant, kTimerCount> timers_;
  bool connected_due_ = false;
  bool ping_due_ = false;
  bool rekey_due_ = false;
  bool dead_ = false;
};

}  // namespace ipop
