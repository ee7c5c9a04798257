#include "overlay/sim/world.h"

#include <algorithm>

#include "overlay/base/assert.h"

namespace ipop::sim {
namespace {

constexpr UnixSeconds kUnixStart = 1'700'000'000;
constexpr UnixSeconds kYear = 365 * 86400;

}  // namespace

class World::HostLog : public Log {
 public:
  HostLog(World& world, std::string name) : world_(world), name_(std::move(name)) {}
  void write(Level, std::string_view line) override {
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
      network_(*Network::from_authority(authority_.certificate())) {}

World::~World() = default;

Host& World::add_host(const std::string& name) {
  auto& host = *hosts_.emplace_back(std::make_unique<Host>());
  host.world_ = this;
  host.name_ = name;
  host.endpoint_ = Endpoint::from_ipv4({0xc6336400u + static_cast<uint32_t>(hosts_.size())}, 51128);
  if (hosts_.size() > 1) host.introducers_ = {hosts_.front()->endpoint()};
  host.identity_ = Identity::generate(random_);
  host.certificate_ = authority_.issue(name, host.identity_->public_key(), kYear, kUnixStart);
  host.id_ = host.identity_->id();
  logs_[&host] = std::make_unique<HostLog>(*this, name);
  start(host);
  return host;
}

void World::kill(Host& host) { host.node_.reset(); }

void World::start(Host& host) {
  IPOP_ASSERT(!host.is_running());
  host.random_ = std::make_unique<SeededRandom>(random_.u64());
  NodeConfig config{
      .credentials = Credentials::make(network_, *host.identity_, *host.certificate_, *host.random_),
      .introducers = host.introducers_,
      .link = {.rekey_after = options_.rekey_after}};
  const UnixSeconds unix_now =
      kUnixStart + std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
  host.node_ = std::make_unique<Node>(std::move(config), now_, unix_now, *host.random_, *logs_[&host]);
  empty(host);
}

void World::move(Host& host, const Endpoint& endpoint) { host.endpoint_ = endpoint; }

void World::inject(const Endpoint& from, const Host& to, Bytes datagram) {
  in_flight_.emplace(now_, InFlight{from, to.endpoint(), std::move(datagram)});
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
    if (!step(end)) return false;
  }
  return true;
}

/// The next thing that happens, if it happens before `limit`.
bool World::step(Instant limit) {
  Instant next = in_flight_.empty() ? kNever : in_flight_.begin()->first;
  for (const auto& host : hosts_) {
    if (host->is_running()) next = std::min(next, host->node().next_timeout());
  }
  if (next > limit) return false;
  now_ = std::max(now_, next);
  if (!in_flight_.empty() && in_flight_.begin()->first <= now_) {
    const InFlight arriving = std::move(in_flight_.begin()->second);
    in_flight_.erase(in_flight_.begin());
    for (const auto& host : hosts_) {
      if (!host->is_running() || host->endpoint() != arriving.to) continue;
      host->node().handle_datagram(now_, arriving.from, arriving.bytes);
      empty(*host);
    }
    return true;
  }
  for (const auto& host : hosts_) {
    if (!host->is_running() || host->node().next_timeout() > now_) continue;
    host->node().handle_timeout(now_);
    empty(*host);
  }
  return true;
}

void World::empty(Host& host) {
  while (const auto datagram = host.node().poll_datagram()) transmit(host, *datagram);
  while (auto frame = host.node().poll_guest_frame()) host.frames_.push_back(std::move(*frame));
}

void World::transmit(Host& from, const Node::Datagram& datagram) {
  from.sent_bytes_ += datagram.bytes.size();
  if (tap_) tap_(from.endpoint(), datagram.to, datagram.bytes);
  if (random_.below(1'000'000) < static_cast<uint64_t>(options_.loss * 1e6)) return;
  for (const auto& host : hosts_) {
    if (host->endpoint() == datagram.to && cuts_.contains(std::minmax(from.id(), host->id()))) return;
  }
  const auto spread = static_cast<uint64_t>((options_.latency_max - options_.latency_min).count());
  const Duration latency = options_.latency_min + Duration(random_.below(spread + 1));
  in_flight_.emplace(now_ + latency, InFlight{from.endpoint(), datagram.to, datagram.bytes});
}

void Host::send_frame(ByteView frame) {
  node_->handle_guest_frame(world_->now(), frame);
  world_->empty(*this);
}

}  // namespace ipop::sim
