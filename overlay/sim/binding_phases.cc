// Experiment's bind, lookup and kill-replicas: what the DHT does for the addresses of guests.
#include <algorithm>

#include "overlay/sim/experiment.h"

namespace ipop::sim {
namespace {

/// Pairs drawn for the median of their round trips.
constexpr int kPairs = 10'000;

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::optional<double> ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || *b == 0) return std::nullopt;
  return *a / *b;
}

}  // namespace

/// Node by node, each with all its guests.
void Experiment::bind(const Phase& phase) {
  const std::vector<uint32_t> nodes = population_.running();
  const Instant since = world_.now();
  for (size_t i = 0; i < phase.guests * nodes.size(); ++i) {
    advance_to(since, i, phase.per_s);
    bindings_.add_guest(world_.host(nodes[i / phase.guests]));
  }
  const Instant last = world_.now();
  const auto is_published = [&] {
    const auto [wanted, known] = bindings_.published();
    return known == wanted;
  };
  // A look at all of them is not for each point of the grid.
  bool all = is_published();
  while (!all && world_.now() < last + phase.length) {
    advance(1s);
    all = is_published();
  }
  const auto [wanted, known] = bindings_.published();
  const Bindings::Load load = bindings_.load();
  const auto running = static_cast<double>(population_.running().size());
  figures_.set("bindings", static_cast<double>(bindings_.guests()));
  figures_.set("published", ratio(static_cast<double>(known), static_cast<double>(wanted)));
  figures_.set("published_s", all ? std::optional(in_seconds(world_.now() - last)) : std::nullopt);
  figures_.set("records", static_cast<double>(load.records));
  figures_.set("copies_mean", ratio(static_cast<double>(load.copies), static_cast<double>(load.records)));
  figures_.set("load_max_over_mean",
               ratio(static_cast<double>(load.most), static_cast<double>(load.copies) / running));
}

/// Traces run at the same time: they see the same ring, and what a lookup takes is told in what the way to
/// the owner of a random key and back takes, routed both ways.
void Experiment::lookup(const Phase& phase) {
  tracer_.take_results();
  bindings_.take_results();
  const Instant since = world_.now();
  for (size_t i = 0; i < phase.lookups; ++i) {
    advance_to(since, i, phase.per_s);
    tracer_.ask_random_key();
    bindings_.look_up_random();
  }
  advance_until([&] { return tracer_.is_idle() && bindings_.is_idle(); }, kTracerPatience + kGrid);
  const Bindings::Results results = bindings_.take_results();
  const Tracer::Results traces = tracer_.take_results();
  const auto ring = percentile(traces.took_s, 0.5);
  std::vector<double> direct;
  for (int i = 0; i < kPairs; ++i) {
    const Host& from = population_.random_running();
    const Host& to = population_.random_running(from);
    direct.push_back(2 * in_seconds(world_.internet().delay(from.index(), to.index())));
  }
  const auto pair = percentile(std::move(direct), 0.5);
  figures_.set("lookups", static_cast<double>(results.counted));
  figures_.set("lookup_found",
               ratio(static_cast<double>(results.found), static_cast<double>(results.counted)));
  figures_.set("lookup_rtt_p50", ratio(percentile(results.took_s, 0.5), ring));
  figures_.set("lookup_rtt_p99", ratio(percentile(results.took_s, 0.99), ring));
  figures_.set("lookup_direct_p50", ratio(percentile(results.took_s, 0.5), pair));
  figures_.set("lookup_direct_p99", ratio(percentile(results.took_s, 0.99), pair));
  figures_.set("ring_rtt_ms", ratio(ring, 1e-3));
  figures_.set("direct_rtt_ms", ratio(pair, 1e-3));
  figures_.set("hops_mean", mean(traces.hops));
  auto& samples = samples_["lookup_rtt"];
  for (const double took : results.took_s) samples.push_back(*ratio(took, ring));
}

void Experiment::kill_replicas(const Phase& phase) {
  const auto samples = bindings_.draw_samples(phase.samples, phase.survivors);
  size_t killed = 0;
  for (const auto& sample : samples) {
    for (Host* victim : sample.victims) population_.kill(*victim);
    killed += sample.victims.size();
  }
  watch_.note_change();
  const Instant since = world_.now();
  const bool has_settled =
      advance_until([&] { return watch_.right_after() && bindings_.is_handed_over(); }, phase.length);
  figures_.set("handed_over_s", has_settled ? std::optional(in_seconds(world_.now() - since)) : std::nullopt);
  size_t lost = 0;
  size_t fewest = kReplicas;
  for (const auto& sample : samples) {
    const size_t copies = bindings_.copies_of(sample.guest);
    lost += copies == 0;
    fewest = std::min(fewest, copies);
  }
  bindings_.take_results();
  const Instant asked = world_.now();
  for (size_t i = 0; i < samples.size(); ++i) {
    advance_to(asked, i, phase.per_s);
    bindings_.look_up(samples[i].guest);
  }
  advance_until([&] { return bindings_.is_idle(); }, kLookupLimit + 2 * kGrid);
  const Bindings::Results results = bindings_.take_results();
  figures_.set("killed", static_cast<double>(killed));
  figures_.set("sampled", static_cast<double>(samples.size()));
  figures_.set("lost", static_cast<double>(lost));
  figures_.set("copies_least", static_cast<double>(fewest));
  figures_.set("not_answered", static_cast<double>(results.counted - results.found));
}

}  // namespace ipop::sim
