#include "overlay/link/link.h"

#include <algorithm>

namespace ipop {
namespace {

/// Both sides may start a handshake at once, and each may repeat: two of each, and the previous generation.
constexpr size_t kMaxKeypairs = 4;

}  // namespace

Link::Link(NodeId node, std::string host_name, Options options, Random& random)
    : node_(node), host_name_(std::move(host_name)), options_(options), random_(random) {
  timers_.fill(kNever);
}

void Link::handle_established(Instant now, const Established& established, Origin origin,
                              const Path& from) {
  if (established.remote_static !=
      remote_static_) {  // Whatever keys an earlier process had are gone with it.
    remote_static_ = established.remote_static;
    is_new_ = true;
    connected_since_ = now;
    keypairs_.clear();
    sending_ = unconfirmed_ = nullptr;
    path_ = from;
    peer_wants_link_ = true;
  }
  ++handshakes_;
  if (from.is_direct() || !path_.is_direct()) path_ = from;
  note_life(now);  // Each side has just answered something fresh of the other's.
  auto keypair = std::make_shared<Keypair>(established.keys, established.local_index,
                                           established.remote_index, now, activity_);
  keypairs_.insert(keypairs_.begin(), keypair);
  if (keypairs_.size() > kMaxKeypairs) keypairs_.pop_back();
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
  note_life(now);
  bool changed = false;
  if (unconfirmed_ && unconfirmed_->local_index() == local_index) {
    send_with(std::exchange(unconfirmed_, nullptr), Origin::Initiated);
    if (!round_trip_.smoothed()) ping_due_ = true;
    changed = true;
  }
  if (from != path_ && (from.is_direct() || !path_.is_direct())) {
    path_ = from;
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

void Link::handle_pong(Instant now, uint64_t token, bool wants_link, const std::optional<Endpoint>& observed) {
  peer_wants_link_ = wants_link;
  if (!sent_ping_ || sent_ping_->token != token) return;  // An answer to an older Ping proves life, not time.
  round_trip_.add(now - sent_ping_->at);
  if (observed) observed_ = observed;
  sent_ping_.reset();
}

void Link::set_use(Instant now, bool wants_link, Duration keepalive) {
  if (wants_link != wants_link_ && sending_) ping_due_ = true;  // The peer decides with us whether to close.
  wants_link_ = wants_link;
  if (keepalive == keepalive_) return;
  keepalive_ = keepalive;
  if (timer(Timer::Keepalive) != kNever) timer(Timer::Keepalive) = std::max(now, last_received() + keepalive_);
}

void Link::look(Instant now) {
  const uint64_t frames = activity_->tx_frames.load(std::memory_order_relaxed) +
                          activity_->rx_frames.load(std::memory_order_relaxed);
  if (frames == frames_) return;
  frames_ = frames;
  last_frame_ = now;
}

std::optional<Link::Event> Link::poll_event() {
  if (dead_) return Event::Dead;
  if (std::exchange(connected_due_, false)) return Event::Connected;
  if (std::exchange(ping_due_, false) && sending_) return Event::Ping;
  if (std::exchange(rekey_due_, false)) return Event::Rekey;
  return std::nullopt;
}

wire::Ping Link::start_ping(Instant now) {
  sent_ping_ = SentPing{.token = random_.u64(), .at = now};
  return {.token = sent_ping_->token, .wants_link = wants_link_, .asks_endpoint = path_.is_direct() && !observed_};
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
    if (now - last_received() >= keepalive_) {
      ask_for_life(now);
    } else {
      timer(Timer::Keepalive) = last_received() + keepalive_;
    }
  }
  if (now >= timer(Timer::Probe)) {
    if (now - last_received() < retry_timeout()) {
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
    look(now);
    if (is_used() || now - sending_->created() >= options_.idle_rekey_after) {
      if (!rekeying_) rekey_due_ = rekeying_ = true;
      if (rekey_due_at_ == kNever) rekey_due_at_ = now;
      arm_expiry();
    }
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
  timer(Timer::Keepalive) = now + keepalive_;
}

void Link::send_with(std::shared_ptr<Keypair> keypair, Origin origin) {
  rekeying_ = false;
  if (std::exchange(is_new_, false)) connected_due_ = true;
  // The initiator goes first; the responder only if that fails, so that the two do not rekey at once.
  const Duration patience = origin == Origin::Accepted ? options_.rekey_after / 8 : Duration::zero();
  timer(Timer::Rekey) = keypair->created() + options_.rekey_after + patience;
  rekey_due_at_ = kNever;
  frames_before_ = activity_->tx_frames.load(std::memory_order_relaxed) +
                   activity_->rx_frames.load(std::memory_order_relaxed);
  sending_ = std::move(keypair);
  arm_expiry();
}

void Link::ask_for_life(Instant now) {
  ping_due_ = true;
  Duration pause = retry_timeout();
  for (int i = 0; i < unanswered_pings_; ++i) pause += pause / 4;
  ++unanswered_pings_;
  timer(Timer::Probe) = now + pause;
  timer(Timer::Keepalive) = now + keepalive_;
}

/// Whether the keypair that we send with has carried frames of guests.
bool Link::is_used() const { return frames_ != frames_before_; }

/// A keypair that a newer one has replaced, or should have, is accepted for a while longer: frames sealed under
/// it may still be on their way.
Instant Link::expiry_of(const Keypair& keypair) const {
  if (!sending_ || keypair.created() > sending_->created()) return keypair.created() + grace();  // Never confirmed.
  if (&keypair == sending_.get()) return rekey_due_at_ == kNever ? kNever : rekey_due_at_ + grace();
  return sending_->created() + grace();
}

void Link::drop_expired(Instant now) {
  const auto expired = [&](const auto& keypair) { return now >= expiry_of(*keypair); };
  const bool is_lost = sending_ && expired(sending_);
  if (unconfirmed_ && expired(unconfirmed_)) unconfirmed_ = nullptr;
  std::erase_if(keypairs_, expired);
  if (is_lost) sending_ = nullptr;
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
