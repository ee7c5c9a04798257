#include "overlay/sim/experiment.h"

#include <algorithm>

namespace ipop::sim {
namespace {

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

WorldOptions with_seed(WorldOptions options, uint64_t seed) {
  options.seed = seed;
  return options;
}

std::optional<double> share_of(size_t part, size_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

uint64_t octets_with_headers(const Traffic& before, const Traffic& after) {
  return after.octets - before.octets + kHeaderOctets * (after.datagrams - before.datagrams);
}

}  // namespace

Experiment::Experiment(const Scenario& scenario, uint64_t seed, Gauges gauges)
    : scenario_(scenario),
      gauges_(std::move(gauges)),
      random_(~seed),
      world_(with_seed(scenario.world, seed)),
      population_(world_, random_),
      watch_(world_, population_),
      tracer_(world_, population_, random_),
      bindings_(world_, population_, random_, scenario.world.subnet),
      begun_(world_.now()) {
  if (gauges_.heap) heap_before_ = gauges_.heap();
  world_.set_tap([this](const Endpoint& from, const Endpoint& to, ByteView bytes) {
    digest_.add(static_cast<uint64_t>(world_.now().time_since_epoch().count()));
    for (const Endpoint* endpoint : {&from, &to}) {
      digest_.add(endpoint->address);
      digest_.add(endpoint->port);
    }
    digest_.add(bytes);
  });
}

void Experiment::run() {
  for (const Phase& phase : scenario_.phases) {
    ++phase_;
    run(phase);
  }
  report();
}

void Experiment::run(const Phase& phase) {
  switch (phase.what) {
    case Phase::Do::Start:
      return start(phase);
    case Phase::Do::Settle:
      return settle(phase);
    case Phase::Do::Run:
      return idle(phase);
    case Phase::Do::Join:
      return join(phase);
    case Phase::Do::Trace:
      return trace(phase);
    case Phase::Do::Kill:
      return kill(phase);
    case Phase::Do::Restart:
      return restart(phase);
    case Phase::Do::Churn:
      return churn(phase);
    case Phase::Do::Split:
      return split(phase);
    case Phase::Do::Heal:
      return heal();
    case Phase::Do::Bind:
      return bind(phase);
    case Phase::Do::Lookup:
      return lookup(phase);
    case Phase::Do::KillReplicas:
      return kill_replicas(phase);
  }
}

void Experiment::start(const Phase& phase) {
  std::vector<Host*> hosts;
  for (size_t i = 0; i < phase.nodes; ++i) hosts.push_back(&population_.make());
  std::vector<Endpoint> same;
  for (size_t i = 0; i < std::min(phase.introducers, hosts.size()); ++i) same.push_back(hosts[i]->endpoint());
  const Instant since = world_.now();
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (phase.per_s > 0) advance_to(since, i, phase.per_s);
    if (phase.same_introducers) {
      population_.start(*hosts[i], same);
    } else {
      population_.start(*hosts[i], phase.introducers);
    }
  }
  watch_.note_change();
}

void Experiment::settle(const Phase& phase) {
  const bool is_right = advance_until([&] { return watch_.right_after().has_value(); }, phase.length);
  if (!phase.figure.empty()) {
    figures_.set(phase.figure, is_right ? std::optional(in_seconds(*watch_.right_after())) : std::nullopt);
  }
}

void Experiment::idle(const Phase& phase) {
  const Traffic before = world_.sent();
  advance(phase.length);
  if (!phase.measure) return;
  const auto nodes = static_cast<double>(population_.running().size());
  const uint64_t octets = octets_with_headers(before, world_.sent());
  figures_.set("idle_bytes_per_s", static_cast<double>(octets) / nodes / in_seconds(phase.length));
  double links = 0;
  for (const uint32_t index : population_.running()) {
    links += static_cast<double>(std::as_const(world_).host(index).node().links().all().size());
  }
  figures_.set("links_mean", links / nodes);
  if (gauges_.heap) {
    figures_.set("heap_kb_mean", heap_kb_per_node(gauges_.heap(), population_.running().size()));
  }
}

void Experiment::join(const Phase& phase) {
  for (size_t i = 0; i < phase.nodes; ++i) join_one(phase);
  const auto& times = samples_["join_s"];
  figures_.set("join_s_p50", percentile(times, 0.5));
  figures_.set("join_s_p99", percentile(times, 0.99));
  figures_.set("join_s_max", percentile(times, 1));
  figures_.set("joins", static_cast<double>(times.size()));
  figures_.add("join_failed", 0);
  figures_.add("join_trace_failed", 0);
}

/// A node is routable when both its neighbours can send to it: whatever is for it arrives at one of them.
/// That is cheap to see; one trace then shows that it is so.
void Experiment::join_one(const Phase& phase) {
  Host& host = population_.make();
  population_.start(host, phase.introducers);
  const auto neighbours = population_.true_neighbours(host);
  const Instant since = world_.now();
  const auto is_routable = [&] {
    return std::all_of(neighbours.begin(), neighbours.end(),
                       [&](const Host* neighbour) { return can_send(*neighbour, host); });
  };
  const bool has_joined = advance_until(is_routable, kJoinPatience);
  samples_["join_s"].push_back(in_seconds(world_.now() - since));
  if (!has_joined) figures_.add("join_failed", 1);

  tracer_.take_results();
  tracer_.ask_exact(population_.random_running(host), host);
  advance_until([&] { return tracer_.is_idle(); }, kTracerPatience + kGrid);
  if (tracer_.take_results().right == 0) figures_.add("join_trace_failed", 1);

  host.node().handle_shutdown(host.now());
  population_.kill(host);
  advance(1s);
}

void Experiment::trace(const Phase& phase) {
  while (world_.now() < watch_.changed_at() + phase.after) step();
  tracer_.take_results();
  const Instant since = world_.now();
  for (size_t i = 0; i < phase.traces; ++i) {
    advance_to(since, i, phase.per_s);
    phase.exact ? tracer_.ask_random_exact() : tracer_.ask_random_key();
  }
  advance_until([&] { return tracer_.is_idle(); }, kTracerPatience + kGrid);
  Tracer::Results results = tracer_.take_results();
  figures_.set(phase.figure, share_of(results.right, results.counted));
  figures_.set("traces", static_cast<double>(results.counted));
  figures_.set("traces_reached", static_cast<double>(results.reached));
  figures_.set("hops_mean", mean(results.hops));
  figures_.set("hops_p99", percentile(results.hops, 0.99));
  samples_["hops"] = std::move(results.hops);
}

void Experiment::kill(const Phase& phase) {
  const auto running = static_cast<double>(population_.running().size());
  for (auto left = static_cast<size_t>(running * phase.share); left > 0; --left) {
    population_.kill(population_.random_running());
  }
  watch_.note_change();
}

void Experiment::restart(const Phase& phase) {
  std::vector<std::pair<Host*, std::vector<Contact>>> remembered;
  for (const uint32_t index : population_.running()) {
    Host& host = world_.host(index);
    remembered.emplace_back(&host, host.node().peers());
  }
  for (const auto& [host, peers] : remembered) population_.kill(*host);
  watch_.note_change();
  std::vector<Duration> delays;
  for (size_t i = 0; i < remembered.size(); ++i) {
    delays.emplace_back(random_.below(static_cast<uint64_t>(phase.length.count()) + 1));
  }
  std::sort(delays.begin(), delays.end());
  for (size_t i = 0; i < remembered.size(); ++i) {
    while (world_.now() < watch_.changed_at() + delays[i]) step();
    auto& [host, peers] = remembered[i];
    population_.start(*host, std::vector<Endpoint>());
    for (const Contact& peer : peers) host->node().handle_known_peer(host->now(), peer);
  }
}

void Experiment::split(const Phase& phase) {
  for (size_t i = 0; i < world_.size(); ++i) {
    world_.internet().set_group(static_cast<uint32_t>(i), static_cast<uint32_t>(random_.below(phase.groups)));
  }
  watch_.set_groups(static_cast<uint32_t>(phase.groups));
  watch_.note_change();
}

void Experiment::heal() {
  world_.internet().heal();
  watch_.set_groups(1);
  watch_.set_merging();
  watch_.note_change();
}

void Experiment::advance(Duration duration) {
  const Instant end = world_.now() + duration;
  while (world_.now() < end) step();
}

void Experiment::advance_to(Instant since, size_t i, double per_s) {
  const auto at = since + Duration(static_cast<int64_t>(static_cast<double>(i) / per_s * 1e6));
  while (world_.now() < at) step();
}

bool Experiment::advance_until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = world_.now() + limit;
  while (!condition()) {
    if (world_.now() >= end) return false;
    step();
  }
  return true;
}

void Experiment::step() {
  world_.run_for(kGrid);
  watch_.look();
  tracer_.step();
  bindings_.step();
  if (world_.now() < next_gauge_) return;
  next_gauge_ = world_.now() + 1s;
  most_running_ = std::max(most_running_, population_.running().size());
  if (gauges_.heap && world_.now() >= next_heap_) {
    heap_most_ = std::max(heap_most_, gauges_.heap());
    // Whoever measures a heap walks its free chunks, and so the more nodes, the rarer.
    next_heap_ = world_.now() + std::max<Duration>(1s, 1ms * population_.running().size());
  }
  if (gauges_.progress) {
    gauges_.progress({.phase = phase_,
                      .phases = scenario_.phases.size(),
                      .virtual_time = world_.now() - begun_,
                      .running = population_.running().size(),
                      .events = world_.events()});
  }
}

void Experiment::report() {
  watch_.report(figures_);
  if (gauges_.heap && most_running_ > 0) {
    figures_.set("heap_kb_max", heap_kb_per_node(heap_most_, most_running_));
  }
  figures_.set("nodes", static_cast<double>(population_.running().size()));
  figures_.set("datagrams", static_cast<double>(world_.sent().datagrams));
  figures_.set("events", static_cast<double>(world_.events()));
  figures_.set("virtual_s", in_seconds(world_.now() - begun_));
  figures_.set("digest", static_cast<double>(digest_.value()));
}

/// Identities and certificates of the hosts are in it, and datagrams in flight; that of a real process
/// besides its node's is not.
double Experiment::heap_kb_per_node(uint64_t heap, size_t nodes) const {
  return (static_cast<double>(heap) - static_cast<double>(heap_before_)) / static_cast<double>(nodes) / 1024;
}

Plot Experiment::plot() const {
  if (!scenario_.plot) return {};
  const PlotRequest& request = *scenario_.plot;
  Plot out{.title = request.title, .x_label = request.x, .y_label = request.y};
  if (request.of == "right") {
    out.series.push_back({.label = "right", .points = watch_.history()});
    return out;
  }
  const auto found = samples_.find(request.of);
  const std::vector<double> samples = found == samples_.end() ? std::vector<double>() : found->second;
  if (request.kind == PlotRequest::Kind::Histogram) out.style = Plot::Style::Bars;
  out.series.push_back(request.kind == PlotRequest::Kind::Histogram ? histogram(request.of, samples)
                                                                    : cdf(request.of, samples));
  return out;
}

}  // namespace ipop::sim
