// Asks members who holds an address, or is called a name, where no record at the replicas says so
// (node/directory.h): those that are named, or everybody.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "overlay/base/node_id.h"
#include "overlay/base/result.h"
#include "overlay/base/time.h"
#include "overlay/wire/binding.h"

namespace ipop {

/// Members that have not answered are asked again; 250 ms is above most round trips of the Internet.
inline constexpr Duration kLookupRetry = 250ms;
/// Then silence counts as "not I": a member that stays silent for so long is gone or cut off.
inline constexpr Duration kLookupPatience = 1s;
/// A node that has just started has no links yet; until then nothing is known to be free.
inline constexpr Duration kLookupPatienceAtStart = 3s;

inline constexpr size_t kMaxLookups = 1024;

class Lookup {
 public:
  explicit Lookup(Instant now) : patient_until_(now + kLookupPatienceAtStart) {}

  /// Error::Full if too many are under way.  `query.id` must not be in use.
  Result<Done> start(Instant now, const wire::Query& query, const std::vector<NodeId>& members);
  /// The same for a network whose members we do not know all: all are asked, and who holds nothing is silent.
  Result<Done> start_for_all(Instant now, const wire::Query& query);

  void handle_answer(const NodeId& from, const wire::Answer& answer);
  /// Lookups under way ask a newcomer, too.
  void handle_connected(const NodeId& member);
  void handle_disconnected(const NodeId& member);

  struct Question {
    std::optional<NodeId> to;  ///< Nothing: everybody.
    wire::Query query;
  };
  std::optional<Question> poll_question();

  struct Outcome {
    wire::Query query;
    std::optional<wire::BindingRecord> holder;  ///< Nothing: all said "not I" or stayed silent.
  };
  std::optional<Outcome> poll_outcome();

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  struct Pending {
    wire::Query query;
    std::set<NodeId> waiting_for;
    bool asked_anybody = false;
    bool asks_all = false;
    /// A reservation or a remembered lease (sequence 0): the answer if nobody holds the address for certain.
    std::optional<wire::BindingRecord> hint;
    Instant retry_at;
    Instant give_up_at;
  };

  void ask(Pending& pending, const NodeId& member);
  void finish(std::map<uint64_t, Pending>::iterator entry, std::optional<wire::BindingRecord> holder);
  void finish_if_answered(std::map<uint64_t, Pending>::iterator entry);

  Instant patient_until_;
  std::map<uint64_t, Pending> pending_;
  std::deque<Question> questions_;
  std::deque<Outcome> outcomes_;
};

}  // namespace ipop
