#include "overlay/dht/replica.h"

#include <algorithm>
#include <functional>

#include "overlay/base/jitter.h"
#include "overlay/dht/order.h"
#include "overlay/ring/distance.h"

namespace ipop {
namespace {

using wire::DhtRecord;
using wire::DhtReply;
using wire::DhtRequest;
using Operation = DhtRequest::Operation;
using Verdict = DhtReply::Verdict;

/// Of one side's neighbours, those that would still be among `now_there` if they lived.
size_t count_gone(const std::vector<NodeId>& before, const std::vector<NodeId>& now_there,
                  const std::function<Distance(const NodeId&)>& distance) {
  return static_cast<size_t>(std::count_if(before.begin(), before.end(), [&](const NodeId& node) {
    if (std::find(now_there.begin(), now_there.end(), node) != now_there.end()) return false;
    return now_there.size() < kNearPerSide || distance(node) < distance(now_there.back());
  }));
}

}  // namespace

Replica::Replica(Notary& notary, Random& random, ErrorCounters& refused, Instant now)
    : notary_(notary),
      random_(random),
      refused_(refused),
      sync_at_(now + kLoneliness),
      changed_at_(now),
      unsure_until_(now + kUnsureTime) {}

void Replica::handle_neighbours(Instant now, bool is_joined, bool is_searching, const Neighbourhood& near) {
  is_searching_ = is_searching;
  if (is_joined == is_joined_ && near == near_) return;
  const Losses losses = losses_of(near);
  note_losses(now, std::max(losses.successors, losses.predecessors));
  mark_unheard(near, losses);
  for (const NodeId& node : arrivals(notary_.self(), near_, near)) strangers_.insert(node);
  std::erase_if(strangers_, [&](const NodeId& node) { return !near.contains(node); });
  is_joined_ = is_joined;
  near_ = near;
  changed_at_ = now;
  std::erase_if(pulls_, [&](const auto& pull) { return !near_.contains(pull.first); });
  // A newcomer that is alone may only not have met the others.
  const bool is_alone = !synced_ && near_.all().empty();
  sync_at_ = std::min(sync_at_, now + (is_alone ? kLoneliness : synced_ ? kAskBackDelay : kSyncDelay));
}

Replica::Losses Replica::losses_of(const Neighbourhood& near) const {
  const NodeId& self = notary_.self();
  return {.successors = count_gone(near_.successors, near.successors,
                                   [&](const NodeId& node) { return clockwise_distance(self, node); }),
          .predecessors = count_gone(near_.predecessors, near.predecessors,
                                     [&](const NodeId& node) { return clockwise_distance(node, self); })};
}

void Replica::note_losses(Instant now, size_t count) {
  losses_.insert(losses_.end(), count, now);
  while (!losses_.empty() && losses_.front() + kLossWindow < now) losses_.pop_front();
  if (losses_.size() < kMassLoss) return;
  unsure_until_ = now + kUnsureTime;
  if (count > 0) ++counts_.mass_losses;
}

/// Who is new may have records of another ring.  A death makes us responsible for more on that side, and
/// those of its replicas that are left stand there, too.  A newcomer takes from what we are responsible for,
/// and adds nothing: docs/addresses.md, "Handover".
void Replica::mark_unheard(const Neighbourhood& near, const Losses& losses) {
  // In a ring that we see all of, each side is the other one, too.
  const bool is_circle = near.all().size() < 2 * kNearPerSide;
  const auto mark_side = [&](const std::vector<NodeId>& before, const std::vector<NodeId>& side, bool all) {
    for (const NodeId& node : side) {
      if (all || std::find(before.begin(), before.end(), node) == before.end()) unheard_.insert(node);
    }
  };
  const bool any = losses.successors + losses.predecessors > 0;
  mark_side(near_.successors, near.successors, !synced_ || losses.successors > 0 || (is_circle && any));
  mark_side(near_.predecessors, near.predecessors, !synced_ || losses.predecessors > 0 || (is_circle && any));
}

// Requests.

void Replica::handle_request(Instant now, Duration wall, const DhtRequest& request) {
  const NodeId key = key_of(request.address);
  const auto replicas = replicas_of(key, notary_.self(), near_);
  if (std::find(replicas.begin(), replicas.end(), notary_.self()) == replicas.end()) {
    refused_.add(Error::UnexpectedMessage);
    return;
  }
  if (is_recent(now, request)) {
    ++counts_.repeated;
    return;
  }
  DhtReply reply = answer(now, wall, request, key);
  reply.id = request.id;
  reply.is_unsure = is_unsure(now);
  if (distortion_.reply && !distortion_.reply(request, reply)) return;
  if (!request.is_relayed) {
    if (relay_rate_.take(now)) {
      DhtRequest copy = request;
      copy.is_relayed = true;
      for (const NodeId& node : replicas) {
        if (node != notary_.self()) messages_.push_back({.to = node, .body = copy});
      }
      ++counts_.relayed;
    } else {
      ++counts_.relay_limited;
    }
  }
  notary_.sign(request, reply);
  messages_.push_back({.to = request.asker, .body = std::move(reply)});
}

bool Replica::is_recent(Instant now, const DhtRequest& request) {
  while (!recent_.empty() && (recent_.front().second + kSameRequest <= now || recent_.size() > kMaxRecent)) {
    recent_.pop_front();
  }
  const bool out =
      std::any_of(recent_.begin(), recent_.end(), [&](const auto& one) { return one.first == request.id; });
  if (!out) recent_.emplace_back(request.id, now);
  return out;
}

DhtReply Replica::answer(Instant now, Duration wall, const DhtRequest& request, const NodeId& key) {
  store_.handle_timeout(now);
  if (request.operation != Operation::Get) return answer_write(now, wall, request, key);
  ++counts_.gets;
  DhtReply out;
  if (const Store::Entry* held = store_.find(key)) {
    out.verdict = Verdict::Held;
    out.record = held->record;
    ++counts_.held;
  } else if (!may_vote(now, key)) {
    out.verdict = Verdict::NotReady;
    ++counts_.not_ready;
  }
  return out;
}

DhtReply Replica::answer_write(Instant now, Duration wall, const DhtRequest& request, const NodeId& key) {
  const bool is_create = request.operation == Operation::Create;
  ++(is_create ? counts_.creates : counts_.puts);
  const DhtRecord& record = *request.record;
  DhtReply out;
  const Store::Entry* held = store_.find(key);
  if (held && held->record == record) {  // Asked again, or repaired; and it was checked then.
    out.verdict = Verdict::Accepted;
    ++counts_.accepted;
    return out;
  }
  if (const auto good = notary_.check(wall, record); !good) {
    refused_.add(good.error());
    ++counts_.refused;
    out.verdict = Verdict::Refused;
    return out;
  }
  const bool is_claim = is_create && record.kind == wire::DhtAddress::Kind::Ip;
  if (is_claim && record.state != DhtRecord::State::Reserved) {
    refused_.add(Error::NotAllowed);  // Nobody has granted it yet.
    ++counts_.refused;
    out.verdict = Verdict::Refused;
    return out;
  }
  if (held) {
    const bool is_better = is_create ? may_create(record, held->record) : replaces(record, held->record);
    if (!is_better) {
      out.verdict = Verdict::Held;
      out.record = held->record;
      ++counts_.held;
      if (request.asker != record.node) tell_loser(now, record, held->record);  // It was handed on.
      return out;
    }
  }
  // What we have of an address may be older than what others have: it was given back, and is another's since.
  if (is_create && (!held || is_claim) && !may_vote(now, key)) {
    out.verdict = Verdict::NotReady;
    ++counts_.not_ready;
    return out;
  }
  if (!keep(now, wall, key, record)) {
    refused_.add(Error::Full);
    ++counts_.full;
    out.verdict = Verdict::Full;
    return out;
  }
  out.verdict = Verdict::Accepted;
  ++counts_.accepted;
  return out;
}

/// Not while there may be another ring with replicas of its own, nor before new neighbours, who may come from
/// one, have told us what was granted there.
bool Replica::may_vote(Instant now, const NodeId& key) const {
  return is_joined_ && !is_searching_ && strangers_.empty() && now >= changed_at_ + kSettleTime && synced_ &&
         is_replica(notary_.self(), key, notary_.self(), *synced_);
}

/// REQUIRES: the record is good, and may take the place of what there is.
Result<Done> Replica::keep(Instant now, Duration wall, const NodeId& key, const DhtRecord& record) {
  std::optional<DhtRecord> before;
  if (const Store::Entry* held = store_.find(key)) before = held->record;
  Instant expires = expiry_of(record, now, wall);
  // What withdraws a record outlives the copies of it.
  if (record.state == DhtRecord::State::Withdrawn && before) {
    expires = std::max(expires, expiry_of(*before, now, wall));
  }
  if (const auto put = store_.put(key, {.record = record, .expires = expires}); !put) return put;
  if (before && before->node != record.node) {
    ++counts_.superseded;
    tell_loser(now, *before, record);
  }
  return Done{};
}

void Replica::tell_loser(Instant now, const DhtRecord& loser, const DhtRecord& winner) {
  if (loser.state == DhtRecord::State::Withdrawn || loser.node == winner.node) return;
  // What another part of the network gave back its writer may hold here, and writes again.
  if (winner.state == DhtRecord::State::Withdrawn && loser.state != DhtRecord::State::Bound) return;
  if (!notice_rate_.take(now)) return;  // Its next refresh tells it.
  messages_.push_back({.to = loser.node, .body = wire::DhtNotice{.record = winner}});
}

// Other replicas.

bool Replica::may_pull(Instant now, const NodeId& from, bool is_peer) {
  if (is_peer && !pull_rates_.contains(from) && pull_rates_.size() >= kMaxPullers) pull_rates_.clear();
  const bool may = is_peer ? pull_rates_.try_emplace(from, 2ms, 1000).first->second.take(now)
                           : others_pull_rate_.take(now);
  if (!may) refused_.add(Error::RateLimited);
  return may;
}

void Replica::handle_pull(Instant now, const NodeId& from, bool is_peer, const wire::DhtPull& pull) {
  if (!may_pull(now, from, is_peer)) return;
  if (pull.has_nothing) {
    unheard_.erase(from);
    strangers_.erase(from);
  }
  wire::DhtPage page{.id = pull.id, .next = std::nullopt, .entries = {}};
  // The asker may know that it is our neighbour before we do.
  const Neighbourhood near = with_node(notary_.self(), near_, from);
  size_t scanned = 0;
  for (auto entry = store_.all().lower_bound(pull.from); entry != store_.all().end(); ++entry) {
    if (page.entries.size() == wire::DhtPage::kMaxEntries || scanned++ == kMaxScan) {
      page.next = entry->first;
      break;
    }
    // Nor does it wait for us to notice the death of those between us: it takes what it is to have of ours.
    const bool may_want = is_replica(from, entry->first, notary_.self(), near) ||
                          is_replica(notary_.self(), entry->first, notary_.self(), near_);
    if (!may_want) continue;
    page.entries.push_back({.key = entry->first, .stamp = stamp_of(entry->second.record)});
  }
  hand_over(from, std::move(page));
}

void Replica::hand_over(const NodeId& to, wire::RingMessage answer) {
  if (distortion_.handover && !distortion_.handover(answer)) return;
  messages_.push_back({.to = to, .body = std::move(answer)});
}

void Replica::handle_page(Instant now, const NodeId& from, const wire::DhtPage& page) {
  const auto found = pulls_.find(from);
  if (found == pulls_.end() || found->second.id != page.id || found->second.is_listed) return;
  Pull& pull = found->second;
  if (page.next && *page.next <= pull.from && pull.from != NodeId{}) {
    refused_.add(Error::Malformed);  // It would never end.
    finish_pull(now, from);
    return;
  }
  pull.missing.clear();
  for (const auto& entry : page.entries) {
    if (!is_replica(notary_.self(), entry.key, notary_.self(), near_)) continue;
    const Store::Entry* ours = store_.find(entry.key);
    if (!ours || stamp_of(ours->record) != entry.stamp) pull.missing.emplace(entry.key, entry.stamp);
  }
  pull.is_listed = !page.next;
  if (page.next) pull.from = *page.next;
  pull.id = random_.u64();
  pull.tries = 0;
  if (!pull.missing.empty()) {
    send_fetch(now, from, pull);
  } else if (pull.is_listed) {
    finish_pull(now, from);
  } else {
    send_pull(now, from, pull);
  }
}

void Replica::handle_fetch(Instant now, const NodeId& from, bool is_peer, const wire::DhtFetch& fetch) {
  if (!may_pull(now, from, is_peer)) return;
  for (const NodeId& key : fetch.keys) {
    if (const Store::Entry* held = store_.find(key)) {
      hand_over(from, wire::DhtNotice{.record = held->record});
    }
  }
}

Result<Done> Replica::handle_notice(Instant now, Duration wall, const NodeId& from, bool is_peer,
                                    const DhtRecord& record) {
  store_.handle_timeout(now);
  const NodeId key = key_of(record.address());
  const auto good = notary_.check(wall, record);
  if (!good) refused_.add(good.error());
  if (good && is_replica(notary_.self(), key, notary_.self(), near_)) {
    const Store::Entry* held = store_.find(key);
    if (!held || replaces(record, held->record)) {
      if (keep(now, wall, key, record)) {
        ++counts_.repaired;
        if (const auto pull = pulls_.find(from); pull != pulls_.end()) {
          pull->second.give_up_at = std::min(now + kSyncPatience, pull->second.end_at);
        }
      } else {
        refused_.add(Error::Full);
      }
    } else if (held->record.mac != record.mac && held->record.state == DhtRecord::State::Withdrawn) {
      tell_loser(now, record, held->record);
    } else if (replaces(held->record, record)) {
      const DhtRecord better = held->record;
      tell_loser(now, record, better);
      if (from != record.node && notice_rate_.take(now)) {
        messages_.push_back({.to = from, .body = wire::DhtNotice{.record = better}});
      }
    }
  }
  // Good or not, it is what that neighbour has; unless it is an older one, sent in its name.
  const auto pull = pulls_.find(from);
  if (pull == pulls_.end()) return good;
  const auto missing = pull->second.missing.find(key);
  if (missing != pull->second.missing.end() && (is_peer || missing->second == stamp_of(record))) {
    pull->second.missing.erase(missing);
    pull->second.tries = 0;
    if (!pull->second.missing.empty()) return good;
    if (pull->second.is_listed) {
      finish_pull(now, from);
    } else {
      send_pull(now, from, pull->second);
    }
  }
  return good;
}

void Replica::start_sync(Instant now) {
  if (!is_joined_) {
    sync_at_ = now + kSyncRetry;
    return;
  }
  const bool is_round = !synced_ || now >= round_at_;
  if (is_round) {
    round_at_ = now + jittered(kSyncInterval, random_);
  }
  sync_at_ = round_at_;
  for (const auto& [node, pull] : pulls_) unheard_.insert(node);  // We may be responsible for more by now.
  pulls_.clear();
  syncing_ = near_;
  for (const NodeId& node : near_.all()) {
    if (!is_round && !unheard_.contains(node)) continue;
    Pull& pull = pulls_[node];
    pull.id = random_.u64();
    pull.give_up_at = now + kSyncPatience;
    pull.end_at = now + kLongestSync;
    send_pull(now, node, pull);
  }
  unheard_.clear();
  if (pulls_.empty()) finish_sync(now);
}

void Replica::send_pull(Instant now, const NodeId& node, Pull& pull) {
  pull.retry_at = now + kSyncRetry;
  messages_.push_back(
      {.to = node,
       .body = wire::DhtPull{.id = pull.id, .from = pull.from, .has_nothing = store_.all().empty()}});
}

void Replica::send_fetch(Instant now, const NodeId& node, Pull& pull) {
  pull.retry_at = now + kSyncRetry;
  wire::DhtFetch fetch;
  for (const auto& [key, stamp] : pull.missing) fetch.keys.push_back(key);
  messages_.push_back({.to = node, .body = std::move(fetch)});
}

void Replica::finish_pull(Instant now, const NodeId& node) {
  pulls_.erase(node);
  strangers_.erase(node);
  if (pulls_.empty()) finish_sync(now);
}

void Replica::finish_sync(Instant now) {
  ++counts_.syncs;
  synced_ = syncing_;
  queue_far();
  if (changed_at_ + kKeepTime <= now) drop_foreign();
}

/// Whoever is responsible now has had the time to ask.
void Replica::drop_foreign() {
  std::vector<NodeId> foreign;
  for (const auto& [key, entry] : store_.all()) {
    if (!is_replica(notary_.self(), key, notary_.self(), near_)) foreign.push_back(key);
  }
  for (const NodeId& key : foreign) {
    store_.erase(key);
    handed_on_.erase(key);
  }
}

/// Beyond our neighbours, who ask us for what they are to keep, so that none of its replicas may be among
/// them.
bool Replica::is_far(const NodeId& key) const {
  if (near_.all().size() < 2 * kNearPerSide) return false;
  const NodeId& first = near_.predecessors.back();
  return clockwise_distance(first, near_.successors.back()) < clockwise_distance(first, key);
}

void Replica::queue_far() {
  std::erase_if(handed_on_, [this](const NodeId& key) { return !store_.find(key); });
  for (const auto& [key, entry] : store_.all()) {
    if (!is_far(key)) {
      handed_on_.erase(key);
    } else if (handed_on_.insert(key).second) {
      far_keys_.push_back(key);
    }
  }
}

void Replica::hand_on(Instant now) {
  while (!far_keys_.empty() && now >= hand_on_at_) {
    const NodeId key = far_keys_.front();
    far_keys_.pop_front();
    const Store::Entry* held = store_.find(key);
    if (!held || !handed_on_.contains(key)) continue;
    hand_on_at_ = now + kHandOnPause;
    ++counts_.handed_on;
    DhtRequest put;
    put.id = random_.u64();
    put.asker = notary_.self();
    put.operation = Operation::Put;
    put.address = held->record.address();
    put.record = held->record;
    messages_.push_back({.to = key, .body = std::move(put), .is_for_owner = true});
  }
}

std::optional<Replica::Message> Replica::poll_message() {
  if (messages_.empty()) return std::nullopt;
  Message out = std::move(messages_.front());
  messages_.pop_front();
  return out;
}

Instant Replica::next_timeout() const {
  Instant next = std::min(sync_at_, store_.next_timeout());
  if (!far_keys_.empty()) next = std::min(next, hand_on_at_);
  for (const auto& [node, pull] : pulls_) next = std::min({next, pull.retry_at, pull.give_up_at});
  return next;
}

void Replica::handle_timeout(Instant now) {
  store_.handle_timeout(now);
  std::vector<NodeId> silent;
  for (auto& [node, pull] : pulls_) {
    if (pull.give_up_at > now && pull.retry_at > now) continue;
    if (pull.give_up_at <= now || ++pull.tries >= kSyncTries) {
      silent.push_back(node);
    } else if (!pull.missing.empty()) {
      send_fetch(now, node, pull);
    } else {
      send_pull(now, node, pull);
    }
  }
  for (const NodeId& node : silent) finish_pull(now, node);
  if (now >= sync_at_) start_sync(now);
  hand_on(now);
}

}  // namespace ipop
