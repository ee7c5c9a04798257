#include "overlay/vnet/resolver.h"

#include <algorithm>

namespace ipop {

Result<Done> Resolver::ask(Instant now, Query query) {
  const Key key = key_of(query);
  if (open_.contains(key)) return Done{};
  if (pending_.size() >= kMaxPending) return Error::Full;
  if (!rate_.take(now)) return Error::RateLimited;
  do {
    query.id = random_.u64();
  } while (pending_.contains(query.id));
  open_[key] = query.id;
  to_send_.push_back(query.id);
  const uint64_t id = query.id;
  pending_[id] = {
      .query = std::move(query), .retry_at = now + kRetryInterval, .attempts_left = kAttempts - 1};
  return Done{};
}

std::optional<Query> Resolver::poll_query() {
  while (!to_send_.empty()) {
    const auto found = pending_.find(to_send_.front());
    to_send_.pop_front();
    if (found != pending_.end()) return found->second.query;
  }
  return std::nullopt;
}

const Query* Resolver::find(uint64_t id) const {
  const auto found = pending_.find(id);
  return found == pending_.end() ? nullptr : &found->second.query;
}

std::optional<Query> Resolver::handle_answer(uint64_t id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return std::nullopt;
  Query query = std::move(found->second.query);
  pending_.erase(found);
  open_.erase(key_of(query));
  return query;
}

Instant Resolver::next_timeout() const {
  Instant out = kNever;
  for (const auto& [id, pending] : pending_) out = std::min(out, pending.retry_at);
  return out;
}

std::vector<Query> Resolver::handle_timeout(Instant now) {
  std::vector<uint64_t> given_up;
  for (auto& [id, pending] : pending_) {
    if (pending.retry_at > now) continue;
    if (pending.attempts_left == 0) {
      given_up.push_back(id);
      continue;
    }
    --pending.attempts_left;
    pending.retry_at = now + kRetryInterval;
    to_send_.push_back(id);
  }
  std::vector<Query> out;
  for (const uint64_t id : given_up) out.push_back(*handle_answer(id));
  return out;
}

}  // namespace ipop
