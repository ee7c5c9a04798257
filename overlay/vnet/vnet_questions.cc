// The part of Vnet that asks the network and answers its questions: whose an address, a MAC or a name is.
#include "overlay/vnet/vnet.h"

namespace ipop {

Result<Done> Vnet::handle_answer(Instant now, uint64_t id, const std::optional<Binding>& answer) {
  const Query* open = resolver_.find(id);
  std::optional<Binding> binding = answer;
  if (binding) {
    if (binding->node == own_) return refuse(Error::Self);
    if (open && !is_about(*open, *binding)) {
      return refuse(Error::Malformed);  // Not an answer to this; others may still come.
    }
    if (binding->sequence > 0) {
      if (const auto learned = learn_remote(now, *binding); !learned) {
        (void)refuse(learned.error());
        if (learned.error() != Error::Conflict && !(open && open->claim)) return learned;
        if (open) binding = reconcile(*open, *binding);
      }
    }
  }
  const auto query = resolver_.handle_answer(id);
  if (!query) {
    if (answer) return Done{};
    return refuse(Error::UnexpectedMessage);
  }
  if (query->claim && (!binding || binding->mac == query->claim->mac)) forget_stale(now, *query);
  conclude(now, *query, binding, true);
  return Done{};
}

/// An answer that contradicts the map.  Where a guest is, and what it is called, the map knows better.  Whose
/// an address is that a guest of ours wants, the answer does; and so it does if the map has it as nobody's,
/// or knows no address of the guest, or none of IPv4, which is what DHCP asks for.
std::optional<Binding> Vnet::reconcile(const Query& query, const Binding& answer) const {
  if (query.claim) return answer;
  auto known = find(query);
  if (!known && query.kind == Query::Kind::Ip) return answer;
  const bool has_ipv4 = known && known->ip.is_ipv4() && !known->ip.is_unspecified();
  if (known && query.kind == Query::Kind::Mac && !has_ipv4) known->ip = answer.ip;
  return known;
}

/// The network has granted what the map has as another's, elsewhere, who has given it back.
void Vnet::forget_stale(Instant now, const Query& claim) {
  const auto holder = map_.find_ip(claim.ip);
  if (holder && holder->node != own_ && holder->mac != claim.claim->mac)
    map_.erase(now, holder->mac, claim.ip);
}

bool Vnet::is_about(const Query& query, const Binding& binding) {
  switch (query.kind) {
    case Query::Kind::Ip:
      return binding.ip == query.ip;
    case Query::Kind::Mac:
      return binding.mac == query.mac;
    case Query::Kind::Name:
      return to_lower(binding.name) == query.name;
  }
  return false;
}

/// What the map knows.  Of a name, the guest's binding with an address of the family that is wanted, if there
/// is one.
std::optional<Binding> Vnet::find(const Query& query) const {
  switch (query.kind) {
    case Query::Kind::Ip:
      return map_.find_ip(query.ip);
    case Query::Kind::Mac:
      return map_.find_mac(query.mac);
    case Query::Kind::Name:
      break;
  }
  const auto mac = map_.find_name(query.name);
  if (!mac) return std::nullopt;
  for (const IpAddress& address : map_.addresses(*mac)) {
    const bool is_link_local = !address.is_ipv4() && address.ipv6().is_link_local();
    if (address.is_ipv4() == query.ip.is_ipv4() && !is_link_local) return map_.find_ip(address);
  }
  return map_.find_mac(*mac);
}

void Vnet::conclude(Instant now, const Query& query, const std::optional<Binding>& binding,
                    bool was_answered) {
  arp_.handle_answer(query, binding);
  nd_.handle_answer(query, binding);
  dhcp_.handle_answer(now, query, binding);
  if (query.kind == Query::Kind::Mac) {
    for (const Bytes& frame : hold_.release(query.mac)) {
      if (binding && binding->node != own_ && binding->sequence > 0) {
        send_to(binding->node, frame);
      } else {
        ++hold_expired_;
      }
    }
  }
  host_.handle_answer(now, query, was_answered);
  drain_dhcp(now);
  drain_nd_claims(now);
}

std::optional<Binding> Vnet::handle_query(Instant now, const NodeId& from, const Query& query) {
  if (query.asker && query.asker->sequence > 0) {
    if (query.asker->node != from) {
      (void)refuse(Error::NotAllowed);
    } else if (const auto learned = learn_remote(now, *query.asker); !learned) {
      (void)refuse(learned.error());
    }
  }
  if (query.kind == Query::Kind::Ip && !service_.is_guest_address(query.ip)) return std::nullopt;
  const auto known = find(query);
  if (known && known->node == own_) return known;
  if (query.kind == Query::Kind::Name) return std::nullopt;
  auto reserved = dhcp_.handle_query(now, own_, query);
  drain_dhcp(now);
  if (reserved) return reserved;
  // A guest that has been silent so far may hold it: our guests are asked, and the member will ask again.
  if (query.kind == Query::Kind::Ip && !known && ask_rate_.take(now)) {
    ask_guest(MacAddress::broadcast(), query.ip);
  }
  return std::nullopt;
}

}  // namespace ipop
