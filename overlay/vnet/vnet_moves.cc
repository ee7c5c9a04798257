// The part of Vnet that has to do with guests that come from other hosts and go to them.
#include "overlay/vnet/vnet.h"
#include "overlay/wire/arp.h"

namespace ipop {

Result<Done> Vnet::expect(Instant now, const MacAddress& mac) {
  if (mac == service_.mac) return refuse(Error::NotAllowed);
  if (map_.is_local(mac)) return Done{};
  const auto expected = expected_.expect(now, mac);
  if (!expected) return refuse(expected.error());
  ask_for_expected(now);
  return Done{};
}

Result<Done, Problem> Vnet::introduce(const Introduction& guest) {
  if (guest.ip) {
    const std::string ip = guest.ip->to_string();
    if (!service_.is_guest_address(*guest.ip))
      return Problem{ip + " is no address for guests of this network"};
    if (!dhcp_.may_give(*guest.ip))
      return Problem{ip + " is not among the addresses that this host may give"};
    const auto set = service_.settings->reserved.find(*guest.ip);
    if (set != service_.settings->reserved.end() && set->second != guest.mac) {
      return Problem{ip + " is reserved for " + set->second.to_string() + " by the network's settings"};
    }
  }
  return service_.introduced.add(guest);
}

/// The answer comes as any binding does.
void Vnet::ask_for_expected(Instant now) {
  while (const auto mac = expected_.poll_question()) {
    const auto asked = resolver_.ask(
        now, {.id = 0, .kind = Query::Kind::Mac, .ip = {}, .mac = *mac, .claim = {}, .asker = std::nullopt});
    if (!asked) (void)refuse(asked.error());
  }
}

/// Our guest is elsewhere.
void Vnet::handle_departure(Instant now, const Binding& binding, const std::vector<IpAddress>& had) {
  ++moved_away_;
  movers_.handle_departure(now, binding.mac, had);
  departures_.push_back(binding.mac);
  // What we were about to say of it is overtaken.
  std::erase_if(announcements_,
                [&](const Binding& one) { return one.mac == binding.mac && one.expires > now; });
  notify({}, binding.mac);  // Those who talk with it have a link with us.
  // Or it came here from there while neither host could hear the other: then it answers, and is bound anew.
  for (const IpAddress& ip : had) {
    if (ask_back_rate_.take(now)) ask_guest(binding.mac, ip);
  }
  // The switch looks for it at its old port until it hears it from ours.
  guest_frames_.push_back(arp_frame(MacAddress::broadcast(), binding.mac,
                                    {.operation = ArpPacket::Operation::ReverseRequest,
                                     .sender_mac = binding.mac,
                                     .sender_ip = {},
                                     .target_mac = binding.mac,
                                     .target_ip = {}}));
  dhcp_.handle_moved_away(binding.mac);
  if (log_rate_.take(now)) {
    log_.info("Guest " + binding.mac.to_string() + " has moved to " + binding.node.to_short_string());
  }
}

void Vnet::remember(Instant now, const Binding& former) {
  const bool is_address = former.ip.is_ipv4() && service_.is_guest_address(former.ip);
  if (is_address && map_.is_local(former.mac)) dhcp_.remember(now, former.mac, former.ip.ipv4());
}

bool Vnet::outbid(Instant now, const Binding& claim) {
  if (!movers_.is_to_outbid(now, claim)) return false;
  movers_.note_outbid(claim.mac);
  Binding ours = *map_.find_mac(claim.mac);
  ours.sequence = next_sequence(claim.sequence);
  if (const auto raised = map_.upsert(now, ours); !raised) (void)refuse(raised.error());
  dhcp_.set_sequence(now, claim.mac, ours.sequence);
  announce(claim.mac);
  notify(claim.node, claim.mac);
  return true;
}

/// Where a guest is.  What was merely seen is no news.
void Vnet::notify(const std::optional<NodeId>& to, const MacAddress& mac) {
  auto binding = map_.find_mac(mac);
  if (!binding || binding->sequence == 0) return;
  binding->ip = {};
  notices_.push_back({.to = to, .binding = std::move(*binding)});
}

/// A frame for a guest that is elsewhere, mostly one that was here, from the host of its sender.  What a host
/// passes on is not from its sender's, so that nothing goes round in circles.
bool Vnet::pass_on(Instant now, const NodeId& from, const EthernetHeader& header, ByteView frame) {
  if (header.dst.is_group()) return false;
  const auto known = map_.find_mac(header.dst);
  if (!known || known->node == own_ || known->node == from) return false;
  if (map_.find_mac(header.src).value_or(Binding{}).node != from) return false;
  ++passed_on_;
  send_to(known->node, frame);
  if (pass_on_rate_.take(now)) notify(from, header.dst);
  return true;
}

/// Where the guest was says where it has gone; its MAC, whatever addresses it has.
Result<Done> Vnet::handle_redirection(Instant now, const NodeId& from, const Binding& binding) {
  const auto known = map_.find_mac(binding.mac);
  if (movers_.is_newcomer(now, binding.mac)) {
    (void)outbid(now, binding);  // Where it was before it came here, by one who knows more of that than we.
    return Done{};
  }
  if (!known) return Error::NotAllowed;     // To all its peers, of which some do not care: no offence.
  if (binding.node == own_) return Done{};  // From us they know.
  if (binding.node == known->node && binding.sequence <= known->sequence) return Done{};
  if (known->node != from || binding.sequence <= known->sequence) return refuse(Error::NotAllowed);
  Binding believed = binding;
  believed.ip = {};
  believed.name.clear();
  const auto learned = learn_remote(now, believed);
  if (!learned) return refuse(learned.error());
  return learned;
}

void Vnet::raise_sequence(Instant now, const MacAddress& mac, uint64_t sequence) {
  movers_.handle_known(mac);
  auto known = map_.find_mac(mac);
  if (!known || known->sequence >= sequence) return;
  if (known->node != own_) known->expires = now + kIdleTime;
  known->node = own_;
  known->sequence = sequence;
  if (const auto raised = map_.upsert(now, *known); !raised) (void)refuse(raised.error());
  dhcp_.set_sequence(now, mac, sequence);
}

}  // namespace ipop
