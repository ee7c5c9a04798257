// A connected peer: its keypairs, where it is, and whether it still lives.
//
// The switch's threads send and receive without visiting this machine; it sees what they did through
// PeerActivity and wakes in time to report what only it decides:
//   Connected  the first keypair of this process of the peer can be used: it knows nothing that we told an
//              earlier one;
//   Ping       to learn the round trip, keep NAT mappings open, and prove that the peer lives;
//   Probe      to learn what the path carries;
//   Rekey      when the keypair that we send with is old;
//   Dead       when the peer stays silent.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/node_id.h"
#include "overlay/base/random.h"
#include "overlay/base/time.h"
#include "overlay/link/path.h"
#include "overlay/link/path_mtu.h"
#include "overlay/link/round_trip.h"
#include "overlay/link/train_trial.h"
#include "overlay/session/handshake.h"
#include "overlay/session/keypair.h"
#include "overlay/wire/control.h"

namespace ipop {

/// On an idle link, unless its owner asks for another.  RFC 8445 section 11 has 15 s, WireGuard recommends
/// 25; NAT mappings live for at least 30 s in practice and by RFC 4787, REQ-5, for two minutes.
inline constexpr Duration kKeepaliveInterval = 20s;
/// Hints that the peer lost our session are heard no more often: each costs a handshake.
inline constexpr Duration kHintInterval = 1s;
/// Whoever sends to a peer that was silent for so long tells the core (PeerActivity::quiet), which asks.
inline constexpr Duration kSilencePatience = 2s;
/// How many Pings stay unanswered until a peer counts as dead.  The first pause between them is the
/// retransmission time-out of the link, each further one a quarter longer, up to a second: a peer 100 ms away
/// is given up after some 2 s, and none is waited for longer than 5 s.
inline constexpr int kMaxUnansweredPings = 5;
/// How long a rekey is tried before the link counts it as failed.
inline constexpr Duration kRekeyPatience = 10s;
/// The largest datagram that the ring carries: with what a Routed and the links' own seals add to it each
/// fits every path (PathMtu::kBase).
inline constexpr size_t kMaxCarriedDatagram = 1060;

class Link {
 public:
  struct Options {
    Duration rekey_after =
        120s;  ///< WireGuard's REKEY_AFTER_TIME, for a keypair that carries guests' frames.
    /// For one that carries control messages only: a handshake costs as much as ten minutes of keepalives.
    Duration idle_rekey_after = 1h;
  };

  /// How a keypair came to be: only the initiator of a handshake has to wait for its confirmation.
  enum class Origin { Initiated, Accepted };

  Link(NodeId node, std::string host_name, Options options, Random& random);

  const NodeId& node() const { return node_; }
  const std::string& host_name() const { return host_name_; }
  const Path& path() const { return path_; }
  Instant connected_since() const { return connected_since_; }
  /// Who called whom when the peer's present process was met.
  Origin connected_as() const { return connected_as_; }
  uint64_t handshakes() const { return handshakes_; }
  std::optional<Duration> round_trip() const { return round_trip_.smoothed(); }
  /// How long an answer of this peer may take.
  Duration retry_timeout() const { return round_trip_.retry_timeout(); }
  /// When the last frame of a guest passed, either way; zero before the first.  As of the last look: see
  /// look().
  Instant last_frame() const { return last_frame_; }
  /// Whether the peer said, when it last spoke of that, that it has a use for the link.
  bool peer_wants_link() const { return peer_wants_link_; }

  /// Whether we have a use for the link, and how often an idle peer is asked whether it lives.
  void set_use(Instant now, bool wants_link, Duration keepalive);
  bool wants_link() const { return wants_link_; }
  /// Notices what the switch's threads have sent and received.  True if there is an event now.
  bool look(Instant now);
  const std::shared_ptr<PeerActivity>& activity() const { return activity_; }
  /// How many data datagrams of the peer were opened.
  uint64_t received() const { return activity_->rx_frames.load(std::memory_order_relaxed); }
  /// Whether what is sent may leave in trains, and how that was found.
  const TrainTrial& trains() const { return trains_; }

  /// The largest datagram that may be sent; a frame that needs more is sliced.
  size_t max_datagram() const { return path_.is_direct() ? mtu_.max_datagram() : kMaxCarriedDatagram; }
  /// That is what the path has, not just what every path has: who sends larger frames should know.
  bool is_mtu_found() const { return path_.is_direct() && mtu_.is_found(); }
  /// A frame was sliced: perhaps the path carries more.
  void handle_too_big(Instant now);

  /// The keypair to send with; null until one is confirmed.
  const std::shared_ptr<Keypair>& sending() const { return sending_; }
  /// The keypair that waits for its first datagram, or null.
  const std::shared_ptr<Keypair>& unconfirmed() const { return unconfirmed_; }
  /// The keypair that we receive with under this index, or null.
  std::shared_ptr<Keypair> find(uint32_t local_index) const;
  /// All keypairs we still accept datagrams under, the newest first.
  const std::vector<std::shared_ptr<Keypair>>& receiving() const { return keypairs_; }

  /// A handshake with this peer is complete.  An accepted keypair is used at once, an initiated one as soon
  /// as something arrives under it.  A direct path that was silent is given up for one over the ring by which
  /// the peer called.
  void handle_established(Instant now, const Established& established, Origin origin, const Path& from);

  /// An authentic datagram arrived under `local_index` by `from`, as the newest word of where the peer is; a
  /// direct path is not given up for the ring, nor thought to work for what came over that.  True if that
  /// changed what the switch's threads must know.  To be told of all control datagrams, and of data if the
  /// keypair is unconfirmed() or `from` is not path().
  bool handle_received(Instant now, uint32_t local_index, const Path& from);

  /// The peer says that it holds no keys for what we sent: it may have restarted.  Believed only so far that
  /// a new handshake is started; until it succeeds all stays as it is.
  void handle_unknown_session(Instant now);
  /// Something was sent and nothing was received for kSilencePatience.
  void handle_quiet(Instant now);
  void handle_ping(bool wants_link) { peer_wants_link_ = wants_link; }
  /// What it says of trains() is returned.
  TrainTrial::Change handle_pong(Instant now, const wire::Pong& pong);
  /// Where the peer sees us, if it said so.
  const std::optional<Endpoint>& observed() const { return observed_; }

  enum class Event { Connected, Ping, Probe, Rekey, Dead };
  std::optional<Event> poll_event();
  /// The Ping that is to be sent now.
  wire::Ping start_ping(Instant now);
  /// A Ping that is to be sent in a datagram of exactly this size, padded.
  struct Probe {
    wire::Ping ping;
    size_t datagram_size;
  };
  Probe start_probe(Instant now);
  /// Whether a handshake other than that of `local_index` waits for its confirmation.
  bool awaits_other(uint32_t local_index) const {
    return unconfirmed_ && unconfirmed_->local_index() != local_index;
  }
  /// A handshake with the peer came to nothing: an Event::Rekey may come again; without any confirmed keypair
  /// the peer is dead, unless it awaits_other().
  void handle_handshake_failed(uint32_t local_index);

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  enum class Timer {
    Keepalive,  ///< Nothing was received for a while: is the peer there, is the mapping open?
    Probe,      ///< The last Ping should have been answered by now.
    Rekey,      ///< The keypair that we send with may be old enough.
    Expiry,     ///< The oldest keypair is too old to be accepted.
  };
  static constexpr size_t kTimerCount = 4;
  Instant& timer(Timer which) { return timers_[static_cast<size_t>(which)]; }

  Instant timer(Timer which) const { return timers_[static_cast<size_t>(which)]; }

  Instant last_received() const;
  /// What the ring carried does not say that a direct path works.
  bool is_word_of_path(const Path& from) const { return from.is_direct() || !path_.is_direct(); }
  void note_life(Instant now);
  void set_path(Instant now, const Path& path);
  bool is_probe_due() const { return mtu_.is_probe_due() && path_.is_direct() && sending_; }
  void send_with(std::shared_ptr<Keypair> keypair, Origin origin);
  void ask_for_rekey(Instant now);
  /// An exchange lets both ends wait anew: whoever called waits a fifth longer, lest both ask at the same
  /// time.
  Duration idle_limit() const { return connected_as_ == Origin::Initiated ? keepalive_ * 6 / 5 : keepalive_; }
  void ask_for_life(Instant now);
  bool is_used() const;
  bool is_trial_due() const;
  Instant expiry_of(const Keypair& keypair) const;
  void drop_expired(Instant now);
  void arm_expiry();
  /// What a keypair lives on after its rekey was due: 60 s of 120 s, as WireGuard.
  Duration grace() const { return options_.rekey_after / 2; }

  NodeId node_;
  std::string host_name_;
  Options options_;
  Random& random_;
  Path path_;
  Instant connected_since_{};
  Origin connected_as_ = Origin::Accepted;
  std::shared_ptr<PeerActivity> activity_ = std::make_shared<PeerActivity>();
  std::array<uint8_t, 32> remote_static_{};
  std::vector<std::shared_ptr<Keypair>> keypairs_;
  std::shared_ptr<Keypair> sending_;
  std::shared_ptr<Keypair> unconfirmed_;  ///< Initiated; becomes sending_ when something arrives under it.
  uint64_t handshakes_ = 0;
  /// A rekey may be under way; not for ever, since its handshake may be dropped for another of this peer.
  Instant rekeying_until_{};
  uint64_t frames_ = 0;         ///< Of guests, both ways, when we last looked.
  uint64_t frames_before_ = 0;  ///< The same when sending_ was taken into use.
  Instant last_frame_{};
  Instant rekey_due_at_ = kNever;           ///< When the keypair that we send with should have been replaced.
  Duration patience_{};                     ///< What the responder waits longer before it rekeys.
  std::map<uint32_t, Instant> kept_until_;  ///< Keypairs that the peer uses though we have newer ones.
  bool wants_link_ = true;
  bool peer_wants_link_ = true;
  Duration keepalive_ = kKeepaliveInterval;
  Instant next_hint_{};
  bool is_new_ = true;  ///< No Event::Connected yet for the peer's present process.

  struct SentPing {
    uint64_t token;
    Instant at;
  };
  std::optional<SentPing> sent_ping_;
  int unanswered_pings_ = 0;
  uint32_t pings_ = 0;
  Instant asked_at_{};  ///< The last Ping that asks whether the peer lives.
  RoundTrip round_trip_;
  TrainTrial trains_;
  PathMtu mtu_;  ///< Of a direct path.
  std::optional<Endpoint> observed_;

  std::array<Instant, kTimerCount> timers_;
  bool connected_due_ = false;
  bool ping_due_ = false;
  bool rekey_due_ = false;
  bool dead_ = false;
};

}  // namespace ipop
