#include "overlay/sim/leases.h"

#include <algorithm>
#include <set>
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
  lease_files_.resize(options.hosts);
  world_.run_for(options.settle);
  add_guests(options.guests);
  if (options.arrival > Duration::zero()) {
    for (Resident& resident : guests_) {
      resident.guest.restart(world_.now() +
                             Duration(random_.below(static_cast<uint64_t>(options.arrival.count()))));
    }
  }
  next_event_ = world_.now() + options.pause;
}

void Leases::run() {
  run(options_.arrival + options_.length);
  calm(History::kResolve + 30s);
}

Leases::Resident Leases::make_resident() {
  const uint32_t number = next_guest_++;
  const MacAddress mac{
      {0x52, 0x54, 0, 0, static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number & 0xff)}};
  const bool is_static =
      options_.statics > 0 && static_cast<double>(random_.below(1'000'000)) < options_.statics * 1e6;
  return {.number = number,
          .guest = is_static ? Guest(mac, random_address()) : Guest(mac),
          .host = random_of(running(true))};
}

/// Somebody may have it.
Ipv4Address Leases::random_address() {
  const Service& service = std::as_const(*hosts_[random_of(running(true))]).node().vnet().service();
  return service.pool_address(random_.below(service.pool_size()));
}

void Leases::add_guests(size_t n) {
  for (size_t i = 0; i < n; ++i) guests_.push_back(make_resident());
}

void Leases::end_guests() {
  for (const Resident& resident : guests_) history_.note_end(resident.number);
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
  for (Resident& resident : guests_) {
    Host& host = *hosts_[resident.host];
    if (resident.guest.is_asleep(world_.now())) history_.note_silence(resident.number);
    if (!host.is_running()) continue;
    while (const auto frame = resident.guest.poll_frame(world_.now())) host.send_frame(*frame);
  }
  world_.run_for(250ms);
  std::vector<std::vector<Guest*>> at(hosts_.size());
  for (Resident& resident : guests_) at[resident.host].push_back(&resident.guest);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    for (const Bytes& frame : hosts_[i]->take_frames()) {
      for (Guest* guest : at[i]) guest->handle_frame(world_.now(), frame);
    }
  }
  for (Resident& resident : guests_) {
    const bool has_address = !resident.guest.is_static() && resident.guest.address();
    if (has_address && !resident.had_address) ++counts_.grants;
    resident.had_address = has_address;
  }
  if (world_.now() >= settled_at_) note_settled();
  if (world_.now() < next_observation_) return;
  next_observation_ = world_.now() + kObservation;
  history_.observe(world_.now(), holdings());
}

void Leases::happen() {
  const auto dead = running(false);
  const auto random_guest = [this]() -> Resident& { return guests_[random_.below(guests_.size())]; };
  switch (random_.below(guests_.empty() ? 3 : 9)) {
    case 0:
      if (dead.size() < hosts_.size() / 4) crash();
      break;
    case 1:
      if (!dead.empty()) start(*hosts_[random_of(dead)]);
      break;
    case 2:
      if (is_split_) {
        heal();
      } else {
        split();
      }
      break;
    case 3:
      reboot(random_guest(), random_of(running(true)));
      ++counts_.moves;
      break;
    case 4:
    case 5:
      replace(random_guest());
      break;
    case 6: {
      Resident& resident = random_guest();
      reboot(resident, resident.host);
      ++counts_.reboots;
      break;
    }
    case 7:
      migrate(random_guest());
      break;
    default:
      if (options_.sleep > Duration::zero()) put_to_sleep(random_guest());
  }
}

/// Its guests are started elsewhere, as a cluster manager would.
void Leases::crash() {
  const size_t victim = random_of(running(true));
  const Host& host = *hosts_[victim];
  peers_[victim] = host.node().peers();
  lease_files_[victim] = host.node().vnet().save_leases(host.now(), wall_now());
  world_.kill(*hosts_[victim]);
  ++counts_.crashes;
  for (Resident& resident : guests_) {
    if (resident.host == victim) reboot(resident, random_of(running(true)));
  }
}

/// In seconds since some time.
UnixSeconds Leases::wall_now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(world_.now().time_since_epoch()).count();
}

/// It remembers its leases, although its guests are elsewhere; and its peers: those that everybody knows may
/// be dead, or in another part of the Internet.
void Leases::start(Host& host) {
  world_.start(host);
  (void)host.node().vnet().load_leases(lease_files_[host.index()], host.now(), wall_now());
  for (const Contact& peer : peers_[host.index()]) host.node().handle_known_peer(host.now(), peer);
}

/// Half of the guests do so properly.
void Leases::shut_down(const Resident& resident) {
  history_.note_end(resident.number);
  Host& host = *hosts_[resident.host];
  if (!host.is_running() || resident.guest.is_asleep(world_.now()) || random_.below(2) == 0) return;
  if (const auto release = resident.guest.release()) {
    host.send_frame(*release);
    ++counts_.releases;
  }
}

/// By one that has never been.
void Leases::replace(Resident& resident) {
  shut_down(resident);
  resident = make_resident();
  ++counts_.replacements;
}

void Leases::reboot(Resident& resident, size_t host) {
  shut_down(resident);
  resident.host = host;
  resident.guest.restart(world_.now());
}

/// It runs on, with its address, though it be in another part of the Internet.
void Leases::migrate(Resident& resident) {
  history_.note_end(resident.number);
  resident.host = random_of(running(true));
  resident.guest.go_on();
  ++counts_.migrations;
}

void Leases::put_to_sleep(Resident& resident) {
  resident.guest.suspend(world_.now(), world_.now() + Duration(random_.below(options_.sleep.count())));
  ++counts_.sleeps;
}

void Leases::split() {
  if (settled_at_ != kNever) note_settled();
  history_.observe(world_.now(), holdings());
  history_.note_split(world_.now());
  const uint64_t tenths = 1 + random_.below(9);  // A few against all others, or halves.
  for (const Host* host : hosts_) {
    parts_[host->index()] = random_.below(10) < tenths ? 1 : 0;
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
  return static_cast<size_t>(std::count_if(guests_.begin(), guests_.end(),
                                           [](const Resident& resident) { return resident.had_address; }));
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
  set("migrations", counts_.migrations);
  set("reboots", counts_.reboots);
  set("replacements", counts_.replacements);
  set("releases", counts_.releases);
  set("sleeps", counts_.sleeps);
  set("splits", counts_.splits);
  set("observations", history_.observations());
  out.set("virtual_s", std::chrono::duration<double>(world_.now().time_since_epoch()).count());
  return out;
}

/// What hosts believe of the guests that they run, and what DHCP has said to guests since the last look. What
/// DHCP has not given a guest where it is, its host believes when the replicas have granted it.
std::vector<History::Holding> Leases::holdings() {
  std::vector<History::Holding> out;
  for (const Resident& resident : guests_) {
    const Host& host = *hosts_[resident.host];
    const Guest& guest = resident.guest;
    if (!host.is_running()) continue;
    std::set<IpAddress> held;
    const AddressMap& map = host.node().vnet().map();
    if (map.is_local(guest.mac())) {
      for (const IpAddress& ip : map.addresses(guest.mac())) {
        const bool is_given = guest.acknowledged_at() && guest.address() == ip;
        if (is_given || host.node().directory().is_told(*map.find_ip(ip))) held.insert(ip);
      }
    }
    if (guest.address() && guest.acknowledged_at() >= last_observation_) held.insert(*guest.address());
    for (const IpAddress& ip : held) {
      if (!ip.is_ipv4()) continue;
      out.push_back({.guest = resident.number, .ip = ip.ipv4(), .group = parts_[host.index()]});
    }
  }
  last_observation_ = world_.now();
  return out;
}

}  // namespace ipop::sim
