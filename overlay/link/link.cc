#include "overlay/link/link.h"

#include <algorithm>

namespace ipop {
namespace {

/// Both sides may start a handshake at once, and each may repeat: two of each, and the previous generation.
constexpr size_t kMaxKeypairs = 4;

/// Exponential average with gain 1/8 (RFC 6298, section 2).
Duration smoothed(std::optional<Duration> average, Duration sample) {
  return average ? *average + (sample - *average) / 8 : sample;
}

}  // namespace

Link::Link(NodeId node, std::string host_name, Options options, Random& random)
    : node_(node), host_name_(std::move(host_name)), options_(options), random_(random) {
  timers_.fill(kNever);
}

void Link::handle_established(Instant now, const Established& established, Origin origin,
                              const Endpoint& from) {
  if (established.remote_static !=
      remote_static_) {  // Whatever keys an earlier process had are gone with it.
    remote_static_ = established.remote_static;
    is_new_ = true;
    connected_since_ = now;
    keypairs_.clear();
    sending_ = unconfirmed_ = nullptr;
  }
  ++handshakes_;
  endpoint_ = from;
  note_life(now);  // Each side has just answered something fresh of the other's.
  auto keypair = std::make_shared<Keypair>(established.keys, established.local_index,
                                           established.remote_index, now, activity_);
  keypairs_.insert(keypairs_.begin(), keypair);
  if (keypairs_.size() > kMaxKeypairs) keypairs_.pop_back();
  arm_expiry();
  if (origin == Origin::Accepted) {
    send_with(std::move(keypair), origin);
    ask_for_life(now);  // Also the first datagram under the new keys, which the initiator waits for.
  } else {
    unconfirmed_ = std::move(keypair);
  }
}

std::shared_ptr<Keypair> Link::find(uint32_t local_index) const {
  for (const auto& keypair : keypairs_) {
    if (keypair->local_index() == local_index) return keypair;
  }
  return nullptr;
}

bool Link::handle_received(Instant now, uint32_t local_index, const Endpoint& from) {
  note_life(now);
  bool changed = false;
  if (unconfirmed_ && unconfirmed_->local_index() == local_index) {
    send_with(std::exchange(unconfirmed_, nullptr), Origin::Initiated);
    if (!round_trip_) ping_due_ = true;
    changed = true;
  }
  if (from != endpoint_) {
    endpoint_ = from;
    changed = true;
  }
  return changed;
}

void Link::handle_unknown_session(Instant now) {
  if (now < next_hint_) return;
  next_hint_ = now + kHintInterval;
  if (!rekeying_) rekey_due_ = rekeying_ = true;
}

void Link::handle_quiet(Instant now) {
  if (timer(Timer::Probe) == kNever) ask_for_life(now);
}

void Link::handle_pong(Instant now, uint64_t token, const Endpoint& observed) {
  if (!sent_ping_ || sent_ping_->token != token) return;  // An answer to an older Ping proves life, not time.
  round_trip_ = smoothed(round_trip_, now - sent_ping_->at);
  observed_ = observed;
  sent_ping_.reset();
}

std::optional<Link::Event> Link::poll_event() {
  if (dead_) return Event::Dead;
  if (std::exchange(connected_due_, false)) return Event::Connected;
  if (std::exchange(ping_due_, false) && sending_) return Event::Ping;
  if (std::exchange(rekey_due_, false)) return Event::Rekey;
  return std::nullopt;
}

uint64_t Link::start_ping(Instant now) {
  sent_ping_ = SentPing{.token = random_.u64(), .at = now};
  return sent_ping_->token;
}

void Link::handle_handshake_failed() {
  rekeying_ = false;
  if (!sending_) dead_ = true;
}

Instant Link::next_timeout() const {
  if (dead_ || connected_due_ || ping_due_ || rekey_due_) return Instant::min();
  return *std::min_element(timers_.begin(), timers_.end());
}

void Link::handle_timeout(Instant now) {
  if (now >= timer(Timer::Keepalive)) {
    // Data that the switch's threads received is as good as an answer.
    if (now - last_received() >= kKeepaliveInterval) {
      ask_for_life(now);
    } else {
      timer(Timer::Keepalive) = last_received() + kKeepaliveInterval;
    }
  }
  if (now >= timer(Timer::Probe)) {
    if (now - last_received() < kProbeInterval) {
      unanswered_pings_ = 0;
      timer(Timer::Probe) = kNever;
      activity_->quiet = false;
    } else if (unanswered_pings_ >= kMaxUnansweredPings) {
      dead_ = true;
    } else {
      ask_for_life(now);
    }
  }
  if (now >= timer(Timer::Rekey)) {
    if (!rekeying_) rekey_due_ = rekeying_ = true;
    timer(Timer::Rekey) = now + options_.rekey_after / 8;  // Unless a new keypair comes first.
  }
  if (now >= timer(Timer::Expiry)) drop_expired(now);
}

Instant Link::last_received() const {
  return Instant(Duration(activity_->last_received.load(std::memory_order_relaxed)));
}

void Link::note_life(Instant now) {
  activity_->last_received = now.time_since_epoch().count();
  activity_->quiet = false;
  unanswered_pings_ = 0;
  timer(Timer::Probe) = kNever;
  timer(Timer::Keepalive) = now + kKeepaliveInterval;
}

void Link::send_with(std::shared_ptr<Keypair> keypair, Origin origin) {
  rekeying_ = false;
  if (std::exchange(is_new_, false)) connected_due_ = true;
  // The initiator goes first; the responder only if that fails, so that the two do not rekey at once.
  const Duration grace = origin == Origin::Accepted ? options_.rekey_after / 8 : Duration::zero();
  timer(Timer::Rekey) = keypair->created() + options_.rekey_after + grace;
  sending_ = std::move(keypair);
}

void Link::ask_for_life(Instant now) {
  ping_due_ = true;
  ++unanswered_pings_;
  timer(Timer::Probe) = now + kProbeInterval;
  timer(Timer::Keepalive) = now + kKeepaliveInterval;
}

void Link::drop_expired(Instant now) {
  const auto expired = [&](const auto& keypair) { return now - keypair->created() >= reject_after(); };
  std::erase_if(keypairs_, expired);
  if (sending_ && expired(sending_)) sending_ = nullptr;
  if (unconfirmed_ && expired(unconfirmed_)) unconfirmed_ = nullptr;
  if (keypairs_.empty()) dead_ = true;
  arm_expiry();
}

void Link::arm_expiry() {
  timer(Timer::Expiry) = keypairs_.empty() ? kNever : keypairs_.back()->created() + reject_after();
}

}  // namespace ipop
