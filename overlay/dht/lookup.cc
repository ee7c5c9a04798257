#include "overlay/dht/lookup.h"

#include <algorithm>
#include <utility>

namespace ipop {

Result<Done> Lookup::start(Instant now, const wire::Query& query, const std::vector<NodeId>& members) {
  if (pending_.size() >= kMaxLookups) return Error::Full;
  Pending pending{.query = query,
                  .waiting_for = {},
                  .hint = std::nullopt,
                  .retry_at = now + kLookupRetry,
                  .give_up_at = std::max(now + (members.empty() ? 0s : kLookupPatience), patient_until_)};
  const auto [entry, is_new] = pending_.emplace(query.id, std::move(pending));
  if (!is_new) return Error::Conflict;
  for (const NodeId& member : members) ask(entry->second, member);
  return Done{};
}

Result<Done> Lookup::start_for_all(Instant now, const wire::Query& query) {
  if (auto started = start(now, query, {}); !started) return started;
  Pending& pending = pending_.at(query.id);
  pending.asks_all = true;
  pending.give_up_at = std::max(now + kLookupPatience, patient_until_);
  questions_.push_back({std::nullopt, query});
  return Done{};
}

void Lookup::handle_answer(const NodeId& from, const wire::Answer& answer) {
  const auto entry = pending_.find(answer.id);
  if (entry == pending_.end()) return;
  const bool was_asked = entry->second.waiting_for.erase(from) > 0 || entry->second.asks_all;
  if (!was_asked) return;  // Or it has answered already.
  // That the claimant itself has it, by a host that it may have left, says nothing of others.
  const bool is_claimants = answer.binding && entry->second.query.claimant == answer.binding->mac;
  if (answer.binding && answer.binding->sequence > 0 && !is_claimants) {
    finish(entry, answer.binding);
    return;
  }
  auto& hint = entry->second.hint;
  if (answer.binding && (!hint || hint->mac == entry->second.query.claimant)) hint = answer.binding;
  finish_if_answered(entry);
}

void Lookup::handle_connected(const NodeId& member) {
  for (auto& [id, pending] : pending_) {
    if (!pending.asks_all) ask(pending, member);
  }
}

void Lookup::handle_disconnected(const NodeId& member) {
  for (auto entry = pending_.begin(); entry != pending_.end();) {
    const auto current = entry++;
    if (current->second.waiting_for.erase(member) > 0) finish_if_answered(current);
  }
}

std::optional<Lookup::Question> Lookup::poll_question() {
  if (questions_.empty()) return std::nullopt;
  Question out = std::move(questions_.front());
  questions_.pop_front();
  return out;
}

std::optional<Lookup::Outcome> Lookup::poll_outcome() {
  if (outcomes_.empty()) return std::nullopt;
  Outcome out = std::move(outcomes_.front());
  outcomes_.pop_front();
  return out;
}

Instant Lookup::next_timeout() const {
  if (!questions_.empty() || !outcomes_.empty()) return Instant::min();
  Instant next = kNever;
  for (const auto& [id, pending] : pending_) next = std::min({next, pending.retry_at, pending.give_up_at});
  return next;
}

void Lookup::handle_timeout(Instant now) {
  for (auto entry = pending_.begin(); entry != pending_.end();) {
    const auto current = entry++;
    Pending& pending = current->second;
    if (now >= pending.give_up_at) {
      finish(current, pending.hint);
    } else if (now >= pending.retry_at) {
      for (const NodeId& member : pending.waiting_for) questions_.push_back({member, pending.query});
      if (pending.asks_all) questions_.push_back({std::nullopt, pending.query});
      pending.retry_at = now + (pending.asks_all ? 2 * kLookupRetry : kLookupRetry);
    }
  }
}

void Lookup::ask(Pending& pending, const NodeId& member) {
  pending.asked_anybody = true;
  if (pending.waiting_for.insert(member).second) questions_.push_back({member, pending.query});
}

void Lookup::finish(std::map<uint64_t, Pending>::iterator entry, std::optional<wire::BindingRecord> holder) {
  outcomes_.push_back({.query = entry->second.query, .holder = std::move(holder)});
  pending_.erase(entry);
}

/// Everybody has answered, unless those who may know are still on their way to us.
void Lookup::finish_if_answered(std::map<uint64_t, Pending>::iterator entry) {
  const Pending& pending = entry->second;
  const bool may_grow = pending.asks_all || pending.give_up_at == patient_until_;
  if (pending.waiting_for.empty() && pending.asked_anybody && !may_grow) finish(entry, pending.hint);
}

}  // namespace ipop
