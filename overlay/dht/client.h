// Asks the replicas of an address, and makes one outcome of their answers.
//
// A request goes to the owner of the key, which passes it on to the other replicas; all answer us.  Without
// enough answers in time it is repeated, now also by way of the nodes before and after the key: so an owner
// that stays silent is passed by.
//
// What counts are different nodes: a write is done when write_quorum() of them have accepted it, and nothing
// is known of an address when read_quorum() say so.  A record that is found is believed at once, since its
// writer has signed it; if a better one turns up, that is reported, too.
//
// A calculation: no I/O, one owner, not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "overlay/base/random.h"
#include "overlay/dht/notary.h"
#include "overlay/dht/replica_set.h"
#include "overlay/link/round_trip.h"
#include "overlay/wire/ring_message.h"

namespace ipop {

class Client {
 public:
  static constexpr size_t kMaxOperations = 1024;
  /// Of these, so many are asked at a time; the others wait.  Each costs some 5 signatures and as many checks
  /// on other nodes and 5 checks here, and 64 of them a third of the shortest time-out: two hundred guests
  /// that start at once must not make all answers late, and so each question three more.
  static constexpr size_t kMaxUnderWay = 64;
  /// In a ring of 300 one question in 500 takes more than a second, and who has no round trip yet asks again
  /// after one.  The asker (vnet/resolver.h) waits three, of which the last is for asking everybody.
  static constexpr Duration kGetPatience = 2s;
  static constexpr Duration kWritePatience =
      5s;  ///< Replicas that have new neighbours do not vote for Replica::kSettleTime.
  /// How often a record of ours is written anew with a higher sequence than the one that was in its way.
  static constexpr int kMaxRaises = 4;

  /// The references must outlive it.
  Client(Notary& notary, Random& random) : notary_(notary), random_(random) {}

  /// As the ring is seen from here.
  void set_replica_count(size_t count) { count_ = count; }
  size_t replica_count() const { return count_; }

  /// `id`: the caller's, for the outcome.  One that is in use is not started again.  Full if there are too
  /// many.
  Result<Done> get(Instant now, uint64_t id, const wire::DhtAddress& address);
  /// What each of the replicas has of it, for people: waits for all of them.
  Result<Done> survey(Instant now, uint64_t id, const wire::DhtAddress& address);
  /// Takes the address if no other guest holds it; an IP is reserved first.  The record needs no signature
  /// yet.
  /// `outbids`: the guest is here; else a record of it that another host wrote is not outbid.
  Result<Done> create(Instant now, Duration wall, uint64_t id, const wire::DhtRecord& record,
                      bool outbids = true);
  /// Keeps a record of ours alive, or withdraws it.
  Result<Done> put(Instant now, Duration wall, uint64_t id, const wire::DhtRecord& record);

  /// Error::UnexpectedMessage if nothing waits for it; else as Notary::check().
  Result<Done> handle_reply(Instant now, Duration wall, const wire::DhtReply& reply);

  struct Question {
    wire::Routed::Mode mode;
    NodeId key;
    wire::DhtRequest request;
  };
  std::optional<Question> poll_question();

  /// What one replica said, and how long after it was asked first.
  struct Vote {
    wire::DhtReply::Verdict verdict;
    bool is_unsure = false;
    std::optional<wire::DhtRecord> record;
    Duration took{};
  };
  struct Outcome {
    enum class Kind {
      Found,     ///< Get: `record` is the best so far, and a living one.  May come again with a better one.
      Nothing,   ///< Get: nobody holds the address.
      Accepted,  ///< Create, put: `record` is kept, perhaps with a higher sequence than it was given.
      Held,      ///< Create, put: `record` is in its way.
      Outbid,    ///< Create, and it goes on: `record` is an older word on the same guest, of another host.
      Failed,    ///< Too few answers, or no room.
      Surveyed,  ///< Survey: `votes` are all there are.
    };
    uint64_t id;
    wire::DhtRequest::Operation operation;
    Kind kind;
    /// Accepted, Nothing: most of the replicas may have missed an earlier record.
    bool is_unsure = false;
    /// Held, Failed: some replica may have kept our record all the same.
    bool left_traces = false;
    std::optional<wire::DhtRecord> record;
    std::map<NodeId, Vote> votes;  ///< Surveyed only.
  };
  std::optional<Outcome> poll_outcome();

  Instant next_timeout() const;
  void handle_timeout(Instant now, Duration wall);

  struct Counts {
    uint64_t started = 0, found = 0, nothing = 0, accepted = 0, held = 0, failed = 0;
    uint64_t retries = 0, raises = 0;
  };
  const Counts& counts() const { return counts_; }
  /// From a question to the answer that settles it.
  const RoundTrip& round_trip() const { return round_trip_; }
  size_t pending() const { return operations_.size(); }

 private:
  struct Operation {
    wire::DhtRequest request;
    bool is_survey = false;
    bool outbids = true;
    std::map<NodeId, Vote> votes;
    std::optional<wire::DhtRecord> found;  ///< What was reported already.
    bool is_outbid_told = false;
    int raises = 0;
    int tries = 0;
    Duration patience{};
    Instant asked_at;
    Instant retry_at = kNever;  ///< This and the next: never, while it waits for its turn.
    Instant give_up_at = kNever;
  };
  using Operations = std::map<uint64_t, Operation>;

  Result<Done> start(Instant now, uint64_t id, wire::DhtRequest request, Duration patience,
                     bool is_survey = false);
  static wire::DhtRequest get_of(const wire::DhtAddress& address);
  wire::DhtRequest write_of(Duration wall, wire::DhtRequest::Operation operation,
                            const wire::DhtRecord& record);
  void start_waiting(Instant now);
  void ask(Instant now, Operation& operation);
  void note_due(const Operation& operation);
  void judge(Instant now, Duration wall, Operations::iterator entry, bool is_over);
  void judge_survey(Operations::iterator entry, bool is_over);
  void judge_get(Instant now, Operations::iterator entry, bool is_over);
  void judge_write(Instant now, Duration wall, Operations::iterator entry, bool is_over);
  bool raise(Instant now, Duration wall, Operation& operation, const wire::DhtRecord& obstacle);
  void note_round_trip(Instant now, const Operation& operation);
  void finish(Operations::iterator entry, Outcome outcome);
  void erase(Operations::iterator entry);

  Notary& notary_;
  Random& random_;
  size_t count_ = 1;
  Operations operations_;                    ///< By the caller's id.
  Instant next_retry_ = kNever;              ///< Nothing in operations_ is due before.
  std::map<uint64_t, uint64_t> by_attempt_;  ///< The id on the wire, to the caller's.
  std::deque<uint64_t> waiting_;             ///< Operations that are not under way yet, by the caller's id.
  RoundTrip round_trip_;
  std::deque<Question> questions_;
  std::deque<Outcome> outcomes_;
  Counts counts_;
};

}  // namespace ipop
