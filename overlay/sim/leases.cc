#include "overlay/sim/leases.h"

#include <algorithm>
#include <utility>

#include "overlay/sim/liar.h"

namespace ipop::sim {

Leases::Leases(const LeasesOptions& options)
    : options_(options), random_(options.world.seed ^ 0x1ea5e5), world_(options.world) {
  for (size_t i = 0; i < options.hosts; ++i) {
    hosts_.push_back(&world_.make_host("h" + std::to_string(i), {}));
  }
  std::vector<Endpoint> introducers;
  for (const Host* host : hosts_) {
    if (introducers.size() < kIntroducers) introducers.push_back(host->endpoint());
  }
  for (Host* host : hosts_) {
    world_.set_introducers(*host, introducers);
    if (host->index() < options.liars) {
      world_.set_distortion(*host, make_liar(options.world.seed + host->index()));
    }
    world_.start(*host);
  }
  parts_.resize(options.hosts);
  peers_.resize(options.hosts);
  world_.run_for(options.settle);
  add_guests(options.guests);
  if (options.arrival > Duration::zero()) {
    for (Guest& guest : guests_) {
      guest.dhcp.restart(world_.now() +
                         Duration(random_.below(static_cast<uint64_t>(options.arrival.count()))));
    }
  }
  next_event_ = world_.now() + options.arrival + options.pause;
}

void Leases::run() {
  run(options_.length);
  calm(History::kResolve + 30s);
}

Leases::Guest Leases::make_guest() {
  const uint32_t number = next_guest_++;
  const MacAddress mac{
      {0x52, 0x54, 0, 0, static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number & 0xff)}};
  return {.number = number, .dhcp = DhcpGuest(mac), .host = random_of(running(true))};
}

void Leases::add_guests(size_t n) {
  for (size_t i = 0; i < n; ++i) guests_.push_back(make_guest());
}

void Leases::end_guests() {
  for (const Guest& guest : guests_) history_.note_end(guest.number);
  guests_.clear();
}

void Leases::run(Duration length) {
  const Instant end = world_.now() + length;
  while (world_.now() < end) {
    step();
    if (world_.now() < next_event_) continue;
    next_event_ = world_.now() + options_.pause / 2 +
                  Duration(random_.below(static_cast<uint64_t>(options_.pause.count())));
    happen();
  }
}

void Leases::calm(Duration length) {
  if (is_split_) heal();
  for (const size_t i : running(false)) start(*hosts_[i]);
  const Instant end = world_.now() + length;
  while (world_.now() < end) step();
}

void Leases::step() {
  for (Guest& guest : guests_) {
    Host& host = *hosts_[guest.host];
    if (!host.is_running()) continue;
    while (const auto frame = guest.dhcp.poll_frame(world_.now())) host.send_frame(*frame);
  }
  world_.run_for(250ms);
  std::vector<std::vector<Guest*>> at(hosts_.size());
  for (Guest& guest : guests_) at[guest.host].push_back(&guest);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    for (const Bytes& frame : hosts_[i]->take_frames()) {
      for (Guest* guest : at[i]) guest->dhcp.handle_frame(world_.now(), frame);
    }
  }
  for (Guest& guest : guests_) {
    const bool has_address = guest.dhcp.address().has_value();
    if (has_address && !guest.had_address) ++counts_.grants;
    guest.had_address = has_address;
  }
  if (world_.now() >= settled_at_) note_settled();
  if (world_.now() < next_observation_) return;
  next_observation_ = world_.now() + kObservation;
  history_.observe(world_.now(), holdings());
}

void Leases::happen() {
  const auto dead = running(false);
  switch (random_.below(8)) {
    case 0:
      if (dead.size() < hosts_.size() / 4) crash();
      break;
    case 1:
      if (!dead.empty()) start(*hosts_[random_of(dead)]);
      break;
    case 2:
    case 3:
      if (!guests_.empty()) {
        move(guests_[random_.below(guests_.size())], random_of(running(true)));
        ++counts_.moves;
      }
      break;
    case 4:
    case 5:
      if (!guests_.empty()) replace(guests_[random_.below(guests_.size())]);
      break;
    case 6:
      if (!guests_.empty()) {
        Guest& guest = guests_[random_.below(guests_.size())];
        history_.note_end(guest.number);
        guest.dhcp.restart(world_.now());
        ++counts_.reboots;
      }
      break;
    default:
      if (is_split_) {
        heal();
      } else {
        split();
      }
  }
}

/// Its guests are started elsewhere, as a cluster manager would.
void Leases::crash() {
  const size_t victim = random_of(running(true));
  peers_[victim] = std::as_const(*hosts_[victim]).node().peers();
  world_.kill(*hosts_[victim]);
  ++counts_.crashes;
  for (Guest& guest : guests_) {
    if (guest.host == victim) move(guest, random_of(running(true)));
  }
}

/// It remembers its peers: those that everybody knows may be dead, or in another part of the Internet.
void Leases::start(Host& host) {
  world_.start(host);
  for (const Contact& peer : peers_[host.index()]) host.node().handle_known_peer(host.now(), peer);
}

/// By one that has never been.
void Leases::replace(Guest& guest) {
  history_.note_end(guest.number);
  guest = make_guest();
  ++counts_.replacements;
}

void Leases::move(Guest& guest, size_t host) {
  history_.note_end(guest.number);
  guest.host = host;
  guest.dhcp.restart(world_.now());
}

void Leases::split() {
  if (settled_at_ != kNever) note_settled();
  for (const Host* host : hosts_) {
    parts_[host->index()] = static_cast<uint32_t>(random_.below(2));
    world_.internet().set_group(host->index(), parts_[host->index()]);
  }
  is_split_ = true;
  ++counts_.splits;
}

void Leases::heal() {
  history_.observe(world_.now(), holdings());
  history_.note_contact();
  world_.internet().heal();
  is_split_ = false;
  settled_at_ = world_.now() + kSettling;
}

void Leases::note_settled() {
  history_.observe(world_.now(), holdings());
  history_.note_heal(world_.now());
  std::fill(parts_.begin(), parts_.end(), 0);
  settled_at_ = kNever;
}

std::vector<size_t> Leases::running(bool want) const {
  std::vector<size_t> out;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i]->is_running() == want) out.push_back(i);
  }
  return out;
}

size_t Leases::leased() const {
  return static_cast<size_t>(std::count_if(
      guests_.begin(), guests_.end(), [](const Guest& guest) { return guest.dhcp.address().has_value(); }));
}

Figures Leases::figures() const {
  Figures out;
  const auto set = [&](const char* name, size_t value) { out.set(name, static_cast<double>(value)); };
  set("violations", history_.violations().size());
  set("conflicts", history_.conflicts());
  set("hosts", hosts_.size());
  set("liars", options_.liars);
  set("guests", guests_.size());
  set("leased", leased());
  set("grants", counts_.grants);
  set("crashes", counts_.crashes);
  set("moves", counts_.moves);
  set("reboots", counts_.reboots);
  set("replacements", counts_.replacements);
  set("splits", counts_.splits);
  set("observations", history_.observations());
  out.set("virtual_s", std::chrono::duration<double>(world_.now().time_since_epoch()).count());
  return out;
}

/// What hosts believe of the guests that they run.
std::vector<History::Holding> Leases::holdings() const {
  std::vector<History::Holding> out;
  for (const Guest& guest : guests_) {
    const Host& host = *hosts_[guest.host];
    if (!host.is_running()) continue;
    const AddressMap& map = host.node().vnet().map();
    if (!map.is_local(guest.dhcp.mac())) continue;
    for (const IpAddress& ip : map.addresses(guest.dhcp.mac())) {
      if (!ip.is_ipv4()) continue;
      out.push_back({.guest = guest.number, .ip = ip.ipv4(), .group = parts_[host.index()]});
    }
  }
  return out;
}

}  // namespace ipop::sim
