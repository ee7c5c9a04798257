#include "overlay/link/train_trial.h"

namespace ipop {

bool TrainTrial::is_due(uint64_t sent, uint64_t joined) const {
  const Counts last = last_.value_or(Counts{});
  if (sent - last.sent < kLeastSent) return false;
  // Without trains there is nothing to try, except whether that helps.
  return state_ == State::Singles || joined != last.joined || verdict_until_ != kNever;
}

void TrainTrial::note_asked(uint64_t sent, uint64_t joined) {
  asked_ = {.sent = sent, .joined = joined, .received = 0};
}

TrainTrial::Change TrainTrial::handle_answer(Instant now, uint64_t received) {
  Counts counts = asked_;
  counts.received = received;
  // Its count begins anew with its link; ours does not.
  const bool is_comparable = last_ && received >= last_->received && counts.sent >= last_->sent;
  const Counts before = last_.value_or(Counts{});
  last_ = counts;
  if (now >= verdict_until_) {
    return go(now, State::Trains, state_ == State::Guilty ? Change::Retried : Change::None);
  }
  const uint64_t sent = counts.sent - before.sent;
  if (!is_comparable || sent < kLeastSent) return Change::None;
  const uint64_t arrived = received - before.received;
  const bool is_bad = arrived < sent && (sent - arrived) * 100 >= sent * kBadPercent;
  bad_ = is_bad ? bad_ + 1 : 0;
  good_ = is_bad ? 0 : good_ + 1;
  if (state_ == State::Trains && bad_ >= kInARow) return go(now, State::Singles, Change::Suspected);
  if (state_ == State::Singles && good_ >= kInARow) {
    ++convictions_;
    return go(now, State::Guilty, Change::Convicted);
  }
  if (state_ == State::Singles && bad_ >= kInARow) return go(now, State::Acquitted, Change::Acquitted);
  return Change::None;
}

TrainTrial::Change TrainTrial::go(Instant now, State state, Change change) {
  state_ = state;
  bad_ = good_ = 0;
  const bool is_verdict = state == State::Guilty || state == State::Acquitted;
  verdict_until_ = is_verdict ? now + kVerdictTime : kNever;
  return change;
}

}  // namespace ipop
