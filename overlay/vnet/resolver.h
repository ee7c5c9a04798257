// "Resolve this": how the virtual network asks the rest of the world who has an address.  It knows no ring
// and no member list.  The node takes questions with poll_query(), asks whoever may know (the DHT, or all
// members), and brings back one answer.  A calculation: no I/O.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "overlay/base/random.h"
#include "overlay/base/result.h"
#include "overlay/base/token_bucket.h"
#include "overlay/vnet/binding.h"

namespace ipop {

struct Query {
  enum class Kind : uint8_t { Ip = 1, Mac = 2, Name = 3 };
  /// "If nobody has this ip I am going to offer it to this mac": with a question of Kind::Ip.
  struct Claim {
    IpAddress ip;
    MacAddress mac;
    auto operator<=>(const Claim&) const = default;
  };

  uint64_t id = 0;
  Kind kind = Kind::Ip;
  IpAddress ip;        ///< Kind::Ip: the address in question.  Kind::Name: any of the family that is wanted.
  MacAddress mac;      ///< Kind::Mac: the address in question.
  std::string name{};  ///< Kind::Name: the host name in question, in lower case.
  std::optional<Claim> claim;
  /// The guest in whose name we ask, so that the one asked can answer its frames without asking back.
  std::optional<Binding> asker;

  bool operator==(const Query&) const = default;
};

/// The open questions.  The same one is not asked twice at a time; each is repeated until it is answered or
/// given up.
class Resolver {
 public:
  static constexpr Duration kRetryInterval = 1s;  ///< Several round trips of any path.
  static constexpr int kAttempts = 3;             ///< With the interval: given up after 3 s.
  static constexpr size_t kMaxPending = 2048;     ///< Two of each client of the DHCP server.

  explicit Resolver(Random& random) : random_(random) {}

  /// Asks, unless the same question is open.  Full or RateLimited if a guest asks too much: 500 a second
  /// after a burst of 1000.
  Result<Done> ask(Instant now, Query query);
  /// The next question to carry to the members; a repetition has the id of the first.
  std::optional<Query> poll_query();
  /// An open question, or null.
  const Query* find(uint64_t id) const;
  /// Closes the question and returns it; nothing if it was not open.
  std::optional<Query> handle_answer(uint64_t id);

  Instant next_timeout() const;
  /// Repeats what is due and returns what is given up.
  std::vector<Query> handle_timeout(Instant now);
  size_t pending() const { return pending_.size(); }

 private:
  struct Pending {
    Query query;
    Instant retry_at;
    int attempts_left = 0;
  };
  using Key = std::tuple<Query::Kind, IpAddress, MacAddress, std::string, std::optional<Query::Claim>>;
  static Key key_of(const Query& query) { return {query.kind, query.ip, query.mac, query.name, query.claim}; }

  Random& random_;
  TokenBucket rate_{2ms, 1000};
  std::map<uint64_t, Pending> pending_;
  std::map<Key, uint64_t> open_;
  std::deque<uint64_t> to_send_;
};

}  // namespace ipop
