// Whom to be linked to, so that the nodes order themselves on the circle of identifiers and anything can be
// routed to anyone; after Brunet (Boykin et al., "A symphony conducted by BruNet", 2007).
//
//   near       the kNearPerSide nearest nodes on either side.  Who joins, asks through any member for the
//   nodes
//              before and after itself (Connects); these call it, tell their own neighbours of it, and
//              answer.  Neighbours tell each other whom they are linked to whenever that changes.
//   shortcuts  drawn far away (ring/shortcut_draw.h).
//   on-demand  nodes whose guests talk: over the ring at once, and directly as soon as that succeeds.
//   leaves     links that only the peer has a use for, or nobody any more.
//
// A link is closed when neither end has a use for it; Pings tell.  Near nodes that cannot reach each other
// directly have their link over the ring, which the neighbours that they have in common carry.
//
// What keeps the ring one ring: a neighbour that does not answer is reported to those who should have it,
// too, and they ask it themselves; a node that misses neighbours, and each node now and then, asks for its
// place again by way of a distant peer; a peer that was lost is called again for a day; and a link
// with a stranger, which may belong to another ring, makes each of the two find its place on the other's.
//
// A calculation: handle_*() in, calls and messages out through Links and Router.  One owner, not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "overlay/base/log.h"
#include "overlay/base/random.h"
#include "overlay/base/token_bucket.h"
#include "overlay/link/links.h"
#include "overlay/ring/contacts.h"
#include "overlay/ring/link_kind.h"
#include "overlay/ring/neighbourhood.h"
#include "overlay/ring/router.h"

namespace ipop {

/// How often an idle neighbour is asked whether it lives; other links have kKeepaliveInterval.  Six
/// neighbours watch a node, so that the first notices within a second of its death on average.
inline constexpr Duration kNearKeepalive = 6s;
/// How long a node is called at its endpoint before the ring is tried.
inline constexpr Duration kCallPatience = 3s;
/// Both ends of a link to be often learn of each other at the same time.  One goes first; the other follows,
/// in case there is a NAT that its call has to open.
inline constexpr Duration kSecondCaller = 300ms;
/// The ring routes a handshake within a few round trips, or not at all.
inline constexpr Duration kRingCallPatience = 6s;
/// A lost peer gets one Initiation and this long to answer.
inline constexpr Duration kLostCallPatience = 2s;
/// Calls under way at a time, so that a restart of everybody is no storm.
inline constexpr size_t kMaxCalls = 16;
/// How long a link that nobody needs is kept: neighbours come and go while a ring forms.
inline constexpr Duration kUnneededLifetime = 10s;
/// How long after the last frame a link counts as carrying traffic.
inline constexpr Duration kTrafficLifetime = 120s;
/// Between two looks at what nothing else reports.
inline constexpr Duration kTickInterval = 2s;
/// How often a node makes sure of its place, and how soon again while something is missing.
inline constexpr Duration kPlaceInterval = 240s;
inline constexpr Duration kPlaceRetry = 2s;
/// How long a node leaves it to its first peer to ask for its place.
inline constexpr Duration kPlaceDelay = 400ms;
/// Neighbours seldom die alone; for so long after the last one is more than one look needed.
inline constexpr Duration kSettleTime = 5s;
/// How often neighbours repeat what they said.
inline constexpr Duration kNeighboursInterval = 120s;
/// Changes of the neighbourhood are told together.
inline constexpr Duration kNeighboursDelay = 150ms;
/// How long after its start a node tells somebody on the ring whom it is linked to, and how long after the
/// last time at most: the pauses double.
inline constexpr Duration kFirstSample = 8s;
inline constexpr Duration kSampleInterval = 60s;
/// So many peers at most.
inline constexpr size_t kSampleCount = 16;
/// In a ring that seems larger nobody can know so many that a few who are cut off would know each other.
inline constexpr double kSampledRing = 512;  ///< Nodes, as estimated from the distances of the nearest.
/// Who has lost many calls whom it has heard of for so long at most, and then likewise whom it has lost.
inline constexpr Duration kLongestSearch = 20s;
/// Between the draws of a shortcut for the better.
inline constexpr Duration kImproveInterval = 300s;

class Ring {
 public:
  /// The references must outlive it.
  Ring(const NodeId& self, Instant now, Links& links, Router& router, Random& random, Log& log);

  /// Somebody, or a file, says that a node can be reached there.
  void handle_heard_of(Instant now, const Contact& contact);
  /// A peer of an earlier process: called soon, and as long as one that was lost.
  void handle_known_peer(Instant now, const Contact& contact);
  void handle_connected(Instant now, const Links::Connected& connected);
  void handle_disconnected(Instant now, const Links::Disconnected& disconnected);
  void handle_failed(Instant now, const Links::Failed& failed);
  void handle_members(Instant now, const NodeId& from, const wire::Members& list);
  /// From somebody far away.
  void handle_sample(Instant now, const wire::Members& list);
  void handle_gone(Instant now, const wire::Gone& gone);
  void handle_connect(Instant now, const wire::Routed& envelope, const wire::Connect& request);
  void handle_connect_reply(Instant now, const wire::ConnectReply& reply);

  /// Guests here talk with guests there: a link is made, or kept.
  void want(Instant now, const NodeId& node);

  /// True as soon as we are linked to the nearest nodes that we know of, having asked for our place; and for
  /// a node that is the first of its ring.
  bool is_joined() const { return is_joined_; }
  /// Of those we are linked to, clockwise or the other way, the nearest first; at most kNearPerSide.
  const std::vector<NodeId>& successors() const { return near_.successors; }
  const std::vector<NodeId>& predecessors() const { return near_.predecessors; }
  const Neighbourhood& near() const { return near_; }
  /// Of a linked peer.
  std::optional<LinkKind> kind_of(const NodeId& node) const;
  double estimated_size() const { return estimate_size(self_, near_); }
  const Contacts& contacts() const { return contacts_; }
  /// It remembers peers from before its start, or has lost several neighbours at once or nearly all, and has
  /// not called everybody yet whom it knows: there may be others in this part of the Internet.
  bool is_searching() const { return search_ != Search::None; }

  Instant next_timeout() const { return std::min({tick_at_, work_at_, is_placed_ ? kNever : place_at_}); }
  void handle_timeout(Instant now);

 private:
  bool is_near(const NodeId& node) const { return near_.contains(node); }
  Contact own_contact() const;
  bool is_wanted(Instant now, const NodeId& node, const KnownNode& entry) const;
  void note_rumour(Instant now, KnownNode& entry);
  bool has_room() const;
  bool knows_many() const { return estimated_size() <= kSampledRing; }
  size_t calls(Instant now) const;  ///< Under way.
  void call(Instant now, const NodeId& node, KnownNode& entry);
  void call_lost_peer(Instant now, const NodeId& node, KnownNode& entry);
  void call_over_ring(Instant now, const NodeId& node, KnownNode& entry);
  void call_near(Instant now);
  std::vector<NodeId> near_candidates(Instant now) const;
  bool is_next(const NodeId& node) const;
  void set_placed(Instant now);
  void call_invited(Instant now);
  void call_lost(Instant now);
  void refresh_near(Instant now);
  void close_gap(Instant now, const NodeId& lost, const Neighbourhood& before);
  void refresh_uses(Instant now);
  void close_unneeded(Instant now);
  void ask_for_place(Instant now, const std::optional<NodeId>& first);
  void place_stranger(Instant now, const NodeId& node, const Path& path);
  void draw_shortcuts(Instant now);
  void improve_shortcuts(Instant now);
  void seek_direct_paths(Instant now);
  void tell_neighbours(Instant now);
  void tell_of(Instant now, const NodeId& node, const KnownNode& entry);
  wire::Members members_for(const NodeId& to) const;
  void start_search(Instant now);
  void search(Instant now);
  bool is_finding_out(Instant now) const;
  void end_search();
  void send_sample(Instant now);
  void work_soon(Instant at) { work_at_ = std::min(work_at_, at); }
  void work(Instant now);

  enum class Search : uint8_t {
    None,
    Known,  ///< Who was heard of, or is remembered from before the start, is called.
    Lost,   ///< Then, in a ring of a few, who was lost.
  };

  NodeId self_;
  Links& links_;
  Router& router_;
  Random& random_;
  Log& log_;
  Contacts contacts_;
  Neighbourhood near_;

  bool is_joined_ = false;
  bool is_placed_ = false;  ///< Somebody on the ring has answered, or asked, us as its part.
  Instant placed_at_{};
  Instant work_at_ = kNever;
  Instant tick_at_;
  Instant place_at_;
  Duration place_pause_ = kPlaceRetry;  ///< Grows while nothing is missed.
  Instant unsettled_until_{};
  Instant lost_near_at_{};
  Instant draw_at_{};
  Instant improve_at_;
  Instant tell_at_ = kNever;
  Instant retell_at_;
  Instant lost_call_at_{};
  Search search_ = Search::None;
  Instant search_from_{};
  Instant search_until_{};
  Instant sample_at_;
  Duration sample_pause_ = kFirstSample;
  TokenBucket connect_rate_{20ms, 100};  ///< Connects answered: each makes us call somebody.
  TokenBucket reply_rate_{20ms, 200};    ///< Answers to Connects that are heard, likewise.
  TokenBucket sample_rate_{10s, 10};     ///< Samples that are heard, likewise.
  TokenBucket place_log_{10s, 3};
};

}  // namespace ipop
