#include "overlay/sim/tracer.h"

namespace ipop::sim {
namespace {

std::optional<NodeId> id_of(const Host* host) { return host ? std::optional(host->id()) : std::nullopt; }

}  // namespace

void Tracer::ask_exact(Host& from, const Host& to) {
  ask(from, {.target = to.id(), .exact = true, .at = world_.now(), .owner = {}});
}

void Tracer::ask_random_exact() {
  if (population_.running().size() < 2) return;
  Host& from = population_.random_running();
  ask_exact(from, population_.random_running(from));
}

void Tracer::ask_random_key() {
  if (population_.joined() == 0) return;
  for (;;) {
    Host& from = population_.random_running();
    if (!std::as_const(from).node().ring().is_joined()) continue;
    NodeId key;
    random_.fill(key.bytes);
    return ask(
        from, {.target = key, .exact = false, .at = world_.now(), .owner = id_of(population_.owner_of(key))});
  }
}

void Tracer::ask(Host& from, Question question) {
  const uint64_t id = from.node().start_trace(from.now(), question.target, question.exact);
  pending_[{from.index(), id}] = std::move(question);
}

void Tracer::step() {
  std::vector<uint32_t> sources;
  for (const auto& [key, question] : pending_) {
    if (sources.empty() || sources.back() != key.first) sources.push_back(key.first);
  }
  for (const uint32_t index : sources) {
    Host& from = world_.host(index);
    if (!from.is_running()) {
      pending_.erase(pending_.lower_bound({index, 0}), pending_.lower_bound({index + 1, 0}));
      continue;
    }
    while (const auto trace = from.node().poll_trace()) {
      const auto asked = pending_.find({index, trace->id});
      if (asked == pending_.end()) continue;  // Too late.
      finish(asked->second, from, *trace);
      pending_.erase(asked);
    }
  }
  results_.counted += std::erase_if(
      pending_, [&](const auto& entry) { return world_.now() - entry.second.at > kTracerPatience; });
}

void Tracer::finish(const Question& question, const Host& from, const Trace& trace) {
  ++results_.counted;
  if (!trace.reached) return;
  ++results_.reached;
  results_.hops.push_back(static_cast<double>(trace.hops.size()));
  results_.took_s.push_back(std::chrono::duration<double>(trace.took).count());
  const NodeId answered = trace.hops.empty() ? from.id() : trace.hops.back().node;
  if (question.exact) {
    results_.right += answered == question.target;
  } else {
    results_.right += answered == question.owner || answered == id_of(population_.owner_of(question.target));
  }
}

}  // namespace ipop::sim
