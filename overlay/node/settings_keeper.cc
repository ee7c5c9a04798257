#include "overlay/node/settings_keeper.h"

#include <algorithm>

namespace ipop {

using wire::SettingsOffer;
using wire::SettingsPiece;
using wire::SettingsRequest;
using wire::SignedSettings;

Result<Done> SettingsKeeper::load(Instant now, std::string_view file) {
  const auto settings = SignedSettings::decode(file);
  if (!settings) return settings.error();
  if (const auto good = check_settings(network_, *settings); !good) return good;
  if (settings->version < version()) return Error::Replayed;
  if (settings->version == version()) {
    if (file != file_) return Error::Conflict;
    return Done{};
  }
  held_ = *settings;
  file_ = file;
  const Hash hash = sha256({as_bytes(file_)});
  std::copy_n(hash.begin(), stamp_.size(), stamp_.begin());
  for (auto& entry : peers_) {
    entry.second.again = kOfferAgain;
    if (entry.second.offer.version < version()) {
      tell(now, entry);
    } else {
      entry.second.offer_at = kNever;
      offer_to(entry, false);  // Who has it waits to hear that we have, too.
    }
  }
  return Done{};
}

void SettingsKeeper::handle_connected(Instant now, const NodeId& peer) {
  peers_[peer] = {};
  if (held_) tell(now, *peers_.find(peer));
}

void SettingsKeeper::handle_disconnected(Instant now, const NodeId& peer) {
  peers_.erase(peer);
  if (fetch_ && fetch_->from == peer) fetch_.reset();
  start_fetch(now);
}

bool SettingsKeeper::handle_message(Instant now, const NodeId& from, const wire::ControlMessage& message) {
  Result<Done> done = Done{};
  if (const auto* offer = std::get_if<SettingsOffer>(&message)) {
    done = handle_offer(now, from, *offer);
  } else if (const auto* request = std::get_if<SettingsRequest>(&message)) {
    done = handle_request(now, from, *request);
  } else if (const auto* piece = std::get_if<SettingsPiece>(&message)) {
    done = handle_piece(now, from, *piece);
  } else {
    return false;
  }
  if (!done) refused_.add(done.error());
  return true;
}

Result<Done> SettingsKeeper::handle_offer(Instant now, const NodeId& from, const SettingsOffer& offer) {
  const auto entry = peers_.find(from);
  if (entry == peers_.end()) return Error::UnexpectedMessage;
  Peer& peer = entry->second;
  if (offer.size > SignedSettings::kMaxFileSize) return Error::Malformed;
  if (peer.distrusted_until > now) return Error::NotAllowed;
  peer.offer = offer;
  if (offer.version < version()) {
    tell(now, *entry);
  } else {
    peer.offer_at = kNever;  // It needs nothing of ours.
    if (offer.asks && offer.version == version()) offer_to(*entry, false);
  }
  if (fetch_ && fetch_->from == from && offer.version != fetch_->version) {
    fetch_.reset();
    ++peer.failures;  // So that one who changes its mind for ever does not keep us from others.
  }
  if (held_ && offer.version == version() && offer.stamp != stamp_) {
    if (log_rate_.take(now)) {
      log_.warning("peer " + from.to_short_string() + " has other settings of version " +
                   std::to_string(version()) + ": not taken; sign them again to have one everywhere");
    }
    return Error::Conflict;
  }
  start_fetch(now);
  return Done{};
}

Result<Done> SettingsKeeper::handle_request(Instant now, const NodeId& from, const SettingsRequest& request) {
  const auto entry = peers_.find(from);
  if (entry == peers_.end() || !held_) return Error::UnexpectedMessage;
  Peer& peer = entry->second;
  if (request.version != version()) {
    offer_to(*entry, false);
    return Done{};
  }
  if (request.offset >= file_.size()) return Error::Malformed;
  if (!piece_rate_.take(now)) return Error::RateLimited;  // It asks again.
  // It has heard our offer, and says so when it has it all; should it give up it is told again.
  if (peer.offer_at != kNever) peer.offer_at = std::max(peer.offer_at, now + kFetchPatience);
  const std::string_view octets = std::string_view(file_).substr(request.offset, SettingsPiece::kMaxSize);
  const ByteView bytes = as_bytes(octets);
  outgoing_.push_back({.to = from,
                       .message = SettingsPiece{.version = request.version,
                                                .offset = request.offset,
                                                .octets = Bytes(bytes.begin(), bytes.end())}});
  return Done{};
}

Result<Done> SettingsKeeper::handle_piece(Instant now, const NodeId& from, const SettingsPiece& piece) {
  if (!fetch_ || fetch_->from != from || piece.version != fetch_->version ||
      piece.offset != fetch_->file.size()) {
    return Error::UnexpectedMessage;  // Late, most likely: we asked twice.
  }
  const size_t missing = fetch_->size - fetch_->file.size();
  if (piece.octets.size() != std::min(missing, SettingsPiece::kMaxSize)) return Error::Malformed;
  fetch_->file += as_text(piece.octets);
  fetch_->tries = 0;
  if (fetch_->file.size() < fetch_->size) {
    ask_for_piece(now);
  } else {
    finish_fetch(now);
  }
  return Done{};
}

std::optional<SettingsKeeper::Outgoing> SettingsKeeper::poll_outgoing() {
  if (outgoing_.empty()) return std::nullopt;
  Outgoing out = std::move(outgoing_.front());
  outgoing_.pop_front();
  return out;
}

SettingsOffer SettingsKeeper::offer() const {
  return {.version = version(), .size = static_cast<uint16_t>(file_.size()), .stamp = stamp_, .asks = false};
}

/// Until it says what it has.
void SettingsKeeper::tell(Instant now, Peers::value_type& entry) {
  Peer& peer = entry.second;
  offer_to(entry, true);
  peer.offer_at = now + peer.again;
  peer.again = std::min<Duration>(2 * peer.again, kOfferSeldom);
  offer_timeout_ = std::min(offer_timeout_, peer.offer_at);
}

void SettingsKeeper::offer_to(Peers::value_type& peer, bool asks) {
  SettingsOffer out = offer();
  out.asks = asks;
  outgoing_.push_back({.to = peer.first, .message = out});
}

/// Of those that offer more than we have: who has disappointed the least often, then the newest.
void SettingsKeeper::start_fetch(Instant now) {
  if (fetch_ || now < fetch_at_) return;
  is_fetch_due_ = false;
  const Peers::value_type* best = nullptr;
  for (const auto& entry : peers_) {
    const Peer& peer = entry.second;
    if (peer.offer.version <= version() || peer.distrusted_until > now) continue;
    if (!best || peer.failures < best->second.failures ||
        (peer.failures == best->second.failures && peer.offer.version > best->second.offer.version)) {
      best = &entry;
    }
  }
  if (!best) return;
  fetch_ = Fetch{.from = best->first,
                 .version = best->second.offer.version,
                 .size = best->second.offer.size,
                 .file = {},
                 .tries = 0,
                 .again_at = now,
                 .give_up_at = now + kFetchPatience};
  ask_for_piece(now);
}

void SettingsKeeper::ask_for_piece(Instant now) {
  ++fetch_->tries;
  fetch_->again_at = now + kAskAgain;
  outgoing_.push_back({.to = fetch_->from,
                       .message = SettingsRequest{.version = fetch_->version,
                                                  .offset = static_cast<uint16_t>(fetch_->file.size())}});
}

void SettingsKeeper::finish_fetch(Instant now) {
  const Fetch done = *fetch_;
  const auto settings = SignedSettings::decode(done.file);
  if (!settings || settings->version != done.version || !check_settings(network_, *settings)) {
    refused_.add(Error::BadAuthTag);
    return fail_fetch(now, true);
  }
  fetch_.reset();
  if (const auto taken = load(now, done.file); !taken) refused_.add(taken.error());
  start_fetch(now);
}

void SettingsKeeper::fail_fetch(Instant now, bool is_forged) {
  const NodeId from = fetch_->from;
  fetch_.reset();
  fetch_at_ = now + kPause;
  is_fetch_due_ = true;
  const auto entry = peers_.find(from);
  if (entry == peers_.end()) return;
  Peer& peer = entry->second;
  ++peer.failures;
  if (!is_forged) return;
  peer.distrusted_until = now + kDistrust;
  peer.offer = {};
  if (log_rate_.take(now)) {
    log_.warning("peer " + from.to_short_string() +
                 " offers settings that the network's CA has not signed: not taken");
  }
}

Instant SettingsKeeper::next_timeout() const {
  Instant out = offer_timeout_;
  if (fetch_) out = std::min({out, fetch_->again_at, fetch_->give_up_at});
  if (is_fetch_due_) out = std::min(out, fetch_at_);
  return out;
}

void SettingsKeeper::handle_timeout(Instant now) {
  if (now >= offer_timeout_) {
    offer_timeout_ = kNever;
    for (auto& entry : peers_) {
      if (entry.second.offer_at <= now) {
        tell(now, entry);
      } else {
        offer_timeout_ = std::min(offer_timeout_, entry.second.offer_at);
      }
    }
  }
  if (fetch_ && (now >= fetch_->give_up_at || (now >= fetch_->again_at && fetch_->tries >= kMaxTries))) {
    fail_fetch(now, false);
  } else if (fetch_ && now >= fetch_->again_at) {
    ask_for_piece(now);
  }
  start_fetch(now);
}

}  // namespace ipop
