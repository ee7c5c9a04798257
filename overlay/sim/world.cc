#include "overlay/sim/world.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "overlay/base/assert.h"

namespace ipop::sim {
namespace {

constexpr UnixSeconds kUnixStart = 1'700'000'000;
constexpr UnixSeconds kYear = 365 * 86400;

InternetOptions internet_options(const WorldOptions& options) {
  return {.seed = options.seed,
          .latency = options.latency,
          .latency_min = options.latency_min,
          .latency_max = options.latency_max,
          .loss = options.loss,
          .deaf_pairs = options.deaf_pairs};
}

}  // namespace

class World::HostLog : public Log {
 public:
  HostLog(World& world, std::string name) : world_(world), name_(std::move(name)) {}
  void write(Level, std::string_view line) override {
    if (!world_.options_.keeps_log) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(world_.now().time_since_epoch());
    world_.log_.push_back(std::to_string(ms.count()) + " ms " + name_ + ": " + std::string(line));
  }

 private:
  World& world_;
  std::string name_;
};

World::World(WorldOptions options)
    : options_(options),
      random_(options.seed),
      authority_(Authority::create("grid", options.subnet, kYear, kUnixStart, random_)),
      network_(*Network::from_authority(authority_.certificate())),
      signatures_(options.seed),
      internet_(internet_options(options)) {}

World::~World() = default;

Host& World::add_host(const std::string& name) {
  std::vector<Endpoint> introducers;
  if (!hosts_.empty()) introducers = {hosts_.front()->endpoint()};
  Host& host = make_host(name, std::move(introducers));
  start(host);
  return host;
}

Host& World::make_host(const std::string& name, std::vector<Endpoint> introducers) {
  auto& host = *hosts_.emplace_back(std::make_unique<Host>());
  host.world_ = this;
  host.index_ = internet_.add_host();
  host.name_ = name;
  host.endpoint_ = Endpoint::from_ipv4({0xc6336401u + host.index_}, 51128);
  host.introducers_ = std::move(introducers);
  host.identity_ = Identity::generate(random_);
  host.certificate_ = authority_.issue(name, host.identity_->public_key(), kYear, kUnixStart);
  host.id_ = host.identity_->id();
  host.log_ = std::make_unique<HostLog>(*this, name);
  if (const auto bound = std::llround(options_.drift_ppm * 1000); bound > 0) {
    host.clock_ = HostClock(static_cast<int64_t>(random_.below(2 * bound + 1)) - bound);
  }
  if (const auto bound = options_.clock_spread.count(); bound > 0) {
    host.ahead_ = Duration(random_.below(static_cast<uint64_t>(bound)));
  }
  by_endpoint_[host.endpoint_] = host.index_;
  return host;
}

void World::set_introducers(Host& host, std::vector<Endpoint> introducers) {
  host.introducers_ = std::move(introducers);
}

void World::set_distortion(Host& host, Replica::Distortion distortion) {
  host.distortion_ = std::move(distortion);
}

void World::kill(Host& host) {
  if (host.is_running()) collect(host);  // What it has said already is on its way.
  host.node_.reset();
  host.wake_at_ = kNever;
}

void World::start(Host& host) {
  IPOP_ASSERT(!host.is_running());
  host.random_ = std::make_unique<SeededRandom>(random_.u64());
  NodeConfig config{
      .credentials = Credentials::make(network_, *host.identity_, *host.certificate_, *host.random_),
      .introducers = host.introducers_,
      .link = {.rekey_after = options_.rekey_after},
      .distortion = host.distortion_};
  if (!options_.signs_truly) config.credentials.signatures = &signatures_;
  const UnixSeconds unix_now =
      kUnixStart +
      std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch() + host.ahead_).count();
  host.node_ = std::make_unique<Node>(std::move(config), host.now(), unix_now, *host.random_, *host.log_);
  collect(host);
}

void World::move(Host& host, const Endpoint& endpoint) {
  const auto old = by_endpoint_.find(host.endpoint_);
  if (old != by_endpoint_.end() && old->second == host.index_) by_endpoint_.erase(old);
  host.endpoint_ = endpoint;
  by_endpoint_[endpoint] = host.index_;
}

void World::inject(const Endpoint& from, const Host& to, Bytes datagram) {
  launch(now_, {from, to.endpoint(), to.index(), std::move(datagram)});
}

void World::run_for(Duration duration) {
  const Instant end = now_ + duration;
  while (step(end)) {
  }
  now_ = end;
}

bool World::run_until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = now_ + limit;
  while (!condition()) {
    if (step(end)) continue;
    now_ = end;
    return condition();
  }
  return true;
}

/// The next thing that happens, if it happens before `limit`.
bool World::step(Instant limit) {
  collect_touched();
  if (queue_.empty() || queue_.top().at > limit) return false;
  const Event event = queue_.pop();
  now_ = std::max(now_, event.at);
  if (event.kind == Event::Kind::Arrival) {
    arrive(event.index);
  } else {
    wake(*hosts_[event.index], event.at);
  }
  return true;
}

void World::arrive(uint32_t slot) {
  const InFlight datagram = std::move(in_flight_[slot]);
  free_slots_.push_back(slot);
  Host* host = hosts_[datagram.host].get();
  if (host->endpoint_ != datagram.to) host = find(datagram.to);  // It has moved.
  if (!host || !host->is_running()) return;
  ++events_;
  host->node_->handle_datagram(host->now(), datagram.from, datagram.bytes);
  collect(*host);
}

void World::wake(Host& host, Instant at) {
  if (at != host.wake_at_) return;  // Out of date: an earlier one has been.
  host.wake_at_ = kNever;
  if (host.node_->next_timeout() > host.now()) return schedule(host);  // It was put off meanwhile.
  ++events_;
  host.node_->handle_timeout(host.now());
  collect(host);
}

/// After every visit of a node.
void World::collect(Host& host) {
  while (auto datagram = host.node_->poll_datagram()) {
    transmit(host, datagram->to, std::move(datagram->bytes));
  }
  while (auto frame = host.node_->poll_guest_frame()) {
    if (frame_tap_) frame_tap_(host, *frame);
    host.frames_.push_back(std::move(*frame));
  }
  schedule(host);
}

void World::collect_touched() {
  for (size_t i = 0; i < touched_.size(); ++i) {
    Host& host = *hosts_[touched_[i]];
    host.is_touched_ = false;
    if (host.is_running()) collect(host);
  }
  touched_.clear();
}

/// A deadline that moved away leaves its entry in the queue: wake() finds out, which is cheaper than to take
/// entries out of a heap.
void World::schedule(Host& host) {
  const Instant at = std::max(now_, host.clock_.when(host.node_->next_timeout()));
  if (at >= host.wake_at_) return;
  host.wake_at_ = at;
  queue_.push(at, Event::Kind::Wake, host.index_);
}

void World::transmit(Host& from, const Endpoint& to, Bytes bytes) {
  for (Traffic* traffic : {&from.sent_, &sent_}) {
    ++traffic->datagrams;
    traffic->octets += bytes.size();
  }
  if (tap_) tap_(from.endpoint(), to, bytes);
  const Host* const host = find(to);
  if (!host) return;
  const auto latency = internet_.carry(from.index_, host->index_);
  if (latency) launch(now_ + *latency, {from.endpoint_, to, host->index_, std::move(bytes)});
}

void World::launch(Instant at, InFlight datagram) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(in_flight_.size()));
    in_flight_.emplace_back();
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  in_flight_[slot] = std::move(datagram);
  queue_.push(at, Event::Kind::Arrival, slot);
}

Host* World::find(const Endpoint& endpoint) {
  const auto entry = by_endpoint_.find(endpoint);
  return entry == by_endpoint_.end() ? nullptr : hosts_[entry->second].get();
}

size_t World::EndpointHash::operator()(const Endpoint& endpoint) const {
  std::array<uint64_t, 2> words;
  static_assert(sizeof words == sizeof endpoint.address);
  std::memcpy(words.data(), endpoint.address.data(), sizeof words);
  return (words[0] ^ words[1] ^ uint64_t{endpoint.port} << 48) * 0x9e3779b97f4a7c15 >> 16;
}

Instant Host::now() const { return clock_.at(world_->now()); }

Node& Host::node() {
  if (!std::exchange(is_touched_, true)) world_->touched_.push_back(index_);
  return *node_;
}

void Host::send_frame(ByteView frame) {
  node_->handle_guest_frame(now(), frame);
  world_->collect(*this);
}

}  // namespace ipop::sim
