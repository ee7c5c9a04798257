// Questions that the overlay takes a while to answer: traces, crawls, and whose an address is; and what a
// running node is told: the network's settings, and that a guest is about to come.  Any thread asks and
// collects; in between the core's thread has its node find out.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "overlay/io/system.h"
#include "overlay/node/node.h"
#include "overlay/vnet/introduction.h"

namespace ipop {

class Questions {
 public:
  /// Asked and not collected yet.  Each makes work for many nodes, and comes from a person.
  static constexpr size_t kMaxOpen = 8;

  /// `core` wakes the core's thread.
  explicit Questions(Wakeup& core) : core_(core) {}

  struct TraceTo {
    NodeId target;
  };
  struct CrawlAll {};
  struct Explain {
    wire::DhtAddress address;
  };
  struct LoadSettings {
    std::string path;  ///< For the answer.
    std::string file;  ///< What is in it.
  };
  struct SettingsLoaded {
    std::string path;
    Result<uint64_t, Problem> version;
    size_t peers = 0;  ///< That are told.
  };
  struct ExpectGuest {
    Introduction guest;
  };
  struct GuestExpected {
    Introduction guest;
    Result<Done, Problem> result;
    std::optional<NodeId> at{};  ///< Where it is now, by our map.
  };
  using Question = std::variant<TraceTo, CrawlAll, Explain, LoadSettings, ExpectGuest>;
  /// In the order of Question.
  using Answer = std::variant<Trace, Crawl, Explanation, SettingsLoaded, GuestExpected>;

  // Any thread:
  /// The number to collect the answer under, which no other question of this process has; nothing if kMaxOpen
  /// are open.
  std::optional<uint64_t> ask(const Question& question);
  /// The answer, once; nothing if it is not there yet, or if is_open() says that it never will be.
  std::optional<Answer> collect(uint64_t number);
  bool is_open(uint64_t number) const;
  /// Readable while there is something to collect.
  int fd() const { return answered_.fd(); }

  // The core's thread:
  void start_new(Instant now, Node& node);
  void take_answers(Node& node);

 private:
  static Result<Done, Problem> expect(Instant now, Node& node, const Introduction& guest);
  struct Open {
    Question question;
    std::optional<uint64_t> id;  ///< The node's, once it is started.
    std::optional<Answer> answer;
  };

  static std::optional<Answer> answer_now(Instant now, Node& node, const Question& question);
  static uint64_t start(Instant now, Node& node, const Question& question);
  void answer(uint64_t id, Answer answer);

  Wakeup& core_;
  Wakeup answered_;
  mutable std::mutex mutex_;
  std::map<uint64_t, Open> open_;  ///< By number.
};

}  // namespace ipop
