// Who has which address: carries the virtual network's questions and claims to the DHT, keeps what our guests
// hold alive there, and tells the virtual network what comes of it.
//
//   - A question is asked of the DHT.  What no record is known of is asked of everybody, as far as the rate
//     allows: a guest that never spoke has no record.
//   - A claim is a reservation at a quorum of the replicas.  If these may have missed an earlier one (after a
//     mass failure, or just started), everybody is asked before it counts.
//   - What our guests have is reserved if it was not, then bound, and written again every kRefreshInterval.
//     The record of a MAC needs no reservation: the host that sees the guest has the newest word.
//
// A calculation: no I/O, one owner, not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "overlay/base/counters.h"
#include "overlay/base/random.h"
#include "overlay/base/token_bucket.h"
#include "overlay/dht/client.h"
#include "overlay/dht/lookup.h"
#include "overlay/dht/notary.h"
#include "overlay/dht/replica.h"
#include "overlay/node/explanation.h"
#include "overlay/ring/ring.h"
#include "overlay/vnet/vnet.h"

namespace ipop {

class Directory {
 public:
  /// Between two refreshes of a record, give or take a sixth.
  static constexpr Duration kRefreshInterval = 5min;
  /// What could not be written is tried again, likewise.
  static constexpr Duration kRetryInterval = 6s;
  /// Between two looks for bindings that nobody announced: those of the lease file.
  static constexpr Duration kScanInterval = 10s;
  /// A reservation is for the time between a claim and the acknowledgement of what is offered then.
  static constexpr Duration kOfferTime = DhcpServer::kOfferTime;
  static constexpr Duration kReservationTime = kOfferTime + 10s;
  /// So long an answer about a claim is believed: several times what the replicas take to grant it.
  static constexpr Duration kClaimTime = 10s;
  /// A word of a partition that has healed may call a guest away that never left.  One that is back in time
  /// still has what it had: a claim would be refused by those who heard of another holder in the other part,
  /// whom its own record is to beat.
  static constexpr Duration kReturnTime = Movers::kReturnTime;
  /// So many new neighbours within this time, who take others' places, are of another ring that ours meets.
  static constexpr size_t kManyArrivals = 3;
  static constexpr Duration kArrivalWindow = 5s;
  /// What our guests hold is written again then, when routes lead through both, within this time and a little
  /// more for each record; likewise when neighbours were lost at once, and with them perhaps all replicas of
  /// something.
  static constexpr Duration kMeetingDelay = 1500ms;
  static constexpr Duration kMeetingSpread = 2s;
  static constexpr Duration kMeetingPause = 20ms;
  /// Records written at a time, so that a start with many leases is no burst.
  static constexpr size_t kMaxWrites = 32;

  /// The references must outlive it.
  Directory(const Credentials& credentials, Vnet& vnet, Random& random, ErrorCounters& refused, Instant now);

  /// To be told whenever it may have changed.  `members`: those that we are linked to.
  void handle_ring(Instant now, const Ring& ring, const std::vector<NodeId>& members);
  void handle_connected(const NodeId& member) { lookup_.handle_connected(member); }
  void handle_disconnected(const NodeId& member) { lookup_.handle_disconnected(member); }

  /// From the virtual network.
  void handle_query(Instant now, Duration wall, const Query& query);
  void handle_announcement(Instant now, const Binding& binding);
  /// Our guest is said to be elsewhere: unless it is back within kReturnTime the records of what it has are
  /// its new host's, and so is what becomes of them.
  void handle_departure(Instant now, const MacAddress& mac);
  /// A member's own word on its own guest, or "not I".
  void handle_answer(const NodeId& from, const wire::Answer& answer) { lookup_.handle_answer(from, answer); }
  /// False if it is no message of the DHT.
  /// `is_peer`: it came over the link with `from`.  Else that is what its sender says.
  bool handle_message(Instant now, Duration wall, const NodeId& from, bool is_peer,
                      const wire::RingMessage& message);

  struct Outgoing {
    enum class To {
      Key,        ///< By `mode` to the node of the ring that `node`, a key, is for.
      Node,       ///< To `node`.
      Everybody,  ///< All members.
      Peers,      ///< Those that we are linked to.
    };
    To to;
    wire::Routed::Mode mode = wire::Routed::Mode::Exact;
    NodeId node;
    wire::RingMessage message;
  };
  std::optional<Outgoing> poll_outgoing();

  Instant next_timeout() const;
  void handle_timeout(Instant now, Duration wall);

  void set_distortion(Replica::Distortion distortion) { replica_.set_distortion(std::move(distortion)); }
  /// Asks all replicas of an address what they have.  Returns the number of the Explanation, which is there
  /// after Client::kGetPatience at the latest.
  uint64_t start_explanation(Instant now, Duration wall, const wire::DhtAddress& address);
  std::optional<Explanation> poll_explanation();

  const Replica& replica() const { return replica_; }
  const Client& client() const { return client_; }
  struct Counts {
    uint64_t claims = 0, claims_won = 0, claims_lost = 0;
    uint64_t asked_all = 0, ask_all_limited = 0;
    uint64_t refreshes = 0, withdrawals = 0;
    uint64_t lost = 0;  ///< Addresses of our guests that turned out to be others'.
  };
  const Counts& counts() const { return counts_; }
  /// How many addresses of our guests the DHT has, and how many there are.
  std::pair<size_t, size_t> published() const;
  /// Whether the DHT has the address as our guest's: a quorum of its replicas accepted the record.
  bool is_published(const IpAddress& ip) const;

  /// Whether others may hear of this binding of ours: its guest was granted its address.
  bool is_told(const Binding& binding) const;
  /// What others may hear of our guests: where they are, and what they were granted.
  std::vector<Binding> told_bindings() const;
  /// What one who asked hears.  That a guest of ours uses an address which it was not granted is believed for
  /// kClaimTime only, and said only to who asks for the address or for a name: he has asked the replicas.
  Binding as_answer(Instant now, Query::Kind asked, const Binding& binding) const;

 private:
  /// What an operation or a lookup is for, by its id.
  struct Purpose {
    enum class Kind {
      Resolve,  ///< `query` asks.
      Claim,    ///< `query` claims.
      Write,    ///< The entry of `address` is to be reserved or bound.
      Cleanup,  ///< `address` is withdrawn; nobody waits, but it is not to be claimed before.
    };
    Kind kind;
    Query query;
    wire::DhtAddress address;
    MacAddress mac{};  ///< Kind::Write: whose the entry was.
  };
  /// An address of a guest of ours.
  struct Entry {
    MacAddress mac;
    uint64_t sequence = 0;  ///< The DHT has a record of ours with this one; 0: none that we know of.
    uint64_t reserved = 0;  ///< Likewise a reservation, whether or not everybody has still to be asked.
    bool is_bound = false;
    bool is_told = false;          ///< Peers may know of it: it was granted.
    Instant valid_until = kNever;  ///< What the DHT has; then it is nothing.
    Instant writing_until{};       ///< Likewise, if what is being written is accepted.
    Instant kept_until{};          ///< The guest may take what it was offered, or come back, yet.
    bool has_left = false;         ///< The guest is elsewhere, and may be back until then.
    uint64_t write = 0;            ///< The id of the one that is under way.
    bool is_doubted = false;       ///< Meanwhile somebody showed a better record, or another ring was met.
    Instant due_at = kNever;
    bool is_busy() const { return write != 0; }
  };

  Binding as_told(const Binding& binding) const;
  void note_arrivals(Instant now, const Neighbourhood& near);
  void note_mass_loss(Instant now);
  void write_all_again(Instant now);
  void track(Instant now, const wire::DhtAddress& address, const MacAddress& mac);
  void track_guest(Instant now, const MacAddress& mac);
  static void lapse(Instant now, Entry& entry);
  static void grant(Entry& entry);
  void schedule(const wire::DhtAddress& address, Entry& entry, Instant at);
  void forget(const wire::DhtAddress& address);
  void scan(Instant now);
  void write_due(Instant now, Duration wall);
  void write(Instant now, Duration wall, const wire::DhtAddress& address, Entry& entry);
  std::optional<Binding> find(const wire::DhtAddress& address) const;
  bool is_away(const wire::DhtAddress& address, const Entry& entry) const;
  void withdraw(Instant now, Duration wall, wire::DhtRecord record, Duration left);
  bool is_withdrawing(const wire::DhtAddress& address) const;
  bool is_claiming(const wire::DhtAddress& address) const;
  void handle_outcome(Instant now, Duration wall, const Client::Outcome& outcome);
  void handle_found(Instant now, const Client::Outcome& outcome);
  void handle_outbid(Instant now, const Client::Outcome& outcome);
  void handle_claim(Instant now, Duration wall, const Client::Outcome& outcome, const Query& query);
  void handle_lost_claim(Instant now, Duration wall, const Client::Outcome& outcome,
                         const Query::Claim& claim);
  void handle_written(Instant now, const Client::Outcome& outcome, const Purpose& purpose);
  void handle_lookup(Instant now, const Lookup::Outcome& outcome);
  void handle_notice(Instant now, const wire::DhtRecord& record);
  void handle_withdrawal(Instant now, const wire::DhtAddress& address, const wire::DhtRecord& record);
  bool keeps(const wire::DhtAddress& address, const wire::DhtRecord& record);
  bool is_better(const wire::DhtRecord& record, const Entry& entry) const;
  void finish_explanation(Instant now, Duration wall, const Client::Outcome& outcome);
  bool ask_everybody(Instant now, uint64_t id, Purpose purpose, const Query& query);
  void ask_by_name(Instant now, const Query& query);
  void give_way(Instant now, const wire::DhtAddress& address, const Binding& winner,
                const wire::DhtRecord* proof);
  void tell_peers(Instant now, const Binding& binding);
  void tell_peers(Instant now, const MacAddress& mac);
  /// As the virtual network takes it; what is reserved, or what we once wrote, is a hint.
  Binding binding_of(Instant now, const wire::DhtRecord& record) const;
  void pump(Instant now, Duration wall);
  void answer(Instant now, uint64_t id, const std::optional<Binding>& binding);

  NodeId self_;
  Vnet& vnet_;
  Random& random_;
  ErrorCounters& refused_;
  Notary notary_;
  Replica replica_;
  Client client_;
  Lookup lookup_;
  bool sees_whole_ring_ = true;
  std::vector<NodeId> members_;
  std::deque<Instant> arrivals_;           ///< Of new neighbours.
  Instant mass_loss_at_ = Instant::min();  ///< The last for which all was written again.
  bool has_lost_more_ = false;             ///< Since.
  Duration wall_offset_{};                 ///< Since 1970, minus Instant; as of the last call.
  std::map<uint64_t, Purpose> purposes_;
  std::map<wire::DhtAddress, Entry> entries_;
  std::set<std::pair<Instant, wire::DhtAddress>> due_;
  size_t writes_ = 0;
  Instant scan_at_;
  TokenBucket ask_all_rate_{100ms, 100};  ///< What guests want to know.
  /// What is to be granted: a guest that scans addresses must not stop it.
  TokenBucket claim_ask_all_rate_{100ms, 100};
  TokenBucket addressless_rate_{1s, 512};  ///< Guests without address that get a record.
  std::deque<Outgoing> outgoing_;
  std::map<uint64_t, Explanation> explaining_;  ///< Of which `at` is when they were asked for.
  std::deque<Explanation> explanations_;
  Counts counts_;
};

}  // namespace ipop
