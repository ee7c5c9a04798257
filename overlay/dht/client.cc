#include "overlay/dht/client.h"

#include <algorithm>

#include "overlay/dht/order.h"

namespace ipop {
namespace {

using wire::DhtRecord;
using wire::DhtRequest;
using Mode = wire::Routed::Mode;
using Verdict = wire::DhtReply::Verdict;
using Kind = Client::Outcome::Kind;

bool is_alive(const DhtRecord& record) { return record.state != DhtRecord::State::Withdrawn; }

/// What a replica shows as a reason not to keep ours, and by the rules is none, is out of date or a lie.
bool is_in_the_way(const DhtRequest& request, const DhtRecord& held) {
  return request.operation == DhtRequest::Operation::Create ? !may_create(*request.record, held)
                                                            : !replaces(*request.record, held);
}

/// Whether `a` is more in the way of `ours` than `b`: what another guest holds is, before all that may be
/// outbid.
bool stands_more(const DhtRecord& a, const DhtRecord& b, const DhtRecord& ours) {
  const auto is_foreign = [&](const DhtRecord& record) { return is_alive(record) && record.mac != ours.mac; };
  return is_foreign(a) != is_foreign(b) ? is_foreign(a) : beats(a, b);
}

}  // namespace

Result<Done> Client::get(Instant now, uint64_t id, const wire::DhtAddress& address) {
  return start(now, id, get_of(address), kGetPatience);
}

Result<Done> Client::survey(Instant now, uint64_t id, const wire::DhtAddress& address) {
  return start(now, id, get_of(address), kGetPatience, true);
}

Result<Done> Client::create(Instant now, Duration wall, uint64_t id, const DhtRecord& record, bool outbids) {
  const auto started = start(now, id, write_of(wall, DhtRequest::Operation::Create, record), kWritePatience);
  if (started) operations_.at(id).outbids = outbids;
  return started;
}

Result<Done> Client::put(Instant now, Duration wall, uint64_t id, const DhtRecord& record) {
  return start(now, id, write_of(wall, DhtRequest::Operation::Put, record), kWritePatience);
}

DhtRequest Client::get_of(const wire::DhtAddress& address) {
  DhtRequest out;
  out.operation = DhtRequest::Operation::Get;
  out.address = address;
  return out;
}

DhtRequest Client::write_of(Duration wall, DhtRequest::Operation operation, const DhtRecord& record) {
  DhtRequest out;
  out.operation = operation;
  out.address = record.address();
  out.record = record;
  notary_.sign(wall, *out.record);
  return out;
}

Result<Done> Client::start(Instant now, uint64_t id, DhtRequest request, Duration patience, bool is_survey) {
  if (operations_.contains(id)) return Done{};
  if (operations_.size() >= kMaxOperations) return Error::Full;
  ++counts_.started;
  request.asker = notary_.self();
  request.id = random_.u64();
  Operation& operation = operations_[id];
  operation.request = std::move(request);
  operation.is_survey = is_survey;
  operation.patience = patience;
  by_attempt_[operation.request.id] = id;
  waiting_.push_back(id);
  start_waiting(now);
  return Done{};
}

void Client::start_waiting(Instant now) {
  while (!waiting_.empty() && operations_.size() - waiting_.size() < kMaxUnderWay) {
    Operation& operation = operations_.at(waiting_.front());
    waiting_.pop_front();
    operation.give_up_at = now + operation.patience;
    ask(now, operation);
  }
}

/// First the owner alone.  Who has been asked in vain may be dead, or worse.
void Client::ask(Instant now, Operation& operation) {
  const NodeId key = key_of(operation.request.address);
  if (operation.tries == 0) {
    operation.asked_at = now;
  } else {
    ++counts_.retries;
  }
  questions_.push_back({Mode::Owner, key, operation.request});
  if (operation.tries > 0) {
    questions_.push_back({Mode::After, key, operation.request});
    questions_.push_back({Mode::Before, key, operation.request});
  }
  ++operation.tries;
  operation.retry_at = now + std::min(operation.tries * round_trip_.retry_timeout(), kLongestRetryTimeout);
  note_due(operation);
}

void Client::note_due(const Operation& operation) {
  next_retry_ = std::min({next_retry_, operation.retry_at, operation.give_up_at});
}

Result<Done> Client::handle_reply(Instant now, Duration wall, const wire::DhtReply& reply) {
  const auto attempt = by_attempt_.find(reply.id);
  if (attempt == by_attempt_.end()) return Error::UnexpectedMessage;
  const auto entry = operations_.find(attempt->second);
  Operation& operation = entry->second;
  const auto from = notary_.check(wall, operation.request, reply);
  if (!from) return from.error();
  if (reply.record) {
    if (reply.record->address() != operation.request.address) return Error::Malformed;
    if (const auto good = notary_.check(wall, *reply.record); !good) return good.error();
  }
  operation.votes[*from] = {.verdict = reply.verdict,
                            .is_unsure = reply.is_unsure,
                            .record = reply.record,
                            .took = now - operation.asked_at};
  judge(now, wall, entry, false);
  start_waiting(now);
  return Done{};
}

void Client::judge(Instant now, Duration wall, Operations::iterator entry, bool is_over) {
  if (entry->second.is_survey) {
    judge_survey(entry, is_over);
  } else if (entry->second.request.operation == DhtRequest::Operation::Get) {
    judge_get(now, entry, is_over);
  } else {
    judge_write(now, wall, entry, is_over);
  }
}

void Client::judge_survey(Operations::iterator entry, bool is_over) {
  if (entry->second.votes.size() < count_ && !is_over) return;
  finish(entry, {.id = entry->first,
                 .operation = DhtRequest::Operation::Get,
                 .kind = Kind::Surveyed,
                 .record = {},
                 .votes = entry->second.votes});
}

void Client::judge_get(Instant now, Operations::iterator entry, bool is_over) {
  Operation& operation = entry->second;
  const DhtRecord* best = nullptr;
  size_t answers = 0;
  size_t sure = 0;
  for (const auto& [node, vote] : operation.votes) {
    if (vote.verdict == Verdict::Nothing || vote.verdict == Verdict::Held) {
      ++answers;
      if (!vote.is_unsure) ++sure;
    }
    if (vote.record && (!best || beats(*vote.record, *best))) best = &*vote.record;
  }
  const auto id = entry->first;
  const auto what = operation.request.operation;
  if (best && is_alive(*best) && (!operation.found || beats(*best, *operation.found))) {
    if (!operation.found) {
      ++counts_.found;
      note_round_trip(now, operation);
    }
    operation.found = *best;
    outcomes_.push_back({.id = id, .operation = what, .kind = Kind::Found, .record = *best, .votes = {}});
  }
  // When all have spoken, be it to say that they do not know yet, there is nobody to wait for.
  is_over |= answers >= read_quorum(count_) || operation.votes.size() >= count_;
  if (!is_over) return;
  if (operation.found) return erase(entry);
  const bool is_known = answers >= read_quorum(count_);
  if (is_known) note_round_trip(now, operation);
  ++(is_known ? counts_.nothing : counts_.failed);
  finish(entry, {.id = id,
                 .operation = what,
                 .kind = is_known ? Kind::Nothing : Kind::Failed,
                 .is_unsure = sure < read_quorum(count_),
                 .record = {},
                 .votes = {}});
}

void Client::judge_write(Instant now, Duration wall, Operations::iterator entry, bool is_over) {
  Operation& operation = entry->second;
  size_t accepted = 0;
  size_t sure = 0;
  size_t refused = 0;
  const DhtRecord* best = nullptr;
  for (const auto& [node, vote] : operation.votes) {
    if (vote.verdict == Verdict::Accepted) {
      ++accepted;
      if (!vote.is_unsure) ++sure;
    } else if (vote.verdict != Verdict::NotReady) {
      ++refused;
    }
    if (vote.record && is_in_the_way(operation.request, *vote.record) &&
        (!best || stands_more(*vote.record, *best, *operation.request.record))) {
      best = &*vote.record;
    }
  }
  // The asker can tell that host now, instead of after another round trip.
  if (best && operation.request.address.kind == wire::DhtAddress::Kind::Mac && !operation.is_outbid_told &&
      best->mac == operation.request.record->mac && best->node != operation.request.record->node &&
      is_alive(*best) && operation.request.operation == DhtRequest::Operation::Create) {
    operation.is_outbid_told = true;
    outcomes_.push_back({.id = entry->first,
                         .operation = DhtRequest::Operation::Create,
                         .kind = Kind::Outbid,
                         .record = *best,
                         .votes = {}});
  }
  const size_t quorum = write_quorum(count_);
  Outcome outcome{.id = entry->first,
                  .operation = operation.request.operation,
                  .kind = Kind::Failed,
                  .left_traces = accepted > 0,
                  .record = operation.request.record,
                  .votes = {}};
  if (accepted >= quorum) {
    note_round_trip(now, operation);
    ++counts_.accepted;
    outcome.kind = Kind::Accepted;
    outcome.is_unsure = sure + 1 < quorum;
    return finish(entry, std::move(outcome));
  }
  const bool is_refused = refused > count_ - std::min(count_, quorum);
  if (!is_refused && !is_over) return;
  // One that refuses among silent ones may be out of date, or lie: enough to claim no further, but not to
  // give up what was granted.
  if (best && (is_refused || outcome.operation == DhtRequest::Operation::Create)) {
    if (!is_over && raise(now, wall, operation, *best)) return;
    ++counts_.held;
    outcome.kind = Kind::Held;
    outcome.record = *best;
  } else {
    ++counts_.failed;
  }
  finish(entry, std::move(outcome));
}

/// What is only an older word on the same guest, or no claim any more, is outbid.  Where another host has the
/// guest now, a put gives way: only who has seen the guest creates.
bool Client::raise(Instant now, Duration wall, Operation& operation, const DhtRecord& obstacle) {
  DhtRecord& record = *operation.request.record;
  const bool outbids = operation.request.operation == DhtRequest::Operation::Create && operation.outbids;
  const bool may =
      !is_alive(obstacle) || (obstacle.mac == record.mac && (outbids || obstacle.node == record.node));
  if (!may || obstacle.sequence >= kLastSequence || operation.raises >= kMaxRaises) return false;
  ++operation.raises;
  ++counts_.raises;
  record.sequence = std::max(record.sequence, obstacle.sequence) + 1;
  notary_.sign(wall, record);
  const uint64_t id = by_attempt_.at(operation.request.id);
  by_attempt_.erase(operation.request.id);
  operation.request.id = random_.u64();
  by_attempt_[operation.request.id] = id;
  operation.votes.clear();
  operation.tries = 0;
  ask(now, operation);
  return true;
}

/// An answer to the second question may be one to the first (Karn).
void Client::note_round_trip(Instant now, const Operation& operation) {
  if (operation.tries == 1) round_trip_.add(now - operation.asked_at);
}

void Client::finish(Operations::iterator entry, Outcome outcome) {
  erase(entry);
  outcomes_.push_back(std::move(outcome));
}

void Client::erase(Operations::iterator entry) {
  by_attempt_.erase(entry->second.request.id);
  operations_.erase(entry);
  if (operations_.empty()) next_retry_ = kNever;
}

std::optional<Client::Question> Client::poll_question() {
  if (questions_.empty()) return std::nullopt;
  Question out = std::move(questions_.front());
  questions_.pop_front();
  return out;
}

std::optional<Client::Outcome> Client::poll_outcome() {
  if (outcomes_.empty()) return std::nullopt;
  Outcome out = std::move(outcomes_.front());
  outcomes_.pop_front();
  return out;
}

Instant Client::next_timeout() const {
  if (!questions_.empty() || !outcomes_.empty()) return Instant::min();
  return next_retry_;
}

void Client::handle_timeout(Instant now, Duration wall) {
  if (now < next_retry_) return;
  next_retry_ = kNever;
  for (auto entry = operations_.begin(); entry != operations_.end();) {
    const auto current = entry++;
    Operation& operation = current->second;
    if (now >= operation.give_up_at) {
      judge(now, wall, current, true);
    } else if (now >= operation.retry_at) {
      ask(now, operation);
    } else {
      note_due(operation);
    }
  }
  start_waiting(now);
}

}  // namespace ipop
