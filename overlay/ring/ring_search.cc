// The part of Ring that is ready for a partition: members tell each other whom they are linked to, so that
// each comes to know many, and who loses many neighbours at once calls all that it knows.  A few hosts
// that can reach only each other find each other by that, whom the ring had never made peers.
#include <algorithm>

#include "overlay/base/jitter.h"
#include "overlay/ring/ring.h"

namespace ipop {

using State = KnownNode::State;
using Mode = wire::Routed::Mode;

/// Another loss begins it anew: what was called before may have been in vain only because of it.
void Ring::start_search(Instant now) {
  search_ = Search::Known;
  search_from_ = now;
  search_until_ = now + kLongestSearch;
  work_soon(now);
}

/// call_near() calls who would be a neighbour, the nearest first, and who does not answer makes room for the
/// next; so when it has nobody left to call, all are linked or have been tried.
void Ring::search(Instant now) {
  if (search_ == Search::None) return;
  work_soon(search_until_);
  if (now < search_until_ && is_finding_out(now)) return;  // What becomes of a call is followed by work.
  const bool are_few = near_.all().size() < 2 * kNearPerSide;
  if (search_ == Search::Lost || !are_few) return end_search();
  search_ = Search::Lost;
  search_until_ = now + kLongestSearch;
  for (auto& [node, entry] : contacts_.all()) {
    if (!entry.is_lost || !entry.has_endpoint() || entry.called_at >= search_from_) continue;
    entry.is_rumoured = true;
    if (entry.state != State::CallingOverRing) continue;
    call_lost_peer(now, node, entry);  // A ring that it is no part of does not lead there.
    work_soon(now + kLostCallPatience);
  }
  work_soon(now);
}

void Ring::end_search() {
  search_ = Search::None;
  for (auto& [node, entry] : contacts_.all()) entry.is_rumoured = false;
}

/// Whether somebody would be a neighbour who is being called, or about to be.
bool Ring::is_finding_out(Instant now) const {
  const auto may_answer = [now](const NodeId&, const KnownNode& entry) {
    if (entry.is_linked()) return true;
    if (entry.is_lost && !entry.is_rumoured && !entry.is_invited) return false;  // Those calls never end.
    if (entry.state == State::CallingOverRing) {
      return entry.is_rumoured && now < entry.called_at + kLostCallPatience;
    }
    return entry.state == State::Calling || entry.is_lost || entry.call_at <= now + kSecondCaller;
  };
  const std::vector<NodeId> near = contacts_.neighbourhood(self_, may_answer).all();
  return std::any_of(near.begin(), near.end(),
                     [this](const NodeId& node) { return !contacts_.find(node)->is_linked(); });
}

/// So that somebody knows of a few who are not its neighbours: whoever has a random place, or, since some
/// have much room on the ring and some hardly any, anybody that we know.  Only those that we are linked to: a
/// word about who was heard of would outlive it.
void Ring::send_sample(Instant now) {
  if (now < sample_at_) return;
  sample_at_ = now + jittered(sample_pause_, random_);
  if (!is_joined_ || !knows_many()) return;
  sample_pause_ = std::min(2 * sample_pause_, kSampleInterval);
  std::vector<wire::Member> direct;
  for (const auto& [node, link] : links_.all()) {
    if (link.sending() && link.path().is_direct()) {
      direct.push_back({.node = node, .endpoint = *link.path().endpoint});
    }
  }
  std::vector<NodeId> known;
  for (const auto& [node, entry] : contacts_.all()) {
    if (!entry.is_lost) known.push_back(node);
  }
  if (direct.empty() || known.empty()) return;
  wire::Members out;
  while (!direct.empty() && out.members.size() < kSampleCount) {
    std::swap(direct.back(), direct[random_.below(direct.size())]);
    out.members.push_back(direct.back());
    direct.pop_back();
  }
  NodeId anywhere;
  random_.fill(anywhere.bytes);
  if (random_.below(2) == 0) {
    (void)router_.send(now, Mode::Owner, anywhere, out);
  } else {
    (void)router_.send(now, Mode::Exact, known[random_.below(known.size())], out);
  }
}

/// What is named may be a far link, whose end notices late that it is dead: that it lives is a rumour.
void Ring::handle_sample(Instant now, const wire::Members& list) {
  if (!knows_many() || !sample_rate_.take(now)) return;
  for (const auto& member : list.members) {
    KnownNode* const known = contacts_.find(member.node);
    if (known != nullptr && known->is_lost) {
      note_rumour(now, *known);
      continue;
    }
    handle_heard_of(now, {.node = member.node, .endpoint = member.endpoint});
    if (KnownNode* const heard = contacts_.find(member.node)) heard->is_acquaintance = true;
  }
  work_soon(now);
}

}  // namespace ipop
