#include "overlay/node/directory.h"

#include <algorithm>

#include "overlay/base/jitter.h"
#include "overlay/node/dht_address.h"
#include "overlay/node/records.h"

namespace ipop {
namespace {

using wire::DhtAddress;
using wire::DhtRecord;
using State = DhtRecord::State;
using Found = Client::Outcome::Kind;
using Operation = wire::DhtRequest::Operation;

}  // namespace

Directory::Directory(const Credentials& credentials, Vnet& vnet, Random& random, ErrorCounters& refused,
                     Instant now)
    : self_(credentials.id),
      vnet_(vnet),
      random_(random),
      refused_(refused),
      notary_(credentials),
      replica_(notary_, random, refused, now),
      client_(notary_, random),
      lookup_(now),
      scan_at_(now) {}

void Directory::handle_ring(Instant now, const Ring& ring, const std::vector<NodeId>& members) {
  members_ = members;
  sees_whole_ring_ = ring.near().all().size() < 2 * kNearPerSide;
  note_arrivals(now, ring.near());
  const uint64_t mass_losses = replica_.counts().mass_losses;
  // Who has no peer is a ring of its own.
  replica_.handle_neighbours(now, ring.is_joined() || members.empty(), ring.is_searching(), ring.near());
  if (replica_.counts().mass_losses > mass_losses) note_mass_loss(now);
  client_.set_replica_count(replica_count(ring.near()));
}

// What the virtual network wants.

void Directory::handle_query(Instant now, Duration wall, const Query& question) {
  if (purposes_.contains(question.id)) return;  // Repeated; we are at it.
  Query query = question;
  if (query.asker) query.asker = as_told(*query.asker);
  Result<Done> started = Done{};
  if (query.claim) {
    // Who has just joined may see a part of the replicas only.  No answer: the guest asks again.
    if (client_.replica_count() < kReplicas && !replica_.has_synchronised()) return;
    if (is_withdrawing(ip_address(query.claim->ip))) return;  // Likewise.
    ++counts_.claims;
    DhtRecord record;
    record.kind = DhtAddress::Kind::Ip;
    record.state = State::Reserved;
    record.ip = query.claim->ip;
    record.mac = query.claim->mac;
    const auto known = vnet_.map().find_mac(record.mac);
    record.sequence = std::clamp<uint64_t>(known ? known->sequence : 0, 1, kLastSequence);
    record.expires_s = static_cast<uint64_t>((wall + kReservationTime) / 1s);
    started = client_.create(now, wall, query.id, record);
    if (started) purposes_[query.id] = {.kind = Purpose::Kind::Claim, .query = query, .address = {}};
  } else if (query.kind == Query::Kind::Name) {
    ask_by_name(now, query);
  } else {
    const DhtAddress address = query.kind == Query::Kind::Ip ? ip_address(query.ip) : mac_address(query.mac);
    started = client_.get(now, query.id, address);
    if (started) purposes_[query.id] = {.kind = Purpose::Kind::Resolve, .query = query, .address = address};
    if (!started) answer(now, query.id, std::nullopt);
  }
  pump(now, wall);
}

/// Records are found by address, so the host of the guest is asked: the one if it is known, or everybody.
void Directory::ask_by_name(Instant now, const Query& query) {
  const Purpose purpose{.kind = Purpose::Kind::Resolve, .query = query, .address = {}};
  const auto mac = vnet_.map().find_name(query.name);
  const auto known = mac ? vnet_.map().find_mac(*mac) : std::nullopt;
  if (known && known->node != self_) {
    if (lookup_.start(now, to_message(query, now), {known->node})) {
      purposes_[query.id] = purpose;
      return;
    }
  } else {
    (void)ask_everybody(now, query.id, purpose, query);  // Else there is no answer: it is asked for again.
    return;
  }
  answer(now, query.id, std::nullopt);
}

void Directory::handle_announcement(Instant now, const Binding& binding) {
  if (!binding.ip.is_unspecified()) {
    track(now, ip_address(binding.ip), binding.mac);
    Entry& entry = entries_.at(ip_address(binding.ip));
    // Where a guest is, is for its host to say; whose an address is, for the replicas.
    const bool is_withdrawn = binding.expires <= now;
    if (!is_withdrawn) {
      entry.is_told |= entry.sequence > 0;
      entry.has_left = false;
      entry.kept_until = {};
    }
    tell_peers(now, is_withdrawn ? binding : as_told(binding));
  } else {
    tell_peers(now, binding);
  }
  track_guest(now, binding.mac);
  // We may have had it before: its record is another's now, to be taken by who sees the guest.
  if (const auto guest = entries_.find(mac_address(binding.mac));
      guest != entries_.end() && vnet_.movers().is_newcomer(now, binding.mac)) {
    guest->second.is_bound = false;
  }
}

void Directory::answer(Instant now, uint64_t id, const std::optional<Binding>& binding) {
  purposes_.erase(id);
  (void)vnet_.handle_answer(now, id, binding);  // Counts its refusals itself.
}

/// Silence of those who were asked counts, for a question; for a claim it does where there is nobody to ask.
bool Directory::ask_everybody(Instant now, uint64_t id, Purpose purpose, const Query& query) {
  const bool is_question = purpose.kind == Purpose::Kind::Resolve;
  if (!sees_whole_ring_ && !(is_question ? ask_all_rate_ : claim_ask_all_rate_).take(now)) {
    ++counts_.ask_all_limited;
    return false;
  }
  wire::Query message = to_message(query, now);
  message.id = id;
  const auto started =
      sees_whole_ring_ ? lookup_.start(now, message, members_) : lookup_.start_for_all(now, message);
  if (!started) return false;
  ++counts_.asked_all;
  purposes_[id] = std::move(purpose);
  return true;
}

// What comes of it.

Binding Directory::binding_of(Instant now, const DhtRecord& record) const {
  const Duration left = std::chrono::seconds(record.expires_s) - (now.time_since_epoch() + wall_offset_);
  Binding out{.ip = record.ip,
              .mac = record.mac,
              .node = record.node,
              .sequence = record.sequence,
              .expires = now + std::clamp<Duration>(left, 1s, kLongestRecord),
              .name = is_host_label(record.name) ? record.name : std::string()};
  if (record.state == State::Bound && record.node != self_) return out;
  out.sequence = 0;
  out.node = {};  // Whoever's it is, nobody is to be sent there.
  return out;
}

void Directory::handle_outcome(Instant now, Duration wall, const Client::Outcome& outcome) {
  if (outcome.kind == Found::Found) return handle_found(now, outcome);
  if (outcome.kind == Found::Outbid) return handle_outbid(now, outcome);
  if (outcome.kind == Found::Surveyed) return finish_explanation(now, wall, outcome);
  const auto found = purposes_.find(outcome.id);
  if (found == purposes_.end()) return;
  const Purpose purpose = std::move(found->second);
  purposes_.erase(found);
  switch (purpose.kind) {
    case Purpose::Kind::Resolve:
      // Whoever has a MAC has a record of it; a guest that has not spoken has an address at most.
      if (purpose.query.kind == Query::Kind::Mac && outcome.kind == Found::Nothing && !outcome.is_unsure &&
          !sees_whole_ring_) {
        return answer(now, outcome.id, std::nullopt);
      }
      if (!ask_everybody(now, outcome.id, purpose, purpose.query)) answer(now, outcome.id, std::nullopt);
      break;
    case Purpose::Kind::Claim:
      handle_claim(now, wall, outcome, purpose.query);
      break;
    case Purpose::Kind::Write:
      --writes_;
      handle_written(now, outcome, purpose);
      break;
    case Purpose::Kind::Cleanup:
      break;
  }
}

void Directory::handle_found(Instant now, const Client::Outcome& outcome) {
  const Binding binding = binding_of(now, *outcome.record);
  const auto found = purposes_.find(outcome.id);
  if (found == purposes_.end()) {  // A better one than we answered with.
    if (binding.sequence > 0) (void)vnet_.handle_announcement(now, binding.node, binding);
    return;
  }
  const Purpose purpose = std::move(found->second);
  purposes_.erase(found);
  if (binding.sequence > 0) return answer(now, outcome.id, binding);
  // Not in use yet, or what we wrote before we restarted; but perhaps somebody uses it.
  if (ask_everybody(now, outcome.id, purpose, purpose.query)) return;
  answer(now, outcome.id, purpose.query.kind == Query::Kind::Mac ? std::optional(binding) : std::nullopt);
}

void Directory::handle_claim(Instant now, Duration wall, const Client::Outcome& outcome, const Query& query) {
  if (outcome.kind == Found::Accepted) {
    Entry& entry = entries_[ip_address(query.claim->ip)];
    if (entry.mac != query.claim->mac) {
      entry.sequence = entry.write = 0;
      entry.is_told = false;
    }
    entry.mac = query.claim->mac;
    entry.has_left = entry.is_bound =
        false;  // The replicas have the reservation, also in the place of an earlier record.
    entry.reserved = outcome.record->sequence;
    entry.valid_until = entry.kept_until = now + kOfferTime;
    schedule(outcome.record->address(), entry, entry.valid_until + 1s);  // If the guest does not take it.
    if (!outcome.is_unsure) {
      grant(entry);
      ++counts_.claims_won;
      return answer(now, query.id, std::nullopt);
    }
    // Without an answer of everybody there is none to the claim.
    (void)ask_everybody(now, query.id, {.kind = Purpose::Kind::Claim, .query = query, .address = {}}, query);
    return;
  }
  if (outcome.left_traces) handle_lost_claim(now, wall, outcome, *query.claim);
  if (outcome.kind == Found::Held) {
    ++counts_.claims_lost;
    answer(now, query.id, binding_of(now, *outcome.record));
  }
}

/// Some replicas keep our reservation, perhaps in the place of what the guest had by us, by its former host
/// or by another claim of ours.  So it is withdrawn only if another guest has the address, and else runs out.
void Directory::handle_lost_claim(Instant now, Duration wall, const Client::Outcome& outcome,
                                  const Query::Claim& claim) {
  const DhtAddress address = ip_address(claim.ip);
  if (const auto entry = entries_.find(address); entry != entries_.end()) {
    if (entry->second.mac == claim.mac && !entry->second.is_busy()) schedule(address, entry->second, now);
    return;
  }
  const bool is_anothers = outcome.kind == Found::Held && outcome.record->mac != claim.mac;
  if (!is_anothers || is_claiming(address)) return;
  DhtRecord trace = *outcome.record;
  trace.ip = claim.ip;
  trace.mac = claim.mac;
  trace.sequence = std::min(trace.sequence + 1, kLastSequence);
  withdraw(now, wall, trace, kReservationTime);
}

void Directory::handle_written(Instant now, const Client::Outcome& outcome, const Purpose& purpose) {
  const DhtAddress& address = purpose.address;
  const auto found = entries_.find(address);
  if (found == entries_.end() || found->second.write != outcome.id) return;  // Nobody's, or begun anew.
  Entry& entry = found->second;
  entry.write = 0;
  // What one guest of ours was granted another may have by now, which is for us to decide.
  const bool is_anothers = entry.mac != purpose.mac;
  if (outcome.kind == Found::Failed) {
    return schedule(address, entry, now + jittered(kRetryInterval, random_));
  }
  const DhtRecord& record = *outcome.record;
  if (outcome.kind == Found::Accepted) entry.valid_until = entry.writing_until;
  if (outcome.kind == Found::Held) {
    if (is_anothers) return schedule(address, entry, now);
    const bool is_moving = record.state == State::Reserved && record.mac == entry.mac;
    if (is_moving && is_away(address, entry)) return forget(address);
    if (record.state == State::Withdrawn || is_moving || record.node == self_) {
      return schedule(address, entry, now + jittered(kRetryInterval, random_));
    }
    return give_way(now, address, binding_of(now, record), &record);
  }
  if (record.state == State::Reserved) {
    entry.reserved = record.sequence + (is_anothers ? 1 : 0);
    if (!outcome.is_unsure) {
      grant(entry);
      return schedule(address, entry, now);
    }
    const Query query{.id = 0,
                      .kind = Query::Kind::Ip,
                      .ip = address.ip,
                      .mac = {},
                      .claim = Query::Claim{.ip = address.ip, .mac = entry.mac},
                      .asker = {}};
    const uint64_t id = random_.u64();
    if (!ask_everybody(now, id, purpose, query)) {
      return schedule(address, entry, now + jittered(kRetryInterval, random_));
    }
    ++writes_;
    entry.write = id;
    return;
  }
  if (is_anothers) {
    entry.sequence = std::max(entry.sequence, record.sequence + 1);
    return schedule(address, entry, now);
  }
  entry.sequence = record.sequence;
  const bool is_news = address.kind == DhtAddress::Kind::Ip && !entry.is_told;
  entry.is_bound = true;
  entry.is_told = true;
  ++counts_.refreshes;
  const bool is_doubted = std::exchange(entry.is_doubted, false);
  schedule(address, entry, now + jittered(is_doubted ? kRetryInterval : kRefreshInterval, random_));
  if (!find(address)) schedule(address, entry, now);  // It ended meanwhile.
  const auto known = vnet_.map().find_mac(entry.mac);
  // What we created is newer than any claim with a lower sequence, also if we believed that meanwhile.
  const bool is_ours = known && (known->node == self_ || (address.kind == DhtAddress::Kind::Mac &&
                                                          outcome.operation == Operation::Create));
  const bool is_raised = is_ours && known->sequence < entry.sequence;
  if (is_raised || (is_ours && address.kind == DhtAddress::Kind::Mac)) {
    vnet_.raise_sequence(now, entry.mac, entry.sequence);
  }
  if (is_raised) {
    tell_peers(now, entry.mac);
  } else if (const auto binding = find(address); is_news && binding) {
    tell_peers(now, *binding);
    // Its MAC's record says so, too: that is how the network remembers a guest.
    const auto guest = entries_.find(mac_address(binding->mac));
    const bool is_in_it = known && known->ip == binding->ip;
    if (is_in_it && guest != entries_.end() && !guest->second.is_busy())
      schedule(guest->first, guest->second, now);
  }
}

/// All have been asked, those with records and those without.
void Directory::handle_lookup(Instant now, const Lookup::Outcome& outcome) {
  const auto found = purposes_.find(outcome.query.id);
  if (found == purposes_.end()) return;
  const Purpose purpose = std::move(found->second);
  purposes_.erase(found);
  std::optional<Binding> holder;
  if (outcome.holder) holder = to_binding(*outcome.holder, now);
  if (purpose.kind != Purpose::Kind::Write) {
    if (purpose.kind == Purpose::Kind::Claim) {
      const bool is_lost = holder && holder->mac != purpose.query.claim->mac;
      ++(is_lost ? counts_.claims_lost : counts_.claims_won);
      const DhtAddress address = ip_address(purpose.query.ip);
      const auto entry = entries_.find(address);
      if (is_lost && entry != entries_.end()) schedule(address, entry->second, now);
      const bool is_its = entry != entries_.end() && entry->second.mac == purpose.query.claim->mac;
      if (!is_lost && is_its) grant(entry->second);
    }
    return answer(now, outcome.query.id, holder);
  }
  --writes_;
  const auto entry = entries_.find(purpose.address);
  if (entry == entries_.end() || entry->second.write != outcome.query.id) return;
  entry->second.write = 0;
  if (holder && holder->mac != entry->second.mac) return give_way(now, purpose.address, *holder, nullptr);
  grant(entry->second);
  schedule(purpose.address, entry->second, now);
}

// What an administrator wants to know.

uint64_t Directory::start_explanation(Instant now, Duration wall, const DhtAddress& address) {
  const uint64_t id = random_.u64();
  explaining_[id] = {.id = id,
                     .address = address,
                     .known = {},
                     .before = {},
                     .replicas = client_.replica_count(),
                     .votes = {},
                     .at = now};
  if (!client_.survey(now, id, address)) {  // Too busy; what is known here is known all the same.
    finish_explanation(
        now, wall,
        {.id = id, .operation = Operation::Get, .kind = Found::Surveyed, .record = {}, .votes = {}});
  }
  pump(now, wall);
  return id;
}

void Directory::finish_explanation(Instant now, Duration wall, const Client::Outcome& outcome) {
  auto entry = explaining_.extract(outcome.id);
  if (entry.empty()) return;
  Explanation& explanation = entry.mapped();
  const DhtAddress& address = explanation.address;
  const AddressMap& map = vnet_.map();
  const bool is_ip = address.kind == DhtAddress::Kind::Ip;
  explanation.known = is_ip ? map.find_ip(address.ip) : map.find_mac(address.mac);
  explanation.before = is_ip ? map.history().find(address.ip) : map.history().find(address.mac);
  explanation.votes = outcome.votes;
  explanation.took = now - explanation.at;
  explanation.at = now;
  explanation.wall = wall;
  explanations_.push_back(std::move(explanation));
}

std::optional<Explanation> Directory::poll_explanation() {
  if (explanations_.empty()) return std::nullopt;
  Explanation out = std::move(explanations_.front());
  explanations_.pop_front();
  return out;
}

// Messages.

bool Directory::handle_message(Instant now, Duration wall, const NodeId& from, bool is_peer,
                               const wire::RingMessage& message) {
  if (const auto* request = std::get_if<wire::DhtRequest>(&message)) {
    replica_.handle_request(now, wall, *request);
  } else if (const auto* reply = std::get_if<wire::DhtReply>(&message)) {
    // Most are later than the quorum.
    const auto taken = client_.handle_reply(now, wall, *reply);
    if (!taken && taken.error() != Error::UnexpectedMessage) refused_.add(taken.error());
  } else if (const auto* pull = std::get_if<wire::DhtPull>(&message)) {
    replica_.handle_pull(now, from, is_peer, *pull);
  } else if (const auto* page = std::get_if<wire::DhtPage>(&message)) {
    replica_.handle_page(now, from, *page);
  } else if (const auto* fetch = std::get_if<wire::DhtFetch>(&message)) {
    replica_.handle_fetch(now, from, is_peer, *fetch);
  } else if (const auto* notice = std::get_if<wire::DhtNotice>(&message)) {
    wall_offset_ = wall - now.time_since_epoch();
    if (replica_.handle_notice(now, wall, from, is_peer, notice->record)) handle_notice(now, notice->record);
  } else {
    return false;
  }
  pump(now, wall);
  return true;
}

/// Carries what the parts have to say to each other, and out.
void Directory::pump(Instant now, Duration wall) {
  wall_offset_ = wall - now.time_since_epoch();
  bool busy = true;
  while (busy) {
    busy = false;
    while (const auto outcome = client_.poll_outcome()) {
      handle_outcome(now, wall, *outcome);
      busy = true;
    }
    while (const auto outcome = lookup_.poll_outcome()) {
      handle_lookup(now, *outcome);
      busy = true;
    }
    const size_t before = writes_;
    write_due(now, wall);
    busy |= writes_ != before;
  }
  while (auto question = client_.poll_question()) {
    outgoing_.push_back({.to = Outgoing::To::Key,
                         .mode = question->mode,
                         .node = question->key,
                         .message = std::move(question->request)});
  }
  while (auto message = replica_.poll_message()) {
    outgoing_.push_back(
        {.to = message->is_for_owner ? Outgoing::To::Key : Outgoing::To::Node,
         .mode = message->is_for_owner ? wire::Routed::Mode::Owner : wire::Routed::Mode::Exact,
         .node = message->to,
         .message = std::move(message->body)});
  }
  while (auto question = lookup_.poll_question()) {
    outgoing_.push_back({.to = question->to ? Outgoing::To::Node : Outgoing::To::Everybody,
                         .node = question->to.value_or(NodeId{}),
                         .message = std::move(question->query)});
  }
}

std::optional<Directory::Outgoing> Directory::poll_outgoing() {
  if (outgoing_.empty()) return std::nullopt;
  Outgoing out = std::move(outgoing_.front());
  outgoing_.pop_front();
  return out;
}

Instant Directory::next_timeout() const {
  Instant next =
      std::min({scan_at_, replica_.next_timeout(), client_.next_timeout(), lookup_.next_timeout()});
  if (!due_.empty() && writes_ < kMaxWrites) next = std::min(next, due_.begin()->first);
  return next;
}

void Directory::handle_timeout(Instant now, Duration wall) {
  replica_.handle_timeout(now);
  client_.handle_timeout(now, wall);
  lookup_.handle_timeout(now);
  if (now >= scan_at_) scan(now);
  pump(now, wall);
}

}  // namespace ipop
