// Sends traces between nodes and keeps account of what became of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "overlay/ring/trace.h"
#include "overlay/sim/population.h"

namespace ipop::sim {

/// A trace that its node does not finish by then is lost; nodes give up after kTracePatience themselves.
inline constexpr Duration kTracerPatience = kTracePatience * 2;

class Tracer {
 public:
  struct Results {
    size_t counted = 0;  ///< Those whose source lived until the end.
    size_t reached = 0;
    /// Exact ones that reached their target; others that were answered by the true owner of the key among the
    /// joined nodes, at the time of the question or of the answer.
    size_t right = 0;
    std::vector<double> hops;    ///< Of those that reached.
    std::vector<double> took_s;  ///< Of the same: to the node and, routed likewise, back.
  };

  /// The references must outlive it.
  Tracer(World& world, Population& population, Random& random)
      : world_(world), population_(population), random_(random) {}

  /// From one host to another, and nobody else may answer.
  void ask_exact(Host& from, const Host& to);
  /// Both random among the running; does nothing while less than two run.
  void ask_random_exact();
  /// For a random key, from a random host that has joined; does nothing while nobody has.
  void ask_random_key();

  /// Gathers what is finished.  To be called often: the owner of a key is looked up then.
  void step();

  bool is_idle() const { return pending_.empty(); }
  Results take_results() { return std::exchange(results_, {}); }

 private:
  struct Question {
    NodeId target;
    bool exact;
    Instant at;
    std::optional<NodeId> owner;
  };

  void ask(Host& from, Question question);
  void finish(const Question& question, const Host& from, const Trace& trace);

  World& world_;
  Population& population_;
  Random& random_;
  std::map<std::pair<uint32_t, uint64_t>, Question>
      pending_;  ///< By the number of the source, and the trace.
  Results results_;
};

}  // namespace ipop::sim
