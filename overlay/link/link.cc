#include "overlay/link/link.h"

#include <algorithm>

#include "overlay/link/dial.h"

namespace ipop {
namespace {

/// Both sides may start a handshake at once, and each may repeat: two of each, and the previous generation.
constexpr size_t kMaxKeypairs = 4;

/// NAT mappings change: how often a peer is asked again where it sees us.
constexpr uint32_t kPingsPerEndpoint = 16;

}  // namespace

Link::Link(NodeId node, std::string host_name, Options options, Random& random)
    : node_(node), host_name_(std::move(host_name)), options_(options), random_(random) {
  timers_.fill(kNever);
}

void Link::handle_established(Instant now, const Established& established, Origin origin, const Path& from) {
  if (established.remote_static !=
      remote_static_) {  // Whatever keys an earlier process had are gone with it.
    remote_static_ = established.remote_static;
    is_new_ = true;
    connected_since_ = now;
    keypairs_.clear();
    kept_until_.clear();
    sending_ = unconfirmed_ = nullptr;
    set_path(now, from);
    peer_wants_link_ = true;
  }
  ++handshakes_;
  // A peer that calls over the ring may have no direct path any more, and waits for our Ping.
  const bool is_silent = now - last_received() >= kSilencePatience;
  if (is_word_of_path(from) || (origin == Origin::Accepted && is_silent)) {
    set_path(now, from);
    note_life(now);  // Each side has just answered something fresh of the other's.
  }
  auto keypair = std::make_shared<Keypair>(established.keys, established.local_index,
                                           established.remote_index, now, activity_);
  keypairs_.insert(keypairs_.begin(), keypair);
  if (keypairs_.size() > kMaxKeypairs) {
    const auto last = std::prev(keypairs_.end());
    const auto oldest = *last == sending_ ? std::prev(last) : last;
    kept_until_.erase((*oldest)->local_index());
    keypairs_.erase(oldest);
  }
  if (origin == Origin::Accepted) {
    send_with(std::move(keypair), origin);
    ask_for_life(now);  // Also the first datagram under the new keys, which the initiator waits for.
  } else {
    unconfirmed_ = std::move(keypair);
  }
  arm_expiry();
}

std::shared_ptr<Keypair> Link::find(uint32_t local_index) const {
  for (const auto& keypair : keypairs_) {
    if (keypair->local_index() == local_index) return keypair;
  }
  return nullptr;
}

bool Link::handle_received(Instant now, uint32_t local_index, const Path& from) {
  if (is_word_of_path(from)) note_life(now);
  bool changed = false;
  if (unconfirmed_ && unconfirmed_->local_index() == local_index) {
    send_with(std::exchange(unconfirmed_, nullptr), Origin::Initiated);
    if (!round_trip_.smoothed()) ping_due_ = true;
    changed = true;
  }
  if (from != path_ && is_word_of_path(from)) {
    set_path(now, from);
    changed = true;
  }
  return changed;
}

void Link::handle_unknown_session(Instant now) {
  if (now < next_hint_) return;
  next_hint_ = now + kHintInterval;
  ask_for_rekey(now);
}

void Link::handle_quiet(Instant now) {
  if (timer(Timer::Probe) == kNever) ask_for_life(now);
}

void Link::handle_too_big(Instant now) {
  if (path_.is_direct()) mtu_.want(now);
}

TrainTrial::Change Link::handle_pong(Instant now, const wire::Pong& pong) {
  peer_wants_link_ = pong.wants_link;
  mtu_.handle_answer(now, pong.token);
  if (!sent_ping_ || sent_ping_->token != pong.token) {
    return TrainTrial::Change::None;  // An answer to an older Ping proves life, not time.
  }
  round_trip_.add(now - sent_ping_->at);
  if (pong.observed) observed_ = pong.observed;
  sent_ping_.reset();
  return pong.received ? trains_.handle_answer(now, *pong.received) : TrainTrial::Change::None;
}

void Link::set_use(Instant now, bool wants_link, Duration keepalive) {
  if (wants_link && !wants_link_ && sending_) ping_due_ = true;  // Before the peer closes it.
  wants_link_ = wants_link;
  if (keepalive == keepalive_) return;
  keepalive_ = keepalive;
  if (timer(Timer::Keepalive) != kNever)
    timer(Timer::Keepalive) = std::max(now, last_received() + idle_limit());
}

bool Link::look(Instant now) {
  const uint64_t frames = activity_->tx_frames.load(std::memory_order_relaxed) +
                          activity_->rx_frames.load(std::memory_order_relaxed);
  if (frames == frames_) return false;
  frames_ = frames;
  last_frame_ = now;
  if (is_trial_due()) ping_due_ = true;
  mtu_.note_use(now);
  if (activity_->too_big.load(std::memory_order_relaxed)) handle_too_big(now);
  return ping_due_ || is_probe_due();
}

bool Link::is_trial_due() const {
  return trains_.is_due(activity_->tx_frames.load(std::memory_order_relaxed),
                        activity_->tx_joined.load(std::memory_order_relaxed));
}

std::optional<Link::Event> Link::poll_event() {
  if (dead_) return Event::Dead;
  if (std::exchange(connected_due_, false)) return Event::Connected;
  if (std::exchange(ping_due_, false) && sending_) return Event::Ping;
  if (is_probe_due()) return Event::Probe;
  if (std::exchange(rekey_due_, false)) return Event::Rekey;
  return std::nullopt;
}

wire::Ping Link::start_ping(Instant now) {
  sent_ping_ = SentPing{.token = random_.u64(), .at = now};
  const bool is_trial = is_trial_due();
  if (is_trial) {
    trains_.note_asked(activity_->tx_frames.load(std::memory_order_relaxed),
                       activity_->tx_joined.load(std::memory_order_relaxed));
  }
  return {.token = sent_ping_->token,
          .wants_link = wants_link_,
          .asks_endpoint = path_.is_direct() && (!observed_ || ++pings_ % kPingsPerEndpoint == 0),
          .asks_received = is_trial};
}

Link::Probe Link::start_probe(Instant now) {
  const PathMtu::Probe probe = mtu_.start_probe(now, retry_timeout());
  return {.ping = {.token = probe.token, .wants_link = wants_link_}, .datagram_size = probe.size};
}

void Link::handle_handshake_failed(uint32_t local_index) {
  rekeying_until_ = {};
  if (!sending_ && !awaits_other(local_index)) dead_ = true;
}

Instant Link::next_timeout() const {
  if (dead_ || connected_due_ || ping_due_ || rekey_due_ || is_probe_due()) return Instant::min();
  return std::min(*std::min_element(timers_.begin(), timers_.end()), mtu_.next_timeout());
}

void Link::handle_timeout(Instant now) {
  if (now >= timer(Timer::Keepalive)) {
    // Data that the switch's threads received is as good as an answer.
    if (now - last_received() >= idle_limit()) {
      ask_for_life(now);
    } else {
      timer(Timer::Keepalive) = last_received() + idle_limit();
    }
  }
  if (now >= timer(Timer::Probe)) {
    if (last_received() > asked_at_) {
      unanswered_pings_ = 0;
      timer(Timer::Probe) = kNever;
      activity_->quiet = false;
    } else if (unanswered_pings_ >= kMaxUnansweredPings) {
      dead_ = true;
    } else {
      ask_for_life(now);
    }
  }
  if (now >= timer(Timer::Rekey) && !sending_) {
    timer(Timer::Rekey) = kNever;  // It has run out; what is left is confirmed meanwhile, or runs out, too.
  } else if (now >= timer(Timer::Rekey)) {
    look(now);
    if (is_used() || now - sending_->created() >= options_.idle_rekey_after + patience_) {
      ask_for_rekey(now);
      if (rekey_due_at_ == kNever) rekey_due_at_ = now;
      arm_expiry();
    }
    timer(Timer::Rekey) = now + options_.rekey_after / 8;  // Unless a new keypair comes first.
  }
  if (now >= timer(Timer::Expiry)) drop_expired(now);
  mtu_.handle_timeout(now);
}

Instant Link::last_received() const {
  return Instant(Duration(activity_->last_received.load(std::memory_order_relaxed)));
}

void Link::set_path(Instant now, const Path& path) {
  if (path == path_) return;
  path_ = path;
  mtu_.handle_new_path(now);
}

void Link::note_life(Instant now) {
  activity_->last_received = now.time_since_epoch().count();
  activity_->quiet = false;
  unanswered_pings_ = 0;
  timer(Timer::Probe) = kNever;
  timer(Timer::Keepalive) = now + idle_limit();
}

void Link::send_with(std::shared_ptr<Keypair> keypair, Origin origin) {
  rekeying_until_ = {};
  if (std::exchange(is_new_, false)) {
    connected_due_ = true;
    connected_as_ = origin;
  }
  // The initiator goes first; the responder only if that fails, so that the two do not rekey at once.
  patience_ = origin == Origin::Accepted ? options_.rekey_after / 8 : Duration::zero();
  timer(Timer::Rekey) = keypair->created() + options_.rekey_after + patience_;
  rekey_due_at_ = kNever;
  frames_before_ = activity_->tx_frames.load(std::memory_order_relaxed) +
                   activity_->rx_frames.load(std::memory_order_relaxed);
  for (const auto& held : keypairs_) held->take_heard();  // What counts is what comes from now on.
  sending_ = std::move(keypair);
  arm_expiry();
}

void Link::ask_for_rekey(Instant now) {
  if (now < rekeying_until_) return;
  rekeying_until_ = now + kRekeyPatience + kConfirmationPatience;
  rekey_due_ = true;
}

void Link::ask_for_life(Instant now) {
  ping_due_ = true;
  Duration pause = retry_timeout();
  for (int i = 0; i < unanswered_pings_; ++i) pause = std::min(pause + pause / 4, kLongestRetryTimeout);
  ++unanswered_pings_;
  asked_at_ = now;
  timer(Timer::Probe) = now + pause;
  timer(Timer::Keepalive) = now + idle_limit();
}

/// Whether the keypair that we send with has carried frames of guests.
bool Link::is_used() const { return frames_ != frames_before_; }

/// A keypair that a newer one has replaced, or should have, is accepted for a while longer: frames sealed
/// under it may still be on their way.
Instant Link::expiry_of(const Keypair& keypair) const {
  if (&keypair == sending_.get()) return rekey_due_at_ == kNever ? kNever : rekey_due_at_ + grace();
  const auto kept = kept_until_.find(keypair.local_index());
  if (kept != kept_until_.end()) return kept->second;
  if (!sending_) return keypair.created() + grace();  // Never confirmed.
  return std::max(keypair.created(), sending_->created()) + grace();
}

void Link::drop_expired(Instant now) {
  std::erase_if(keypairs_, [&](const auto& keypair) {
    if (now < expiry_of(*keypair)) return false;
    if (keypair != sending_ && keypair->take_heard()) {
      kept_until_[keypair->local_index()] =
          now + grace();  // After two calls at once the peer may send with it.
      return false;
    }
    kept_until_.erase(keypair->local_index());
    return true;
  });
  const auto is_kept = [&](const auto& keypair) {
    return std::find(keypairs_.begin(), keypairs_.end(), keypair) != keypairs_.end();
  };
  if (!is_kept(unconfirmed_)) unconfirmed_ = nullptr;
  if (!is_kept(sending_)) sending_ = nullptr;
  if (keypairs_.empty()) dead_ = true;
  arm_expiry();
}

void Link::arm_expiry() {
  timer(Timer::Expiry) = kNever;
  for (const auto& keypair : keypairs_) {
    timer(Timer::Expiry) = std::min(timer(Timer::Expiry), expiry_of(*keypair));
  }
}

}  // namespace ipop
