// What an experiment does, as a file says it: a JSON object with the Internet's properties and a list of
// phases, worked off in order; or, in place of phases, what guests that live by DHCP are to go through, or a
// guest that moves.
// overlay/sim/scenarios/ has the ones we publish; docs/simulator.md the words.
//
//   { "about": "...", "latency": "plane", "loss": 0.001,
//     "phases": [ {"do": "start", "nodes": 600, "per_s": 20}, {"do": "settle"}, {"do": "join", "nodes": 200}
//     ], "plot": {"kind": "cdf", "of": "join_s", "title": "...", "x": "seconds"} }
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/sim/leases.h"
#include "overlay/sim/moves.h"
#include "overlay/sim/world.h"

namespace ipop::sim {

/// One step of an experiment.  Which members count depends on `what`; the table in scenario.cc says it.
struct Phase {
  enum class Do {
    Start,    ///< `nodes` new ones start, `per_s` a second or all at once, each with `introducers`.
    Settle,   ///< Wait until all neighbours are right, at most `length`; `figure` is the time since the
              ///< change.
    Run,      ///< Nothing but time passes; with `measure`, what idle nodes cost.
    Join,     ///< `nodes` single ones join, one after another, and leave after they were measured.
    Trace,    ///< `traces` between random nodes; `figure` is the share that arrive.
    Kill,     ///< A `share` of the nodes dies at once.
    Restart,  ///< All die and start again within `length`, with the peers that they remember alone.
    Churn,    ///< Sessions of `median` length, for `warm_up` and then `length`, with lookups meanwhile.
    Split,    ///< The Internet falls into `groups`.
    Heal,     ///< It is one again.
    Bind,     ///< Each node gets `guests`, `per_s` a second; then until the DHT has them, at most `length`.
    Lookup,   ///< `lookups` of addresses that guests have, and as many traces.
    KillReplicas,  ///< For each of `samples` addresses all replicas but `survivors` die, all at once; when
                   ///< the ring has settled, at most after `length`, each is looked up.
  };

  Do what = Do::Run;
  size_t nodes = 0;
  double per_s = 0;  ///< Nodes, guests, traces or lookups; 0: at once.
  size_t introducers = 3;
  bool same_introducers = false;  ///< The first ones for everybody, instead of random running nodes.
  Duration length{};
  Duration after{};  ///< Not before so long after the last change.
  Duration median{};
  Duration warm_up{};
  double share = 0;
  size_t groups = 0;
  size_t traces = 0;
  size_t guests = 0;
  size_t lookups = 0;
  size_t samples = 0;
  size_t survivors = 1;
  bool exact = false;
  bool measure = false;
  std::string figure{};
};

/// Which samples of the run to draw.
struct PlotRequest {
  enum class Kind { Cdf, Histogram, Line };
  Kind kind = Kind::Line;
  std::string of{};
  std::string title{};
  std::string x{};
  std::string y{};
};

struct Scenario {
  std::string name;
  std::string about;
  WorldOptions world;  ///< Without the seed.
  std::vector<Phase> phases;
  std::optional<LeasesOptions> leases;  ///< In place of phases.  Its world is not set.
  std::optional<MovesOptions> moves;    ///< Likewise.
  std::optional<PlotRequest> plot;
};

/// The Problem says in one sentence what is wrong, and where.
Result<Scenario, Problem> parse_scenario(std::string_view name, std::string_view text);

}  // namespace ipop::sim
