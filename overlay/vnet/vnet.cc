#include "overlay/vnet/vnet.h"

#include <algorithm>

#include "overlay/vnet/dhcp_carrier.h"
#include "overlay/wire/arp.h"
#include "overlay/wire/nd.h"
#include "overlay/wire/packet_too_big.h"

namespace ipop {
namespace {

/// 01:80:c2:00:00:00 to 0f: spoken between neighbouring bridges, never forwarded (IEEE 802.1Q, table 8-1).
bool is_link_local_group(const MacAddress& mac) {
  return mac.bytes[0] == 0x01 && mac.bytes[1] == 0x80 && mac.bytes[2] == 0xc2 && mac.bytes[3] == 0 &&
         mac.bytes[4] == 0 && mac.bytes[5] <= 0x0f;
}

template <class T>
std::optional<T> pop(std::deque<T>& queue) {
  if (queue.empty()) return std::nullopt;
  T front = std::move(queue.front());
  queue.pop_front();
  return front;
}

/// By which the MAC has this address now, or null.
const Lease* lease_of(const LeaseTable& leases, Instant now, const MacAddress& mac, const IpAddress& ip) {
  const Lease* const lease = leases.find(mac);
  return lease != nullptr && IpAddress(lease->ip) == ip && lease->expires > now ? lease : nullptr;
}

/// An address with so much of its time left is not announced again.
constexpr Duration kFresh = Vnet::kIdleTime * 3 / 4;

}  // namespace

Vnet::Vnet(const VnetConfig& config, Random& random, Log& log)
    : own_(config.own),
      service_(Service::make(config.network_name, config.subnet, config.network_hash, config.mtu)),
      log_(log),
      map_(config.own),
      movers_(config.own, map_),
      expected_(config.own, map_),
      resolver_(random),
      arp_(service_, map_, resolver_),
      nd_(service_, map_, resolver_),
      routers_(service_, random),
      host_(service_, map_, resolver_),
      dhcp_(service_, map_, resolver_, config.allowed) {}

Error Vnet::refuse(Error error) {
  errors_.add(error);
  return error;
}

void Vnet::log_limited(Instant now, const std::string& line) {
  if (log_rate_.take(now)) log_.warning(line);
}

Result<Done> Vnet::forward(Instant now, const EthernetHeader& header, ByteView frame) {
  if (is_link_local_group(header.dst)) return Done{};
  if (header.dst.is_group()) {
    if (!flood_rate_.take(now)) {
      ++flood_limited_;
      return Error::RateLimited;
    }
    ++flooded_;
    outgoing_.push_back({.to = std::nullopt, .frame = Bytes(frame.begin(), frame.end())});
    return Done{};
  }
  if (const auto known = map_.find_mac(header.dst)) {
    if (known->node != own_) send_to(known->node, frame);  // Else the switch has brought it there already.
    return Done{};
  }
  const auto held = hold_.hold(now, header.dst, frame);
  if (!held) return held;
  ++held_;
  const auto asked = resolver_.ask(now, {.id = 0,
                                         .kind = Query::Kind::Mac,
                                         .ip = {},
                                         .mac = header.dst,
                                         .claim = {},
                                         .asker = map_.find_mac(header.src)});
  if (!asked) hold_expired_ += hold_.release(header.dst).size();
  return asked;
}

void Vnet::send_to(const NodeId& node, ByteView frame) {
  outgoing_.push_back({.to = node, .frame = Bytes(frame.begin(), frame.end())});
}

// Who is where.

Result<Done> Vnet::learn_local(Instant now, const MacAddress& mac, const IpAddress& ip) {
  map_.handle_timeout(now);  // What has run out is nobody's.
  contests_.handle_word(now, mac, ip);
  const Lease* const lease = lease_of(dhcp_.leases(), now, mac, ip);
  if (const auto holder = map_.find_ip(ip); !ip.is_unspecified() && holder && holder->mac != mac) {
    if (holder->node != own_ || lease == nullptr) {
      ++address_conflicts_;
      log_limited(now, "Guest " + mac.to_string() + " uses " + ip.to_string() + ", which is " +
                           holder->mac.to_string() + "'s: not believed");
      if (is_contestable(now, *holder)) contests_.start(now, ip, holder->mac);
      drain_contests(now);
      return Error::Conflict;
    }
  }
  const auto known = ip.is_unspecified() ? map_.find_mac(mac) : map_.find_ip(ip);
  const bool settled = known && known->mac == mac && map_.is_confirmed(mac) &&
                       (ip.is_unspecified() || lease != nullptr || known->expires - now >= kFresh);
  if (settled) {
    map_.note_use(mac, ip);
    return Done{};
  }
  if (ip.is_ipv4() && !may_give(ip.ipv4())) {
    log_limited(now, "Guest " + mac.to_string() + " uses " + ip.to_string() +
                         ", which this host's certificate does not allow: not believed");
    return Error::NotAllowed;
  }
  if (!map_.may_have(mac, ip)) return Error::Full;  // Before it uses up what others need.
  TokenBucket& rate = map_.find_mac(mac) ? move_rate_ : new_rate_;
  if (!rate.take(now)) return Error::RateLimited;
  const auto sequence =
      bind_local(now, mac, ip, lease != nullptr ? lease->expires : now + kIdleTime, service_.name_for(mac));
  if (!sequence) return sequence.error();
  return Done{};
}

void Vnet::drain_contests(Instant now) {
  while (const auto event = contests_.poll_event()) {
    if (event->kind == Contests::Event::Kind::Question) {
      ask_guest(event->holder, event->ip);
      continue;
    }
    const auto holder = map_.find_ip(event->ip);
    if (!holder || holder->mac != event->holder || !is_contestable(now, *holder)) continue;
    map_.erase(now, event->holder, event->ip);
    ask_guest(MacAddress::broadcast(), event->ip);  // Who uses it now may have said so once, and not again.
  }
}

/// An address that a guest of ours merely uses.
bool Vnet::is_contestable(Instant now, const Binding& holder) const {
  return holder.node == own_ && lease_of(dhcp_.leases(), now, holder.mac, holder.ip) == nullptr;
}

Result<uint64_t> Vnet::bind_local(Instant now, const MacAddress& mac, const IpAddress& ip, Instant expires,
                                  const std::string& name) {
  const auto known = map_.find_mac(mac);
  const auto holder = ip.is_unspecified() ? std::nullopt : map_.find_ip(ip);
  const bool moved = known && known->node != own_;
  const bool changed = moved || (!ip.is_unspecified() && (!holder || holder->mac != mac));
  uint64_t sequence = known ? known->sequence : 0;
  if (const Lease* lease = dhcp_.leases().find(mac)) sequence = std::max(sequence, lease->sequence);
  if (!known || changed) sequence = next_sequence(sequence);
  const auto result = map_.upsert(
      now, {.ip = ip, .mac = mac, .node = own_, .sequence = sequence, .expires = expires, .name = name});
  if (!result) return result.error();
  map_.note_use(mac, ip);
  if (!known || moved) movers_.handle_arrival(now, mac);
  if (moved) {
    ++moved_here_;
    notify(known->node, mac);
    if (log_rate_.take(now)) {
      log_.info("Guest " + mac.to_string() + " has moved here from " + known->node.to_short_string());
    }
    for (const IpAddress& address : map_.addresses(mac)) {
      if (address == ip) continue;
      announcements_.push_back(*map_.find_ip(address));
      // Its data may not come by here, and a guest that begins anew does not use it: leave_behind().
      if (address.is_ipv4() && ask_rate_.take(now)) ask_guest(mac, address);
    }
  }
  expected_.handle_binding(*map_.find_mac(mac));
  announcements_.push_back({.ip = ip,
                            .mac = mac,
                            .node = own_,
                            .sequence = sequence,
                            .expires = expires,
                            .name = map_.find_mac(mac) ? map_.find_mac(mac)->name : name});
  // A guest that renews its lease is not checked; its other addresses would run out unasked.
  for (const IpAddress& address : map_.addresses(mac)) {
    const bool is_fresh = map_.find_ip(address)->expires - now >= kFresh;
    if (!ip.is_unspecified() && !is_fresh) ask_guest(mac, address);
  }
  return sequence;
}

void Vnet::drain_dhcp(Instant now) {
  while (const auto ip = dhcp_.poll_probe()) ask_guest(MacAddress::broadcast(), *ip);
  while (const auto event = dhcp_.poll_event()) {
    if (event->expires > now && !map_.may_have(event->mac, event->ip)) make_room(now, event->mac);
    if (const auto bound = bind_local(now, event->mac, event->ip, event->expires, event->name)) {
      dhcp_.set_sequence(now, event->mac, *bound);
    } else {
      (void)refuse(bound.error());
    }
  }
}

void Vnet::drain_nd_claims(Instant now) {
  while (const auto claim = nd_.poll_claim()) {
    if (const auto learned = learn_local(now, claim->mac, claim->ip); !learned) (void)refuse(learned.error());
  }
}

Result<Done> Vnet::learn_remote(Instant now, const Binding& claim) {
  Binding binding = claim;
  binding.expires = std::min(binding.expires, now + kLongestBinding);
  if (binding.node == own_) return Error::Self;
  if (binding.mac.is_group() || binding.mac.is_zero() || binding.sequence == 0) return Error::Malformed;
  if (binding.mac == service_.mac ||
      !(binding.ip.is_unspecified() || service_.is_guest_address(binding.ip))) {
    return Error::NotAllowed;
  }
  if (!is_host_label(binding.name)) binding.name.clear();

  map_.handle_timeout(now);  // What has run out is nobody's, and not to be defended.
  const bool was_local = map_.is_local(binding.mac);
  const auto had = was_local ? map_.addresses(binding.mac) : std::vector<IpAddress>();
  const auto holder = binding.ip.is_unspecified() ? std::nullopt : map_.find_ip(binding.ip);
  // Sequences count a MAC's moves; whose an address is that two MACs want is for the network: handle_lost().
  if (holder && holder->node == own_ && holder->mac != binding.mac && binding.expires > now) {
    ++address_conflicts_;
    log_limited(now, "Address " + binding.ip.to_string() + " of guest " + holder->mac.to_string() +
                         " is claimed by " + binding.mac.to_string() + " at " +
                         binding.node.to_short_string() + ": not believed");
    announce_again(now, holder->mac);
    return Error::Conflict;
  }
  if (binding.expires > now && movers_.is_kept_from(now, binding)) return Error::Conflict;
  if (!movers_.is_further_move(binding) && outbid(now, binding)) return Error::Conflict;
  const auto change = map_.upsert(now, binding);
  if (!change) {
    if (change.error() == Error::Conflict && was_local) announce_again(now, binding.mac);
    // Whoever has just found the guest began to count where we knew it; we know better now.
    const auto known = map_.find_mac(binding.mac);
    const bool is_moved_on = !was_local && known && known->node != binding.node;
    if (change.error() == Error::Conflict && is_moved_on && defend_rate_.take(now)) {
      notify(binding.node, binding.mac);
    }
    return change.error();
  }
  if (*change == AddressMap::Change::Withdrawn) return Done{};
  if (was_local) handle_departure(now, binding, had);
  settle(binding);
  return Done{};
}

void Vnet::announce(const MacAddress& mac) {
  const auto addresses = map_.addresses(mac);
  if (const auto guest = map_.find_mac(mac); guest && addresses.empty()) announcements_.push_back(*guest);
  for (const IpAddress& ip : addresses) announcements_.push_back(*map_.find_ip(ip));
}

void Vnet::announce_again(Instant now, const MacAddress& mac) {
  if (defend_rate_.take(now)) announce(mac);
}

void Vnet::settle(const Binding& binding) {
  expected_.handle_binding(binding);
  for (const Bytes& frame : hold_.release(binding.mac)) send_to(binding.node, frame);
  if (binding.ip.is_unspecified()) return;
  arp_.handle_binding(binding);
  nd_.handle_binding(binding);
}

// Members.

Result<Done> Vnet::handle_member_frame(Instant now, const NodeId& from, ByteView bytes) {
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame) return refuse(frame.error());
  const EthernetHeader& header = frame->header;
  if (header.src.is_group() || header.src.is_zero() || header.dst.is_zero()) return refuse(Error::Malformed);
  if (const auto imposture = find_imposture(service_, bytes)) {  // Its own host should have caught it.
    ++impostures_[static_cast<size_t>(*imposture)];
    return refuse(Error::NotAllowed);
  }
  if (header.dst == service_.mac || is_link_local_group(header.dst)) return refuse(Error::NotAllowed);
  if (find_dhcp(*frame)) return refuse(Error::NotAllowed);  // Each host answers its own guests.
  // A guest of ours speaking from elsewhere: the switch would look for it there.  It may have moved, and then
  // the announcement is on its way.
  if (map_.is_local(header.src)) return refuse(Error::Conflict);
  if (from == own_) return refuse(Error::Self);
  if (!map_.find_mac(header.src)) {
    const Binding seen{.ip = {},
                       .mac = header.src,
                       .node = from,
                       .sequence = 0,  // Any announcement is better.
                       .expires = now + kLearnedFromFrame,
                       .name = {}};
    if (const auto learned = map_.upsert(now, seen); !learned) (void)refuse(learned.error());
    settle(seen);
  }
  if (pass_on(now, from, header, bytes)) return Done{};
  guest_frames_.emplace_back(bytes.begin(), bytes.end());
  return Done{};
}

Result<Done> Vnet::handle_announcement(Instant now, const NodeId& from, const Binding& binding) {
  if (binding.node != from) return handle_redirection(now, from, binding);
  const auto learned = learn_remote(now, binding);
  if (!learned) return refuse(learned.error());
  return learned;
}

void Vnet::handle_lost(Instant now, const MacAddress& mac, const Binding& winner) {
  if (winner.ip.is_ipv4()) dhcp_.handle_lost(winner.ip.ipv4(), mac);
  movers_.handle_lost(mac, winner.ip);
  const auto holder = map_.find_ip(winner.ip);
  if (holder && holder->node == own_ && holder->mac == mac) {
    ++address_conflicts_;
    map_.erase(now, mac, winner.ip);
    log_limited(now, "Address " + winner.ip.to_string() + " of guest " + mac.to_string() + " belongs to " +
                         winner.mac.to_string() + " at " + winner.node.to_short_string());
    if (winner.node != own_) show_holder(mac, winner);
  }
  if (winner.sequence == 0 || winner.node == own_) return;
  if (const auto learned = learn_remote(now, winner); !learned) (void)refuse(learned.error());
}

void Vnet::handle_member_gone(Instant now, const NodeId& node) {
  for (const Binding& binding : map_.bindings()) {
    if (binding.node == node && binding.sequence == 0) map_.erase(now, binding.mac, {});
  }
}

// What guests are asked and told.

void Vnet::ask_guest(const MacAddress& dst, const IpAddress& ip) {
  if (ip.is_ipv4()) {
    const ArpPacket request{.operation = ArpPacket::Operation::Request,
                            .sender_mac = service_.mac,
                            .sender_ip = service_.ip,
                            .target_mac = {},
                            .target_ip = ip.ipv4()};
    guest_frames_.push_back(arp_frame(dst, service_.mac, request));
    return;
  }
  const Ipv6Address group = ip.ipv6().solicited_node();
  const NeighbourSolicitation solicitation{.target = ip.ipv6(), .source_mac = service_.mac};
  guest_frames_.push_back(nd_frame(dst.is_group() ? group.multicast_mac() : dst, service_.mac, group,
                                   service_.link_local, solicitation.encode(service_.link_local, group)));
}

/// To a guest that has lost its address: what the holder itself would say if both were on one link (RFC 5227,
/// section 2.4; RFC 4861, section 7.2.6).
void Vnet::show_holder(const MacAddress& dst, const Binding& holder) {
  if (holder.ip.is_ipv4()) {
    const ArpPacket announcement{.operation = ArpPacket::Operation::Request,
                                 .sender_mac = holder.mac,
                                 .sender_ip = holder.ip.ipv4(),
                                 .target_mac = {},
                                 .target_ip = holder.ip.ipv4()};
    guest_frames_.push_back(arp_frame(dst, holder.mac, announcement));
    return;
  }
  const Ipv6Address ip = holder.ip.ipv6();
  const NeighbourAdvertisement advertisement{.overrides = true, .target = ip, .target_mac = holder.mac};
  guest_frames_.push_back(nd_frame(dst, holder.mac, kAllNodes, ip, advertisement.encode(ip, kAllNodes)));
}

void Vnet::handle_too_long(ByteView head, size_t max_frame) {
  auto answer = packet_too_big(head, max_frame, service_.mac);
  if (!answer) return;
  ++too_big_told_;
  guest_frames_.push_back(std::move(*answer));
}

// What the owner takes away.

std::optional<Bytes> Vnet::poll_guest_frame() {
  if (auto frame = arp_.poll_frame()) return frame;
  if (auto frame = nd_.poll_frame()) return frame;
  if (auto frame = routers_.poll_frame()) return frame;
  if (auto frame = dhcp_.poll_frame()) return frame;
  if (auto frame = host_.poll_frame()) return frame;
  return pop(guest_frames_);
}

std::optional<Vnet::Outgoing> Vnet::poll_outgoing() { return pop(outgoing_); }

std::optional<Binding> Vnet::poll_announcement() { return pop(announcements_); }

std::optional<Vnet::Notice> Vnet::poll_notice() { return pop(notices_); }

std::optional<MacAddress> Vnet::poll_departure() { return pop(departures_); }

Instant Vnet::next_timeout() const {
  return std::min({map_.next_timeout(), resolver_.next_timeout(), routers_.next_timeout(),
                   dhcp_.next_timeout(), host_.next_timeout(), hold_.next_timeout(), expected_.next_timeout(),
                   contests_.next_timeout()});
}

void Vnet::handle_timeout(Instant now) {
  map_.handle_timeout(now);
  contests_.handle_timeout(now);
  drain_contests(now);
  while (const auto mac = map_.poll_unconfirmed()) {
    for (const IpAddress& ip : map_.addresses(*mac)) ask_guest(*mac, ip);
  }
  routers_.handle_timeout(now, map_.local_size() > 0);
  for (const Query& query : resolver_.handle_timeout(now)) {
    // Silence leaves a question without an answer, and an address without a guest: it may be somebody's.
    if (query.claim) {
      dhcp_.handle_silence(now, query);
    } else {
      conclude(now, query, std::nullopt, false);
    }
  }
  dhcp_.handle_timeout(now);
  host_.handle_timeout(now);
  expected_.handle_timeout(now);
  ask_for_expected(now);
  hold_expired_ += hold_.handle_timeout(now);
}

void Vnet::use_settings(std::shared_ptr<const Settings> settings) {
  constexpr size_t kMostNamed = 8;
  service_.settings = std::move(settings);
  size_t refused = 0;
  for (const auto& [ip, mac] : service_.settings->reserved) {
    if (dhcp_.pool().may_give(ip) || ++refused > kMostNamed) continue;
    log_.warning("The reservation of " + ip.to_string() + " for " + mac.to_string() +
                 " is not given here: this host's certificate does not allow the address");
  }
  if (refused > kMostNamed) {
    log_.warning(std::to_string(refused - kMostNamed) + " more reservations are not given here");
  }
}

std::string Vnet::save_leases(Instant now, UnixSeconds wall_now) const {
  return dhcp_.leases().save(now, wall_now);
}

Result<Done, Problem> Vnet::load_leases(std::string_view text, Instant now, UnixSeconds wall_now) {
  LeaseTable loaded;
  if (auto result = loaded.load(text, now, wall_now, DhcpServer::kLeaseTime); !result) return result;
  for (const auto& [mac, lease] : loaded.all()) {
    if (mac == service_.mac || !service_.is_guest_address(lease.ip)) {
      return Problem{"The lease file is of another network: it has " + lease.ip.to_string() + "."};
    }
  }
  dhcp_.leases() = loaded;
  for (const auto& [mac, lease] : loaded.all()) {
    if (lease.expires <= now) continue;
    const auto result = map_.upsert(now, {.ip = lease.ip,
                                          .mac = mac,
                                          .node = own_,
                                          .sequence = std::max<uint64_t>(lease.sequence, 1),
                                          .expires = lease.expires,
                                          .name = lease.name});
    if (!result) (void)refuse(result.error());
    map_.doubt(mac);
  }
  return Done{};
}

std::vector<Vnet::Counter> Vnet::counters() const {
  const auto& dhcp = dhcp_.counts();
  const auto& dns = host_.dns();
  const auto impostures = [&](Imposture what) { return impostures_[static_cast<size_t>(what)]; };
  return {
      {"flooded", flooded_},
      {"flood_limited", flood_limited_},
      {"held", held_},
      {"hold_expired", hold_expired_},
      {"moved_here", moved_here_},
      {"moved_away", moved_away_},
      {"passed_on", passed_on_},
      {"address_conflicts", address_conflicts_},
      {"too_big_told", too_big_told_},
      {"arp_answers", arp_.answers()},
      {"nd_answers", nd_.answers()},
      {"router_advertisements", routers_.sent()},
      {"dhcp_offers", dhcp.offers},
      {"dhcp_acks", dhcp.acks},
      {"dhcp_naks", dhcp.naks},
      {"dhcp_declines", dhcp.declines},
      {"dhcp_exhausted", dhcp.exhausted},
      {"dns_found", dns.found},
      {"dns_not_found", dns.not_found},
      {"dns_failed", dns.failed},
      {"dns_refused", dns.refused},
      {"echoes", host_.echoes()},
      {"rogue_dhcp_servers", impostures(Imposture::DhcpServer)},
      {"rogue_routers", impostures(Imposture::Router)},
      {"rogue_service_claims", impostures(Imposture::Service)},
  };
}

}  // namespace ipop
