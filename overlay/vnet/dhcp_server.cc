#include "overlay/vnet/dhcp_server.h"

#include <algorithm>
#include <utility>

#include "overlay/vnet/dhcp_options.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/inet.h"

namespace ipop {
namespace {

/// The first label of what the client calls itself, if it is one.
std::string label_of(const std::string& host_name) {
  const std::string label = host_name.substr(0, host_name.find('.'));
  return is_host_label(label) ? label : std::string();
}

uint32_t seconds(Duration duration) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(duration).count());
}

}  // namespace

Result<Done> DhcpServer::handle_message(Instant now, const DhcpMessage& message) {
  if (message.op != DhcpMessage::Op::Request) return Error::UnexpectedMessage;
  if (message.chaddr.is_group() || message.chaddr.is_zero()) return Error::Malformed;
  if (!message.giaddr.is_unspecified()) return Error::NotAllowed;
  if (message.server_id && *message.server_id != service_.ip) {
    // The client has chosen another server: what we kept for it is free again (RFC 2131, section 3.1.4).
    if (const auto client = clients_.find(message.chaddr); client != clients_.end()) forget(client);
    return Error::NotAllowed;
  }
  switch (message.type) {
    case DhcpMessage::Type::Discover:
      return handle_discover(now, message);
    case DhcpMessage::Type::Request:
      return handle_request(now, message);
    case DhcpMessage::Type::Decline:
      return handle_decline(now, message);
    case DhcpMessage::Type::Release:
      return handle_release(now, message);
    case DhcpMessage::Type::Inform:
      return handle_inform(message);
    case DhcpMessage::Type::Offer:
    case DhcpMessage::Type::Ack:
    case DhcpMessage::Type::Nak:
      break;
  }
  return Error::UnexpectedMessage;
}

// RFC 2131, section 4.3.1.
Result<Done> DhcpServer::handle_discover(Instant now, const DhcpMessage& message) {
  const MacAddress& mac = message.chaddr;
  if (const auto client = clients_.find(mac); client != clients_.end() &&
                                              client->second.message.type == DhcpMessage::Type::Discover &&
                                              now < client->second.deadline) {
    client->second.message = message;  // It repeats itself; the answer goes to the latest xid.
    if (client->second.state == Client::State::Offered) offer(client, client->second.ip);
    return Done{};
  }
  const auto started = start(now, message);
  if (!started) return started.error();
  const Clients::iterator client = *started;

  if (const auto reserved = pool_.reserved_for(mac); reserved && !pool_.is_taken(now, *reserved, mac)) {
    if (!pool_.is_granted(now, *reserved, mac)) return ask_for(now, client, *reserved);
    offer_again(client, *leases_.find(mac));
    return Done{};
  }
  return own_candidate(now, client);
}

// RFC 2131, section 4.3.2: SELECTING names a server, INIT-REBOOT only an address, RENEWING and REBINDING use
// one already.
Result<Done> DhcpServer::handle_request(Instant now, const DhcpMessage& message) {
  const MacAddress& mac = message.chaddr;
  const Ipv4Address ip = message.requested_address.value_or(message.ciaddr);
  if (ip.is_unspecified()) return Error::Malformed;
  const auto client = clients_.find(mac);
  if (const char* const objection = find_objection(now, message, ip)) {
    if (client != clients_.end()) forget(client);
    refuse(message, objection);
    return Done{};
  }
  const bool offered = client != clients_.end() && client->second.state == Client::State::Offered &&
                       now < client->second.deadline;
  const bool is_its_offer = offered && client->second.ip == ip && !pool_.is_in_use(now, ip, mac);
  if (is_its_offer || pool_.is_granted(now, ip, mac)) return acknowledge(now, message, ip);
  // Not given by us, as far as we know: the host may have lost its file, the guest may have come from
  // another, or it has used the address until now without asking.
  if (client != clients_.end() && client->second.state == Client::State::Asking && client->second.ip == ip) {
    client->second.awaits_mac = false;
    client->second.message = message;
    if (client->second.is_granted) candidate_is_free(now, client);
    return Done{};
  }
  const auto started = start(now, message);
  if (!started) return started.error();
  return ask_for(now, *started, ip);
}

/// By the settings: what another's reservation is for now, a guest that has it keeps.
bool DhcpServer::may_have(Instant now, Ipv4Address ip, const MacAddress& mac) const {
  return !pool_.is_reserved_for_another(ip, mac) || pool_.held_until(now, ip, mac);
}

const char* DhcpServer::find_objection(Instant now, const DhcpMessage& request, Ipv4Address ip) const {
  const MacAddress& mac = request.chaddr;
  const auto client = clients_.find(mac);
  const bool offered = client != clients_.end() && client->second.state == Client::State::Offered;
  const Lease* lease = leases_.find_living(now, mac);
  if (!service_.is_guest_address(ip)) return "not an address for guests of this network";
  if (!pool_.may_give(ip)) return "not an address that this host may give";
  if (pool_.is_in_use_here(now, ip, mac)) return "the address is in use";
  if (!may_have(now, ip, mac)) return "the address is reserved for another guest";
  if (request.server_id && offered && client->second.ip != ip) return "not the address that was offered";
  if (lease && lease->ip != ip && !offered) return "you have another address";
  // INIT-REBOOT: the guest starts anew, and what it had is only its wish.
  if (request.server_id || !request.requested_address) return nullptr;
  const auto reserved = pool_.reserved_for(mac);
  if (reserved && *reserved != ip && !pool_.is_taken(now, *reserved, mac)) {
    return "another address is reserved for you";
  }
  if (!pool_.held_until(now, ip, mac) && !pool_.is_for(ip, mac)) return "not an address of the pool";
  return nullptr;
}

Result<Done> DhcpServer::handle_release(Instant now, const DhcpMessage& message) {
  const MacAddress& mac = message.chaddr;
  const Lease* lease = leases_.find_living(now, mac);
  if (!lease || lease->ip != message.ciaddr) {
    // It came here with what another host gave it, and has not renewed that.
    const auto held = map_.find_ip(message.ciaddr);
    if (lease || !held || held->mac != mac || !map_.is_local(mac)) return Error::UnexpectedMessage;
    events_.push_back({.mac = mac, .ip = message.ciaddr, .expires = now, .name = held->name});
    return Done{};
  }
  Lease ended = *lease;
  ended.expires = now;
  events_.push_back({.mac = mac, .ip = ended.ip, .expires = now, .name = ended.name});
  return leases_.put(now, mac, ended);
}

Result<Done> DhcpServer::handle_decline(Instant now, const DhcpMessage& message) {
  const Ipv4Address ip = message.requested_address.value_or(Ipv4Address{});
  const auto client = clients_.find(message.chaddr);
  const Lease* lease = leases_.find_living(now, message.chaddr);
  const bool offered =
      client != clients_.end() && client->second.state == Client::State::Offered && client->second.ip == ip;
  const bool leased = lease && lease->ip == ip;
  if (!offered && !leased) return Error::UnexpectedMessage;
  if (const auto declined = pool_.decline(now, ip); !declined) return declined;
  ++counts_.declines;
  if (client != clients_.end()) forget(client);
  if (leased) {
    events_.push_back({.mac = message.chaddr, .ip = ip, .expires = now, .name = lease->name});
    leases_.erase(message.chaddr);
  }
  return Done{};
}

// RFC 2131, section 4.3.5: no address, no lease, the settings only.
Result<Done> DhcpServer::handle_inform(const DhcpMessage& message) {
  if (!service_.is_guest_address(message.ciaddr)) return Error::NotAllowed;
  DhcpMessage reply = reply_to(message, DhcpMessage::Type::Ack);
  add_options(service_, message, name_of(message), reply);
  send(reply);
  return Done{};
}

Result<DhcpServer::Clients::iterator> DhcpServer::start(Instant now, const DhcpMessage& message) {
  if (const auto old = clients_.find(message.chaddr); old != clients_.end()) forget(old);
  if (clients_.size() >= kMaxPending) return Error::Full;
  Client client;
  client.message = message;
  client.deadline = now + kOfferTime;
  return clients_.emplace(message.chaddr, client).first;
}

void DhcpServer::forget(Clients::iterator client) {
  give_back(client);
  clients_.erase(client);
}

void DhcpServer::keep(Clients::iterator client, Ipv4Address ip) {
  give_back(client);
  client->second.ip = ip;
  pool_.keep(ip, client->first);
}

void DhcpServer::remember(Instant now, const MacAddress& mac, Ipv4Address ip) {
  Lease lease{.ip = ip, .expires = now, .sequence = 0, .name = {}};
  if (const Lease* old = leases_.find(mac)) {
    if (old->expires > now || old->ip == ip) return;
    lease.sequence = old->sequence;
    lease.name = old->name;
  }
  (void)leases_.put(now, mac, lease);  // Another guest's, or no room: then it is a guest as any.
}

void DhcpServer::handle_lost(Ipv4Address ip, const MacAddress& mac) {
  if (const Lease* lease = leases_.find(mac); lease && lease->ip == ip) leases_.erase(mac);
  const auto client = clients_.find(mac);
  if (client == clients_.end() || client->second.ip != ip) return;
  if (client->second.state == Client::State::Offered || client->second.is_granted) forget(client);
}

void DhcpServer::give_back(Clients::iterator client) {
  if (!client->second.ip.is_unspecified()) pool_.give_back(client->second.ip);
  client->second.ip = {};
}

Result<Done> DhcpServer::ask_for(Instant now, Clients::iterator client, Ipv4Address ip) {
  keep(client, ip);
  client->second.state = Client::State::Asking;
  client->second.is_granted = false;
  client->second.deadline = now + kOfferTime;
  const MacAddress& mac = client->first;
  const auto asked = resolver_.ask(now, {.id = 0,
                                         .kind = Query::Kind::Ip,
                                         .ip = ip,
                                         .mac = {},
                                         .claim = Query::Claim{.ip = ip, .mac = mac},
                                         .asker = map_.find_mac(mac)});
  if (!asked) {
    forget(client);
  } else if (client->second.message.type == DhcpMessage::Type::Discover) {
    probes_.push_back(ip);
  }
  return asked;
}

Result<Done> DhcpServer::own_candidate(Instant now, Clients::iterator client) {
  const MacAddress& mac = client->first;
  if (const Lease* lease = leases_.find_living(now, mac); lease && !pool_.is_taken(now, lease->ip, mac)) {
    if (!pool_.is_granted(now, lease->ip, mac)) return ask_for(now, client, lease->ip);
    offer_again(client, *lease);
    return Done{};
  }
  for (const IpAddress& ip : map_.addresses(mac)) {
    if (!ip.is_ipv4() || !service_.is_guest_address(ip) || pool_.is_taken(now, ip.ipv4(), mac)) continue;
    return ask_for(now, client, ip.ipv4());
  }
  if (const Lease* lease = leases_.find(mac);
      lease && pool_.is_for(lease->ip, mac) && !pool_.is_taken(now, lease->ip, mac)) {
    return ask_for(now, client, lease->ip);
  }
  // Most MACs have no address yet, or the one that is asked for: do not wait for the one to ask the other.
  client->second.state = Client::State::Asking;
  client->second.awaits_mac = true;
  const auto asked = resolver_.ask(
      now,
      {.id = 0, .kind = Query::Kind::Mac, .ip = {}, .mac = mac, .claim = {}, .asker = map_.find_mac(mac)});
  if (!asked) {
    forget(client);
    return asked;
  }
  return first_candidate(now, client);
}

Result<Done> DhcpServer::first_candidate(Instant now, Clients::iterator client) {
  if (const auto wish = client->second.message.requested_address;
      wish && pool_.is_for(*wish, client->first) && !pool_.is_taken(now, *wish, client->first)) {
    return ask_for(now, client, *wish);
  }
  return next_candidate(now, client);
}

Result<Done> DhcpServer::next_candidate(Instant now, Clients::iterator client) {
  if (client->second.candidates_left > 0) {
    if (const auto ip = pool_.find_free(now, client->first, client->second.next_offset)) {
      --client->second.candidates_left;
      return ask_for(now, client, *ip);
    }
  }
  if (client->second.awaits_mac) return Done{};  // The one that it has is left.
  ++counts_.exhausted;
  forget(client);
  return Error::Full;
}

void DhcpServer::candidate_is_free(Instant now, Clients::iterator client) {
  client->second.is_granted = true;
  if (client->second.awaits_mac) return;
  const Ipv4Address ip = client->second.ip;
  if (client->second.message.type == DhcpMessage::Type::Discover) {
    offer(client, ip);
  } else {
    const DhcpMessage request = client->second.message;
    (void)acknowledge(now, request, ip);  // A full table is counted there, and the client asks again.
  }
}

void DhcpServer::candidate_is_taken(Instant now, Clients::iterator client) {
  if (client->second.message.type == DhcpMessage::Type::Discover) {
    const bool is_reserved_one = pool_.reserved_for(client->first) == client->second.ip;
    give_back(client);
    if (is_reserved_one && !std::exchange(client->second.is_reserved_gone, true)) {
      (void)own_candidate(now, client);  // As above.
    } else {
      (void)next_candidate(now, client);
    }
  } else {
    const DhcpMessage request = client->second.message;
    forget(client);
    refuse(request, "the address is in use");
  }
}

void DhcpServer::handle_known(Instant now, const MacAddress& mac, const std::optional<Binding>& binding) {
  const auto client = clients_.find(mac);
  if (client == clients_.end() || !client->second.awaits_mac) return;
  client->second.awaits_mac = false;
  // The lowest of the MAC's addresses, so one of IPv4 if it has any.
  const bool is_usable = binding && binding->ip.is_ipv4() && service_.is_guest_address(binding->ip) &&
                         !pool_.is_taken(now, binding->ip.ipv4(), mac);
  // It has it at another host, from which it seems to come, or had it once.
  const bool is_its = is_usable && (binding->sequence > 0 || pool_.is_for(binding->ip.ipv4(), mac));
  if (is_its && binding->ip != IpAddress(client->second.ip)) {
    (void)ask_for(now, client, binding->ip.ipv4());  // RateLimited: the client asks again.
  } else if (client->second.is_granted) {
    candidate_is_free(now, client);
  } else if (client->second.ip.is_unspecified()) {
    (void)next_candidate(now, client);  // There is none, which is counted there.
  }
}

void DhcpServer::handle_answer(Instant now, const Query& query, const std::optional<Binding>& binding) {
  if (query.kind == Query::Kind::Mac) return handle_known(now, query.mac, binding);
  if (!query.claim) return;
  const auto client = clients_.find(query.claim->mac);
  if (client == clients_.end() || client->second.state != Client::State::Asking ||
      IpAddress(client->second.ip) != query.ip) {
    return;
  }
  const Ipv4Address ip = client->second.ip;
  const bool is_another = binding && binding->mac != client->first;
  if (is_another || pool_.is_in_use_here(now, ip, client->first) || !may_have(now, ip, client->first)) {
    candidate_is_taken(now, client);
  } else {
    candidate_is_free(now, client);
  }
}

void DhcpServer::handle_silence(Instant now, const Query& query) {
  if (query.kind == Query::Kind::Mac) return handle_known(now, query.mac, std::nullopt);
  if (!query.claim) return;
  const auto client = clients_.find(query.claim->mac);
  if (client != clients_.end() && client->second.state == Client::State::Asking &&
      client->second.ip == query.ip) {
    forget(client);
  }
}

std::optional<Binding> DhcpServer::handle_query(Instant now, const NodeId& own, const Query& query) {
  const auto hint = [&](const MacAddress& mac, Ipv4Address ip) {
    return Binding{.ip = ip, .mac = mac, .node = own, .sequence = 0, .expires = now + kOfferTime, .name = {}};
  };
  if (query.kind == Query::Kind::Mac) {
    const Lease* lease = leases_.find(query.mac);
    if (!lease) return std::nullopt;
    return hint(query.mac, lease->ip);
  }
  // What is only kept for a client answers no ARP.
  if (!query.claim || !query.ip.is_ipv4()) return std::nullopt;
  const MacAddress& rival = query.claim->mac;
  const Ipv4Address ip = query.ip.ipv4();
  if (const auto holder = leases_.holder(ip);
      holder && *holder != rival && leases_.find_living(now, *holder)) {
    return hint(*holder, ip);
  }
  const auto kept_for = pool_.kept_for(ip);
  if (!kept_for || *kept_for == rival) return std::nullopt;
  const auto client = clients_.find(*kept_for);
  if (client->second.state == Client::State::Offered || client->first < rival) {
    return hint(client->first, ip);
  }
  candidate_is_taken(now, client);
  return std::nullopt;
}

void DhcpServer::offer_again(Clients::iterator client, const Lease& lease) {
  client->second.deadline = std::min(client->second.deadline, lease.expires);
  offer(client, lease.ip);
}

void DhcpServer::offer(Clients::iterator client, Ipv4Address ip) {
  keep(client, ip);
  client->second.state = Client::State::Offered;
  DhcpMessage reply = reply_to(client->second.message, DhcpMessage::Type::Offer);
  reply.yiaddr = ip;
  add_times(reply, kLeaseTime);
  add_options(service_, client->second.message, name_of(client->second.message), reply);
  send(reply);
  ++counts_.offers;
}

Result<Done> DhcpServer::acknowledge(Instant now, const DhcpMessage& request, Ipv4Address ip) {
  const MacAddress& mac = request.chaddr;
  if (const auto client = clients_.find(mac); client != clients_.end()) forget(client);
  Lease lease{.ip = ip, .expires = now + kLeaseTime, .sequence = 0, .name = name_of(request)};
  if (pool_.is_reserved_for_another(ip, mac)) {  // It keeps what it has, and gets no more of it.
    lease.expires = std::min(lease.expires, pool_.held_until(now, ip, mac).value_or(now));
  }
  const Lease* old = leases_.find(mac);
  if (old) lease.sequence = old->sequence;
  const auto known = map_.find_ip(ip);
  if (old && old->ip == ip && old->name == lease.name && old->expires - now > kLeaseTime - kRecent &&
      !old->is_from_file && known && map_.is_local(mac)) {
    lease.expires = old->expires;  // Asked again at once: no reason to tell the members, or to write a file.
  } else {
    if (old && old->ip != ip && old->expires > now) {
      events_.push_back({.mac = mac, .ip = old->ip, .expires = now, .name = old->name});
    }
    if (const auto put = leases_.put(now, mac, lease); !put) {
      ++counts_.exhausted;
      return put;
    }
    events_.push_back({.mac = mac, .ip = ip, .expires = lease.expires, .name = lease.name});
  }
  DhcpMessage reply = reply_to(request, DhcpMessage::Type::Ack);
  reply.yiaddr = ip;
  add_times(reply, lease.expires - now);
  add_options(service_, request, name_of(request), reply);
  send(reply);
  ++counts_.acks;
  return Done{};
}

void DhcpServer::refuse(const DhcpMessage& request, const char* why) {
  DhcpMessage reply = reply_to(request, DhcpMessage::Type::Nak);
  reply.ciaddr = {};
  reply.message = why;
  send(reply);
  ++counts_.naks;
}

// RFC 2131, table 3.
DhcpMessage DhcpServer::reply_to(const DhcpMessage& request, DhcpMessage::Type type) const {
  DhcpMessage reply;
  reply.op = DhcpMessage::Op::Reply;
  reply.type = type;
  reply.xid = request.xid;
  reply.broadcast = request.broadcast;
  reply.chaddr = request.chaddr;
  if (request.client_id.size() <= 255) reply.client_id = request.client_id;  // RFC 6842.
  if (type == DhcpMessage::Type::Ack) reply.ciaddr = request.ciaddr;
  reply.server_id = service_.ip;
  return reply;
}

void DhcpServer::add_times(DhcpMessage& reply, Duration lease_time) {
  reply.lease_seconds = seconds(lease_time);
  reply.renewal_seconds = seconds(lease_time / 2);  // T1 and T2 as in RFC 2131, section 4.4.5.
  reply.rebinding_seconds = seconds(lease_time * 7 / 8);
}

std::string DhcpServer::name_of(const DhcpMessage& request) const {
  if (std::string name = service_.name_for(request.chaddr); !name.empty()) return name;
  if (std::string name = label_of(request.host_name); !name.empty()) return name;
  const Lease* lease = leases_.find(request.chaddr);
  return lease ? lease->name : std::string();
}

// RFC 2131, section 4.1: to the address in use; else as the client's flag says; a NAK always to all.
void DhcpServer::send(const DhcpMessage& reply) {
  Ipv4Address to = reply.yiaddr;
  MacAddress to_mac = reply.chaddr;
  if (!reply.ciaddr.is_unspecified()) {
    to = reply.ciaddr;
  } else if (reply.broadcast || reply.type == DhcpMessage::Type::Nak) {
    to = kLimitedBroadcast;
    to_mac = MacAddress::broadcast();
  }
  const Bytes message = reply.encode();
  const UdpDatagram datagram{.src_port = kDhcpServerPort, .dst_port = kDhcpClientPort, .payload = message};
  const Bytes udp = datagram.encode(service_.ip, to);
  const Ipv4Packet packet{.src = service_.ip, .dst = to, .protocol = kIpProtocolUdp, .payload = udp};
  const Bytes ip = packet.encode();
  const EthernetFrame frame{
      .header = {.dst = to_mac, .src = service_.mac, .vlan_tci = {}, .ethertype = kEtherTypeIpv4},
      .payload = ip};
  frames_.push_back(frame.encode());
}

std::optional<Bytes> DhcpServer::poll_frame() {
  if (frames_.empty()) return std::nullopt;
  Bytes frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

std::optional<Ipv4Address> DhcpServer::poll_probe() {
  if (probes_.empty()) return std::nullopt;
  const Ipv4Address ip = probes_.front();
  probes_.pop_front();
  return ip;
}

std::optional<DhcpServer::Event> DhcpServer::poll_event() {
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void DhcpServer::set_sequence(Instant now, const MacAddress& mac, uint64_t sequence) {
  const Lease* lease = leases_.find(mac);
  if (!lease) return;
  Lease updated = *lease;
  updated.sequence = sequence;
  (void)leases_.put(now, mac, updated);  // Replaces its own: cannot fail.
}

std::vector<DhcpServer::Reservation> DhcpServer::reservations() const {
  std::vector<Reservation> out;
  for (const auto& [mac, client] : clients_) {
    if (client.ip.is_unspecified()) continue;
    out.push_back({.mac = mac,
                   .ip = client.ip,
                   .is_offered = client.state == Client::State::Offered,
                   .expires = client.deadline});
  }
  return out;
}

Instant DhcpServer::next_timeout() const {
  Instant out = pool_.next_timeout();
  for (const auto& [mac, client] : clients_) out = std::min(out, client.deadline);
  return out;
}

void DhcpServer::handle_timeout(Instant now) {
  for (auto client = clients_.begin(); client != clients_.end();) {
    const auto next = std::next(client);
    if (client->second.deadline <= now) forget(client);
    client = next;
  }
  pool_.handle_timeout(now);
}

}  // namespace ipop
