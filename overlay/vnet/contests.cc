#include "overlay/vnet/contests.h"

#include <algorithm>

namespace ipop {

void Contests::start(Instant now, const IpAddress& ip, const MacAddress& holder) {
  handle_timeout(now);
  if (contests_.size() >= kMost || contests_.contains(ip)) return;
  contests_[ip] = {.holder = holder, .due = now + kAskInterval, .deadline = now + kDefenceTime};
  events_.push_back({.kind = Event::Kind::Question, .ip = ip, .holder = holder});
}

void Contests::handle_word(Instant now, const MacAddress& mac, const IpAddress& ip) {
  const auto contest = contests_.find(ip);
  if (contest == contests_.end() || contest->second.holder != mac || contest->second.is_answered) return;
  contest->second.is_answered = true;
  contest->second.due = now + kQuietTime;
}

std::optional<Contests::Event> Contests::poll_event() {
  if (events_.empty()) return std::nullopt;
  const Event out = events_.front();
  events_.pop_front();
  return out;
}

Instant Contests::next_timeout() const {
  Instant out = kNever;
  for (const auto& [ip, contest] : contests_) out = std::min(out, contest.due);
  return out;
}

void Contests::handle_timeout(Instant now) {
  for (auto entry = contests_.begin(); entry != contests_.end();) {
    auto& [ip, contest] = *entry;
    if (contest.due > now) {
      ++entry;
      continue;
    }
    const bool is_lost = !contest.is_answered && contest.deadline <= now;
    if (is_lost) events_.push_back({.kind = Event::Kind::Lost, .ip = ip, .holder = contest.holder});
    if (is_lost || contest.is_answered) {
      entry = contests_.erase(entry);
      continue;
    }
    events_.push_back({.kind = Event::Kind::Question, .ip = ip, .holder = contest.holder});
    contest.due = std::min(now + kAskInterval, contest.deadline);
    ++entry;
  }
}

}  // namespace ipop
