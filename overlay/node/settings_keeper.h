// Has the newest settings of the network that any member nearby has: keeps the signed file, and hands it on.
//
// Peers tell each other their versions when a link comes up and when they get a newer one; whoever is told
// does so in turn, and an offer without an answer is repeated, ever more seldom.  Who has an older version
// asks for the file of the newer one, piece after piece, of one peer at a time.  So a change reaches all in
// as many steps as the ring is wide, and who was away gets it with the first link.  A network without
// settings says nothing of all this.
//
// Only what the CA signed is kept, shown or passed on, and never an older version, so a member can hold back
// a change and repeat what is known; it can make none up.  What a liar costs: a file of at most 32 KB and a
// signature each kPause, and nothing for kDistrust while its link lasts.
//
// A calculation: no I/O, one owner, not thread-safe.  What the document means is vnet/settings.h's business:
// it is passed on by those, too, who do not understand it.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "overlay/base/counters.h"
#include "overlay/base/log.h"
#include "overlay/base/token_bucket.h"
#include "overlay/crypto/settings.h"
#include "overlay/wire/control.h"
#include "overlay/wire/settings.h"

namespace ipop {

class SettingsKeeper {
 public:
  /// An offer that is not answered is repeated after this, then after twice as long each time up to the
  /// other.
  static constexpr Duration kOfferAgain = 1s;
  static constexpr Duration kOfferSeldom = 5min;
  /// A piece that does not come is asked for again after this, so often; then the peer is given up.
  static constexpr Duration kAskAgain = 1s;
  static constexpr int kMaxTries = 4;
  /// A whole file takes no longer: 33 pieces at a round trip of half a second take 17 s.
  static constexpr Duration kFetchPatience = 30s;
  /// Between a fetch that came to nothing and the next one.
  static constexpr Duration kPause = 2s;
  /// How long the offers of a peer are not heard that sent what nobody signed.
  static constexpr Duration kDistrust = 10min;

  /// The references must outlive it.
  SettingsKeeper(const Network& network, Log& log, ErrorCounters& refused)
      : network_(network), log_(log), refused_(refused) {}

  /// What an admin brings, or what the disk remembers.  Settings that are held already are fine, too.
  /// Malformed: no such file.  BadAuthTag: not of this network.  Replayed: older than what is held.
  /// Conflict: another file of that version is held.
  Result<Done> load(Instant now, std::string_view file);

  void handle_connected(Instant now, const NodeId& peer);
  void handle_disconnected(Instant now, const NodeId& peer);
  /// False if it is none of the messages of this machine.
  bool handle_message(Instant now, const NodeId& from, const wire::ControlMessage& message);

  struct Outgoing {
    NodeId to;  ///< A peer: somebody that we are linked to.
    wire::ControlMessage message;
  };
  std::optional<Outgoing> poll_outgoing();

  Instant next_timeout() const;
  void handle_timeout(Instant now);

  /// Nothing before the first.
  const std::optional<wire::SignedSettings>& held() const { return held_; }
  uint64_t version() const { return held_ ? held_->version : 0; }
  /// held(), as it is written; empty before the first.
  const std::string& file() const { return file_; }

 private:
  struct Peer {
    wire::SettingsOffer offer;  ///< The last that it made.
    Instant offer_at = kNever;  ///< When it is told what we have; kNever: it knows.
    Duration again = kOfferAgain;
    int failures = 0;  ///< Fetches that came to nothing.
    Instant distrusted_until{};
  };
  using Peers = std::map<NodeId, Peer>;

  /// A file on its way here.
  struct Fetch {
    NodeId from;
    uint64_t version = 0;
    size_t size = 0;
    std::string file;  ///< As far as it has come.
    int tries = 0;     ///< For the next piece.
    Instant again_at;
    Instant give_up_at;
  };

  Result<Done> handle_offer(Instant now, const NodeId& from, const wire::SettingsOffer& offer);
  Result<Done> handle_request(Instant now, const NodeId& from, const wire::SettingsRequest& request);
  Result<Done> handle_piece(Instant now, const NodeId& from, const wire::SettingsPiece& piece);

  void tell(Instant now, Peers::value_type& entry);
  wire::SettingsOffer offer() const;
  void offer_to(Peers::value_type& peer, bool asks);
  void start_fetch(Instant now);
  void ask_for_piece(Instant now);
  void finish_fetch(Instant now);
  void fail_fetch(Instant now, bool is_forged);

  const Network& network_;
  Log& log_;
  ErrorCounters& refused_;
  std::optional<wire::SignedSettings> held_;
  std::string file_;
  std::array<uint8_t, wire::SettingsOffer::kStampSize> stamp_{};
  Peers peers_;
  std::optional<Fetch> fetch_;
  Instant fetch_at_{};              ///< No fetch before this.
  bool is_fetch_due_ = false;       ///< One has failed: look for another peer then.
  Instant offer_timeout_ = kNever;  ///< No peer is to be told before this; perhaps none at it either.
  TokenBucket piece_rate_{1ms, 256};
  TokenBucket log_rate_{10s, 4};
  std::deque<Outgoing> outgoing_;
};

}  // namespace ipop
