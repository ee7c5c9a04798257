#include "overlay/sim/bindings.h"

#include <algorithm>
#include <optional>
#include <set>

#include "overlay/base/assert.h"
#include "overlay/ring/distance.h"
#include "overlay/wire/arp.h"
#include "overlay/wire/ethernet.h"

namespace ipop::sim {
namespace {

/// Not the network's own address, nor that of the service.
constexpr uint32_t kFirstAddress = 2;
constexpr int kDraws = 100;

NodeId key_of_ip(Ipv4Address ip) { return key_of({.kind = wire::DhtAddress::Kind::Ip, .ip = ip, .mac = {}}); }

Bytes arp_request(const MacAddress& mac, Ipv4Address ip, Ipv4Address target) {
  return arp_frame(MacAddress::broadcast(), mac,
                   {.operation = ArpPacket::Operation::Request,
                    .sender_mac = mac,
                    .sender_ip = ip,
                    .target_mac = {},
                    .target_ip = target});
}

}  // namespace

Bindings::Bindings(World& world, Population& population, Random& random, Ipv4Subnet subnet)
    : world_(world), population_(population), random_(random), subnet_(subnet) {
  world_.set_frame_tap([this](const Host& host, ByteView frame) { handle_frame(host, frame); });
}

void Bindings::add_guest(Host& host) {
  const auto number = static_cast<uint32_t>(guests_.size());
  IPOP_ASSERT(kFirstAddress + number + 1 < subnet_.size());
  const MacAddress mac{{0x52, 0x54, static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
                        static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)}};
  const Ipv4Address ip{subnet_.network.value + kFirstAddress + number};
  guests_.push_back(
      {.host = host.index(), .ip = ip, .mac = mac, .is_first = !guest_of_.contains(host.index())});
  guest_of_[host.index()] = number;
  host.send_frame(arp_request(mac, ip, ip));
}

std::pair<size_t, size_t> Bindings::published() const {
  size_t wanted = 0;
  size_t known = 0;
  for (const Guest& guest : guests_) wanted += world_.host(guest.host).is_running() ? 2 : 0;
  for (const auto& [index, guest] : guest_of_) {
    const Host& host = world_.host(index);
    if (host.is_running()) known += host.node().directory().published().first;
  }
  return {wanted, known};
}

Bindings::Load Bindings::load() const {
  Load out;
  for (const uint32_t index : population_.running()) {
    const Host& host = world_.host(index);
    const Replica& replica = host.node().directory().replica();
    size_t copies = 0;
    for (const auto& [key, entry] : replica.store().all()) {
      const auto replicas = replicas_of(key, host.id(), replica.near());
      out.records += replicas.front() == host.id();
      copies += std::find(replicas.begin(), replicas.end(), host.id()) != replicas.end();
    }
    out.copies += copies;
    out.most = std::max(out.most, copies);
  }
  return out;
}

bool Bindings::look_up(size_t guest) {
  const Guest& wanted = guests_[guest];
  for (int draw = 0; draw < kDraws; ++draw) {
    Host& asker = population_.random_running();
    const auto own = guest_of_.find(asker.index());
    if (own == guest_of_.end() || pending_.contains(asker.index())) continue;
    const Node& node = std::as_const(asker).node();
    if (node.vnet().map().find_ip(wanted.ip)) continue;
    if (node.directory().replica().store().find(key_of_ip(wanted.ip))) continue;
    pending_[asker.index()] = {
        .ip = wanted.ip, .asked_at = world_.now(), .found_before = node.directory().client().counts().found};
    const Guest& guest_of_asker = guests_[own->second];
    asker.send_frame(arp_request(guest_of_asker.mac, guest_of_asker.ip, wanted.ip));
    return true;
  }
  return false;
}

bool Bindings::look_up_random() {
  const auto guest = draw_guest();
  return guest && look_up(*guest);
}

std::optional<size_t> Bindings::draw_guest() {
  for (int draw = 0; draw < kDraws; ++draw) {
    const size_t number = random_.below(guests_.size());
    const Guest& guest = guests_[number];
    if (!guest.is_first && world_.host(guest.host).is_running()) return number;
  }
  return std::nullopt;
}

bool Bindings::has_found(const Host& asker, const Lookup& lookup) const {
  return asker.node().directory().client().counts().found > lookup.found_before;
}

void Bindings::handle_frame(const Host& host, ByteView bytes) {
  const auto pending = pending_.find(host.index());
  if (pending == pending_.end()) return;
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame || frame->header.ethertype != kEtherTypeArp) return;
  const auto packet = ArpPacket::decode(frame->payload);
  if (!packet || packet->operation != ArpPacket::Operation::Reply) return;
  // Somebody's announcement may come first; the client still goes on.
  if (packet->sender_ip != pending->second.ip || !has_found(host, pending->second)) return;
  ++results_.counted;
  ++results_.found;
  results_.took_s.push_back(std::chrono::duration<double>(world_.now() - pending->second.asked_at).count());
  pending_.erase(pending);
}

void Bindings::step() {
  std::erase_if(pending_, [&](const auto& entry) {
    const Host& asker = world_.host(entry.first);
    if (!asker.is_running()) return true;
    if (world_.now() - entry.second.asked_at <= kLookupLimit) return false;
    ++results_.counted;
    results_.found += has_found(asker, entry.second);
    return true;
  });
}

std::vector<Bindings::Sample> Bindings::draw_samples(size_t n, size_t survivors) {
  std::vector<std::pair<NodeId, uint32_t>> ring;
  for (const uint32_t index : population_.running()) ring.emplace_back(world_.host(index).id(), index);
  std::sort(ring.begin(), ring.end());
  const auto at = [&](size_t owner, int step) {  // So many places on from the owner, or back.
    return ring[(owner + ring.size() + static_cast<size_t>(static_cast<ptrdiff_t>(step))) % ring.size()]
        .second;
  };
  const auto owner_of = [&](const NodeId& key) {
    const auto nearest = std::min_element(ring.begin(), ring.end(), [&](const auto& a, const auto& b) {
      return ring_distance(a.first, key) < ring_distance(b.first, key);
    });
    return static_cast<size_t>(nearest - ring.begin());
  };

  constexpr int kSide = static_cast<int>(kReplicasPerSide);
  constexpr int kReach = kSide + static_cast<int>(kNearPerSide);
  std::vector<Sample> out;
  std::set<uint32_t> hosts;
  std::set<uint32_t> victims;
  if (ring.size() <= kReplicas || guests_.empty()) return out;
  for (size_t draw = 0; draw < n * kDraws && out.size() < n; ++draw) {
    const auto guest = draw_guest();
    if (!guest) break;
    Sample sample{.guest = *guest, .victims = {}};
    const uint32_t host = guests_[sample.guest].host;
    if (victims.contains(host)) continue;
    const size_t owner = owner_of(key_of_ip(guests_[sample.guest].ip));
    bool is_free = true;
    for (int step = -kReach; step <= kReach; ++step) is_free &= !victims.contains(at(owner, step));
    for (int step = -kSide; step <= kSide; ++step) {
      Host& replica = world_.host(at(owner, step));
      is_free &= replica.index() != host && !hosts.contains(replica.index());
      sample.victims.push_back(&replica);
    }
    if (!is_free) continue;
    for (size_t i = 0; i < survivors; ++i) {
      sample.victims.erase(sample.victims.begin() +
                           static_cast<ptrdiff_t>(random_.below(sample.victims.size())));
    }
    for (const Host* victim : sample.victims) victims.insert(victim->index());
    hosts.insert(host);
    out.push_back(std::move(sample));
  }
  return out;
}

size_t Bindings::copies_of(size_t guest) const {
  const NodeId key = key_of_ip(guests_[guest].ip);
  const auto& running = population_.running();
  return static_cast<size_t>(std::count_if(running.begin(), running.end(), [&](uint32_t index) {
    const Host& host = std::as_const(world_).host(index);
    const Replica& replica = host.node().directory().replica();
    if (!replica.store().find(key)) return false;
    const auto replicas = replicas_of(key, host.id(), replica.near());
    return std::find(replicas.begin(), replicas.end(), host.id()) != replicas.end();
  }));
}

bool Bindings::is_handed_over() const {
  return std::all_of(population_.running().begin(), population_.running().end(), [&](uint32_t index) {
    const Node& node = std::as_const(world_).host(index).node();
    const Replica& replica = node.directory().replica();
    return replica.is_synchronised() && replica.near() == node.ring().near();
  });
}

}  // namespace ipop::sim
