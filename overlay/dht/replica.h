// Keeps records for others: answers what is asked of this node as a replica, and sees to it that all replicas
// of an address have the same.
//
//   - Whoever gets a request first passes it on to the other replicas; each answers the asker itself.
//   - When its neighbourhood changes, and now and then, a replica asks its neighbours what they have that it
//     should have (Pull, Page), and for what is new to it (Fetch).  Until they have answered it does not vote
//     on addresses that it was not responsible for before: it may not know who holds them; nor on any until
//     new neighbours have, who may come from another ring.
//   - What it kept and others are to keep now whom it does not even know, since a small ring has met a large
//     one, it sends there.
//   - Of two records of an address it keeps the better one (dht/order.h), and sends that to the writer of the
//     other: so a host hears that its guest has moved, and who lost an address to the other side of a healed
//     partition hears of that.
//
// A calculation: no I/O, one owner, not thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "overlay/base/counters.h"
#include "overlay/base/random.h"
#include "overlay/base/token_bucket.h"
#include "overlay/dht/notary.h"
#include "overlay/dht/replica_set.h"
#include "overlay/dht/store.h"
#include "overlay/wire/ring_message.h"

namespace ipop {

class Replica {
 public:
  /// Neighbours come and go while a ring forms; then they are asked.
  static constexpr Duration kSyncDelay = 1s;
  /// Who is not new itself asks later: a newcomer's own question may say that there is nothing to ask it for.
  static constexpr Duration kAskBackDelay = 2s;
  /// Pieces of a ring that are about to become one must not grant the same address each: who has other
  /// neighbours since less than this does not vote.  Most joins take a tenth of it, a merge some 5 s.
  static constexpr Duration kSettleTime = 3s;
  /// How often all are asked what we may have missed, give or take a sixth.  Seldom: what a holder writes
  /// anew every 5 min goes to all replicas.
  static constexpr Duration kSyncInterval = 20min;
  /// Who does not answer is asked again; then it is left to the ring to find out whether it lives.
  static constexpr Duration kSyncRetry = 1s;
  static constexpr int kSyncTries = 3;
  /// Nor is who tells nothing new for so long and has not come to an end, or has not after the longer time:
  /// it might go on for ever.  A full store takes a thousand pages, of two round trips each.
  static constexpr Duration kSyncPatience = 1min;
  static constexpr Duration kLongestSync = 10min;
  /// A node that has just started may have neighbours that it has not met.
  static constexpr Duration kLoneliness = 3s;
  /// Neighbours lost within this time are lost at once: nobody had time to hand anything over.
  static constexpr Duration kLossWindow = 30s;
  static constexpr size_t kMassLoss = 2;
  /// After a mass loss, and after a start: until every holder has refreshed what it holds (node/directory.h),
  /// and a minute for what was lost on the way.
  static constexpr Duration kUnsureTime = 7min;
  /// A record that we are not responsible for any more is kept for so long after things calmed down.
  static constexpr Duration kKeepTime = 10min;
  /// Between two records that are handed on to replicas far away.
  static constexpr Duration kHandOnPause = 20ms;
  /// A request that comes again within this time took another way here at the same time, and is not answered
  /// twice: its asker has not been waiting.
  static constexpr Duration kSameRequest = 50ms;
  static constexpr size_t kMaxRecent = 64;   ///< Requests that are remembered for that.
  static constexpr size_t kMaxScan = 512;    ///< Records looked at for one Page.
  static constexpr size_t kMaxPullers = 64;  ///< Peers whose pulls are counted each for itself.

  /// What a dishonest member makes of what it says; false: it keeps it back.  For experiments.
  struct Distortion {
    /// Before it is signed.  One that is kept back keeps the request from the other replicas, too.
    std::function<bool(const wire::DhtRequest& request, wire::DhtReply& reply)> reply;
    /// A Page or a Notice that another replica asked for.
    std::function<bool(wire::RingMessage& answer)> handover;
  };
  void set_distortion(Distortion distortion) { distortion_ = std::move(distortion); }

  /// The references must outlive it.
  Replica(Notary& notary, Random& random, ErrorCounters& refused, Instant now);

  /// The ring's present view; to be told whenever it may have changed.  While it searches for others there
  /// may be replicas that it does not know, and this one does not vote on what is new.
  void handle_neighbours(Instant now, bool is_joined, bool is_searching, const Neighbourhood& near);
  void handle_request(Instant now, Duration wall, const wire::DhtRequest& request);
  /// `is_peer`: it came from there over a link, so that `from` is certain.
  void handle_pull(Instant now, const NodeId& from, bool is_peer, const wire::DhtPull& pull);
  void handle_page(Instant now, const NodeId& from, const wire::DhtPage& page);
  void handle_fetch(Instant now, const NodeId& from, bool is_peer, const wire::DhtFetch& fetch);
  /// A record that `from` sent unasked, or that we fetched.  Kept if we are a replica and it is good and the
  /// better one.
  Result<Done> handle_notice(Instant now, Duration wall, const NodeId& from, bool is_peer,
                             const wire::DhtRecord& record);

  struct Message {
    NodeId to;  ///< Perhaps ourselves.
    wire::RingMessage body;
    bool is_for_owner = false;  ///< `to` is a key: for whoever owns it.
  };
  std::optional<Message> poll_message();

  Instant next_timeout() const;
  void handle_timeout(Instant now);

  const Store& store() const { return store_; }
  const Neighbourhood& near() const { return near_; }
  bool is_synchronised() const { return synced_ == near_; }
  /// With the neighbours that it had at some time.
  bool has_synchronised() const { return synced_.has_value(); }
  bool is_unsure(Instant now) const { return now < unsure_until_; }

  struct Counts {
    uint64_t gets = 0, creates = 0, puts = 0;  ///< Answered.
    uint64_t accepted = 0, held = 0, not_ready = 0, full = 0, refused = 0;
    uint64_t relayed = 0, relay_limited = 0, repeated = 0;
    uint64_t syncs = 0;        ///< Rounds that were completed.
    uint64_t repaired = 0;     ///< Records that came from another replica.
    uint64_t handed_on = 0;    ///< Records sent to replicas far away.
    uint64_t superseded = 0;   ///< Records of one writer that gave way to another's.
    uint64_t mass_losses = 0;  ///< Losses of neighbours of which several came at once.
  };
  const Counts& counts() const { return counts_; }

 private:
  /// What we are asking one neighbour.
  struct Pull {
    uint64_t id = 0;  ///< Another one for each page, so that a copy of an earlier one is none of it.
    NodeId from;      ///< Where its next page begins.
    std::map<NodeId, uint64_t> missing;  ///< Keys fetched and not come yet, with their stamps.
    bool is_listed = false;              ///< All pages have come.
    int tries = 0;
    Instant retry_at;
    Instant give_up_at;  ///< Unless it tells something new before.
    Instant end_at;      ///< Whatever it tells.
  };

  bool may_pull(Instant now, const NodeId& from, bool is_peer);
  bool is_recent(Instant now, const wire::DhtRequest& request);
  wire::DhtReply answer(Instant now, Duration wall, const wire::DhtRequest& request, const NodeId& key);
  wire::DhtReply answer_write(Instant now, Duration wall, const wire::DhtRequest& request, const NodeId& key);
  bool may_vote(Instant now, const NodeId& key) const;
  Result<Done> keep(Instant now, Duration wall, const NodeId& key, const wire::DhtRecord& record);
  void hand_over(const NodeId& to, wire::RingMessage answer);
  void tell_loser(Instant now, const wire::DhtRecord& loser, const wire::DhtRecord& winner);
  /// Of the former neighbours on one side.
  struct Losses {
    size_t successors = 0;
    size_t predecessors = 0;
  };
  Losses losses_of(const Neighbourhood& near) const;
  void note_losses(Instant now, size_t count);
  void mark_unheard(const Neighbourhood& near, const Losses& losses);
  void start_sync(Instant now);
  void send_pull(Instant now, const NodeId& node, Pull& pull);
  void send_fetch(Instant now, const NodeId& node, Pull& pull);
  void finish_pull(Instant now, const NodeId& node);
  void finish_sync(Instant now);
  void drop_foreign();
  bool is_far(const NodeId& key) const;
  void queue_far();
  void hand_on(Instant now);

  Notary& notary_;
  Random& random_;
  ErrorCounters& refused_;
  Distortion distortion_;
  Store store_;
  Neighbourhood near_;
  bool is_joined_ = false;
  bool is_searching_ = false;
  std::optional<Neighbourhood> synced_;  ///< The last neighbourhood all of which told us what it has.
  Neighbourhood syncing_;                ///< The one that is being asked.
  std::set<NodeId> unheard_;             ///< Neighbours that may have what we lack.
  std::set<NodeId> strangers_;           ///< New ones that have not told us all, nor that they have nothing.
  std::map<NodeId, Pull> pulls_;
  std::set<NodeId> handed_on_;   ///< Keys of records that were, or are in the queue.
  std::deque<NodeId> far_keys_;  ///< The queue.
  Instant hand_on_at_{};
  Instant sync_at_;
  Instant round_at_{};  ///< When all are asked.
  Instant changed_at_;
  Instant unsure_until_;
  std::deque<Instant> losses_;
  std::deque<std::pair<uint64_t, Instant>> recent_;  ///< Ids of requests, and when they were answered.
  TokenBucket relay_rate_{1ms, 1000};
  TokenBucket notice_rate_{10ms, 200};
  /// Pulls and fetches that are answered, of each peer, and of all others, who may say that they are anybody.
  /// Each costs a look at up to kMaxScan records, or an answer of up to 36.
  std::map<NodeId, TokenBucket> pull_rates_;
  TokenBucket others_pull_rate_{10ms, 100};
  std::deque<Message> messages_;
  Counts counts_;
};

}  // namespace ipop
