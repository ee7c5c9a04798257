// Experiment's churn: nodes that die are replaced at once, so that the ring keeps its size and nobody stays.
#include <algorithm>
#include <cmath>
#include <queue>

#include "overlay/sim/experiment.h"

namespace ipop::sim {
namespace {

struct Death {
  Instant at;
  uint32_t host;
  bool operator>(const Death& other) const { return std::pair(at, host) > std::pair(other.at, other.host); }
};

/// Exponential: how long a session has lasted says nothing about how long it will.
Duration session_length(Duration median, Random& random) {
  const double uniform = (static_cast<double>(random.u64() >> 11) + 1) * 0x1p-53;
  return Duration(std::llround(-std::log(uniform) / std::log(2.0) * static_cast<double>(median.count())));
}

}  // namespace

void Experiment::churn(const Phase& phase) {
  std::priority_queue<Death, std::vector<Death>, std::greater<>> deaths;
  const auto expect = [&](uint32_t host) {
    deaths.push({world_.now() + session_length(phase.median, random_), host});
  };
  for (const uint32_t host : population_.running()) expect(host);
  watch_.note_change();
  watch_.stop_seeking();

  uint64_t died = 0;
  const auto step_until = [&](Instant end) {
    while (world_.now() < end) {
      for (; !deaths.empty() && deaths.top().at <= world_.now(); ++died) {
        population_.kill(world_.host(deaths.top().host));
        deaths.pop();
        Host& host = population_.make();
        population_.start(host, phase.introducers);
        expect(host.index());
      }
      step();
    }
  };
  step_until(world_.now() + phase.warm_up);

  const Instant since = world_.now();
  const Traffic before = world_.sent();
  tracer_.take_results();
  for (size_t i = 0;; ++i) {
    const Duration after(static_cast<int64_t>(static_cast<double>(i) / phase.per_s * 1e6));
    if (after >= phase.length) break;
    step_until(since + after);
    tracer_.ask_random_key();
  }
  step_until(since + phase.length);
  const uint64_t octets =
      world_.sent().octets - before.octets + kHeaderOctets * (world_.sent().datagrams - before.datagrams);
  const Instant patience = world_.now() + kTracerPatience + kGrid;  // For the last questions.
  while (!tracer_.is_idle() && world_.now() < patience) step_until(world_.now() + kGrid);

  const Tracer::Results results = tracer_.take_results();
  const auto counted = static_cast<double>(results.counted);
  const auto nodes = static_cast<double>(population_.running().size());
  figures_.set("lookup_ok", static_cast<double>(results.right) / counted);
  figures_.set("lookup_answered", static_cast<double>(results.reached) / counted);
  figures_.set("lookups", counted);
  figures_.set("deaths", static_cast<double>(died));
  figures_.set("hops_mean", mean(results.hops));
  figures_.set("bytes_per_s",
               static_cast<double>(octets) / nodes / std::chrono::duration<double>(phase.length).count());
  samples_["hops"] = results.hops;
}

}  // namespace ipop::sim
