#include "overlay/sim/population.h"

#include <algorithm>

#include "overlay/ring/distance.h"

namespace ipop::sim {

Host& Population::make() { return world_.make_host("n" + std::to_string(world_.size()), {}); }

void Population::start(Host& host, size_t introducers) {
  std::vector<uint32_t> drawn;
  const size_t wanted = std::min(introducers, running_.size());
  bool can_talk = false;
  // In a world where nobody can talk to anybody the last draw has to do.
  for (int tries = 0; tries < 100 && !can_talk; ++tries) {
    drawn.clear();
    while (drawn.size() < wanted) {
      const uint32_t one = running_[random_.below(running_.size())];
      if (std::find(drawn.begin(), drawn.end(), one) == drawn.end()) drawn.push_back(one);
    }
    can_talk = wanted == 0 || std::any_of(drawn.begin(), drawn.end(), [&](uint32_t one) {
                 return world_.internet().can_talk(host.index(), one);
               });
  }
  std::vector<Endpoint> endpoints;
  for (const uint32_t one : drawn) endpoints.push_back(world_.host(one).endpoint());
  start(host, std::move(endpoints));
}

void Population::start(Host& host, std::vector<Endpoint> introducers) {
  world_.set_introducers(host, std::move(introducers));
  world_.start(host);
  places_.resize(world_.size());
  places_[host.index()] = static_cast<uint32_t>(running_.size());
  running_.push_back(host.index());
}

void Population::kill(Host& host) {
  world_.kill(host);
  const uint32_t place = places_[host.index()];
  running_[place] = running_.back();
  places_[running_[place]] = place;
  running_.pop_back();
}

Host& Population::random_running(const Host& other) {
  for (;;) {
    Host& host = random_running();
    if (&host != &other) return host;
  }
}

std::vector<RingNode> Population::beliefs(uint32_t group) const {
  std::vector<RingNode> out;
  out.reserve(running_.size());
  for (const uint32_t index : running_) {
    if (world_.internet().group(index) != group) continue;
    const Host& host = world_.host(index);
    const Ring& ring = host.node().ring();
    out.push_back({.id = host.id(),
                   .joined = ring.is_joined(),
                   .successors = ring.successors(),
                   .predecessors = ring.predecessors()});
  }
  return out;
}

size_t Population::joined() const {
  return static_cast<size_t>(std::count_if(running_.begin(), running_.end(), [&](uint32_t index) {
    return std::as_const(world_).host(index).node().ring().is_joined();
  }));
}

const Host* Population::owner_of(const NodeId& key) const {
  const Host* owner = nullptr;
  Distance least{};
  for (const uint32_t index : running_) {
    const Host& host = world_.host(index);
    if (!host.node().ring().is_joined()) continue;
    const Distance distance = ring_distance(host.id(), key);
    if (owner && distance >= least) continue;
    owner = &host;
    least = distance;
  }
  return owner;
}

std::vector<const Host*> Population::true_neighbours(const Host& host) const {
  const Host* successor = nullptr;
  const Host* predecessor = nullptr;
  for (const uint32_t index : running_) {
    const Host& other = world_.host(index);
    if (&other == &host) continue;
    const auto is_nearer = [](const NodeId& from, const NodeId& a, const NodeId& b) {
      return clockwise_distance(from, a) < clockwise_distance(from, b);
    };
    if (!successor || is_nearer(host.id(), other.id(), successor->id())) successor = &other;
    if (!predecessor || is_nearer(host.id(), predecessor->id(), other.id())) predecessor = &other;
  }
  if (!successor) return {};
  if (successor == predecessor) return {successor};
  return {successor, predecessor};
}

bool can_send(const Host& from, const Host& to) {
  const auto& links = from.node().links().all();
  const auto link = links.find(to.id());
  return link != links.end() && link->second.sending();
}

}  // namespace ipop::sim
