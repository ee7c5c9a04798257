#include "overlay/link/path_mtu.h"

#include <array>

namespace ipop {
namespace {

/// What Ethernet, PPPoE, clouds and tunnels leave of 1500 octets, over IPv4 or IPv6.
constexpr std::array<size_t, 10> kSizes = {PathMtu::kBase, 1232, 1252, 1300, 1352,
                                           1372,           1392, 1412, 1432, PathMtu::kFull};

}  // namespace

PathMtu::PathMtu() : too_large_(kSizes.size()) {}

size_t PathMtu::max_datagram() const { return kSizes[confirmed_]; }

void PathMtu::want(Instant now) {
  if (state_ == State::Base || (state_ == State::Found && now >= raise_at_)) search();
}

void PathMtu::note_use(Instant now) {
  if (state_ != State::Found || now < confirm_at_) return;
  state_ = State::Confirming;
  probe(confirmed_);
}

void PathMtu::handle_new_path(Instant now) {
  PathMtu fresh;
  fresh.last_token_ = last_token_;
  if (state_ != State::Base) fresh.want(now);
  *this = fresh;
}

void PathMtu::search() {
  state_ = State::Searching;
  too_large_ = kSizes.size();
  probe(kSizes.size() - 1);  // Most paths carry it.
}

void PathMtu::probe(size_t index) {
  probing_ = index;
  sent_ = 0;
  token_ = ++last_token_;
  give_up_at_ = kNever;
  is_due_ = true;
}

PathMtu::Probe PathMtu::start_probe(Instant now, Duration patience) {
  is_due_ = false;
  ++sent_;
  give_up_at_ = now + patience;
  return {.size = kSizes[probing_], .token = *token_};
}

void PathMtu::handle_answer(Instant now, uint64_t token) {
  if (token_ != token) return;
  token_.reset();
  is_due_ = false;
  give_up_at_ = kNever;
  confirmed_ = probing_;
  settle(now);
}

Instant PathMtu::next_timeout() const { return give_up_at_; }

void PathMtu::handle_timeout(Instant now) {
  if (now < give_up_at_) return;
  give_up_at_ = kNever;
  if (sent_ < kMaxProbes) {
    is_due_ = true;
  } else {
    token_.reset();
    handle_too_large(now);
  }
}

void PathMtu::handle_too_large(Instant now) {
  if (state_ == State::Confirming) {  // The path has changed: what was known of it is not worth anything.
    confirmed_ = 0;
    search();
    return;
  }
  too_large_ = probing_;
  settle(now);
}

/// Goes on halving what is between the largest that arrived and the smallest that did not.
void PathMtu::settle(Instant now) {
  if (state_ == State::Searching) {
    if (confirmed_ + 1 < too_large_) {
      probe((confirmed_ + too_large_) / 2);
      return;
    }
    raise_at_ = confirmed_ + 1 < kSizes.size() ? now + kRaiseInterval : kNever;
  }
  state_ = State::Found;
  confirm_at_ = confirmed_ > 0 ? now + kConfirmInterval : kNever;
}

}  // namespace ipop
