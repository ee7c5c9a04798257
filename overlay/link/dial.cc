#include "overlay/link/dial.h"

#include <algorithm>
#include <utility>

namespace ipop {

Dial::Dial(const Credentials& credentials, Target target, uint32_t local_index, Duration patience,
           Instant now, Random& random)
    : target_(std::move(target)),
      handshake_(credentials, local_index, random),
      random_(random),
      pause_(target_.first_retry),
      give_up_at_(patience == Duration::max() ? kNever : now + patience) {
  schedule_retry(now);
}

Result<Established> Dial::handle_response(Instant now, const Path& from, const wire::Response& response,
                                          UnixSeconds unix_now) {
  if (state_ != State::Calling) return Error::UnexpectedMessage;
  auto established = handshake_.handle_response(response, unix_now);
  if (!established) {
    if (established.error() == Error::Self) state_ = State::Finished;
    return established;
  }
  if (target_.node && established->peer.node_id() != *target_.node) {
    state_ = State::Finished;
    return Error::WrongPeer;
  }
  target_.path = from;
  target_.node = established->peer.node_id();
  state_ = State::Confirming;
  due_ = true;
  pause_ = target_.path.is_direct() ? kFirstRetry : target_.first_retry;
  give_up_at_ = now + kConfirmationPatience;
  schedule_retry(now);
  return established;
}

Result<Done> Dial::handle_cookie(Instant now, const wire::CookieReply& reply) {
  if (state_ != State::Calling) return Error::UnexpectedMessage;
  const auto done = handshake_.handle_cookie(reply);
  if (done && !std::exchange(has_cookie_, true)) {  // A later one waits for its turn: see has_cookie_.
    due_ = true;
    schedule_retry(now);
  }
  return done;
}

std::optional<Bytes> Dial::poll_datagram() {
  if (!std::exchange(due_, false) || finished()) return std::nullopt;
  return state_ == State::Calling ? handshake_.initiation() : handshake_.confirmation();
}

Instant Dial::next_timeout() const {
  if (finished()) return kNever;
  return due_ ? Instant::min() : std::min(retry_at_, give_up_at_);
}

void Dial::handle_timeout(Instant now) {
  if (finished()) return;
  if (now >= give_up_at_) {
    state_ = State::Finished;
  } else if (now >= retry_at_) {
    due_ = true;
    schedule_retry(now);
  }
}

void Dial::schedule_retry(Instant now) {
  const Duration third = pause_ / 3;
  retry_at_ = now + pause_ - third + Duration(random_.below(2 * third.count()));
  pause_ = std::clamp(2 * pause_, kFirstRetry, std::max(pause_, kSlowestRetry));
}

}  // namespace ipop
