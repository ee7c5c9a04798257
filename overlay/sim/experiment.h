// Runs a scenario on a world of its own and finds out its figures.
//
// All that an experiment itself does happens on a grid of 10 ms of virtual time; the world between two points
// of it is exact.  The figures are those of docs/simulator.md.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "overlay/sim/bindings.h"
#include "overlay/sim/digest.h"
#include "overlay/sim/figures.h"
#include "overlay/sim/population.h"
#include "overlay/sim/scenario.h"
#include "overlay/sim/svg_plot.h"
#include "overlay/sim/tracer.h"
#include "overlay/sim/watch.h"

namespace ipop::sim {

inline constexpr Duration kGrid = 10ms;
/// A node that is not routable by then has failed to join.
inline constexpr Duration kJoinPatience = 60s;
/// Octets of the IPv4 and UDP headers of a datagram.
inline constexpr uint64_t kHeaderOctets = 28;

/// What only the shell knows: the simulation does not depend on it.
struct Gauges {
  /// Heap in use by the process, in octets; without it there are no figures of the heap.
  std::function<uint64_t()> heap{};
  /// Called once in a virtual second.
  struct Progress {
    size_t phase;  ///< From 1.
    size_t phases;
    Duration virtual_time;
    size_t running;
    uint64_t events;
  };
  std::function<void(const Progress&)> progress{};
};

class Experiment {
 public:
  Experiment(const Scenario& scenario, uint64_t seed, Gauges gauges = {});

  /// To the end, once.
  void run();

  const Figures& figures() const { return figures_; }
  /// What the scenario wants drawn; an empty plot if it does not say.
  Plot plot() const;

 private:
  // One for each verb.
  void start(const Phase& phase);
  void settle(const Phase& phase);
  void idle(const Phase& phase);
  void join(const Phase& phase);
  void trace(const Phase& phase);
  void kill(const Phase& phase);
  void restart(const Phase& phase);
  void churn(const Phase& phase);
  void split(const Phase& phase);
  void heal();
  void bind(const Phase& phase);
  void lookup(const Phase& phase);
  void kill_replicas(const Phase& phase);

  void run(const Phase& phase);
  /// Both end on the grid.  The condition is asked at each of its points.
  void advance(Duration duration);
  bool advance_until(const std::function<bool()>& condition, Duration limit);
  /// Runs until it is time for number `i` of what happens `per_s` a second since then.
  void advance_to(Instant since, size_t i, double per_s);
  void step();
  void join_one(const Phase& phase);
  void report();
  double heap_kb_per_node(uint64_t heap, size_t nodes) const;

  const Scenario& scenario_;
  Gauges gauges_;
  SeededRandom random_;  ///< For choices of ours; the world has another.
  World world_;
  Population population_;
  Watch watch_;
  Tracer tracer_;
  Bindings bindings_;
  Digest digest_;
  Figures figures_;
  std::map<std::string, std::vector<double>> samples_;

  Instant begun_;
  Instant next_gauge_{};
  Instant next_heap_{};
  size_t phase_ = 0;
  uint64_t heap_before_ = 0;  ///< With the world, before the first node.
  uint64_t heap_most_ = 0;
  size_t most_running_ = 0;
};

}  // namespace ipop::sim
