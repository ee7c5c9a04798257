#include "overlay/vnet/nd_responder.h"

namespace ipop {

Result<Done> NdResponder::handle_solicitation(Instant now, const MacAddress& mac, const Ipv6Address& src,
                                              const NeighbourSolicitation& solicitation) {
  const Ipv6Address& target = solicitation.target;
  if (service_.is_own_address(target)) {
    answer(target, service_.mac, mac, src);
    return Done{};
  }
  const bool is_probe = src.is_unspecified();
  if (const auto binding = map_.find_ip(target)) {
    if (is_probe && binding->mac == mac) claims_.push_back({.mac = mac, .ip = target});
    answer_from(*binding, mac, src);
    return Done{};
  }
  const std::pair key(target, mac);
  if (!pending_.contains(key) && pending_.size() >= kMaxPending) return Error::Full;
  const auto asked = resolver_.ask(
      now,
      {.id = 0, .kind = Query::Kind::Ip, .ip = target, .mac = {}, .claim = {}, .asker = map_.find_mac(mac)});
  if (asked) pending_[key] = src;
  return asked;
}

void NdResponder::handle_answer(const Query& query, const std::optional<Binding>& binding) {
  if (query.kind != Query::Kind::Ip || query.ip.is_ipv4()) return;
  if (binding && binding->sequence > 0) handle_binding(*binding);
  const Ipv6Address target = query.ip.ipv6();
  for (auto waiting = pending_.lower_bound({target, MacAddress{}});
       waiting != pending_.end() && waiting->first.first == target; waiting = pending_.erase(waiting)) {
    if (waiting->second.is_unspecified()) claims_.push_back({.mac = waiting->first.second, .ip = target});
  }
}

void NdResponder::handle_binding(const Binding& binding) {
  if (binding.ip.is_ipv4()) return;
  const Ipv6Address target = binding.ip.ipv6();
  for (auto waiting = pending_.lower_bound({target, MacAddress{}});
       waiting != pending_.end() && waiting->first.first == target; waiting = pending_.erase(waiting)) {
    answer_from(binding, waiting->first.second, waiting->second);
  }
}

void NdResponder::answer_from(const Binding& binding, const MacAddress& asker, const Ipv6Address& asker_ip) {
  if (binding.mac == asker || map_.is_local(binding.mac)) return;
  answer(binding.ip.ipv6(), binding.mac, asker, asker_ip);
}

// RFC 4861, section 7.2.4.  To who probes the answer is for all nodes, since it has no address yet; but the
// frame goes to it alone.
void NdResponder::answer(const Ipv6Address& target, const MacAddress& target_mac, const MacAddress& asker,
                         const Ipv6Address& asker_ip) {
  const bool is_probe = asker_ip.is_unspecified();
  const Ipv6Address dst = is_probe ? kAllNodes : asker_ip;
  const NeighbourAdvertisement advertisement{.is_router = false,
                                             .is_solicited = !is_probe,
                                             .overrides = true,
                                             .target = target,
                                             .target_mac = target_mac};
  frames_.push_back(nd_frame(asker, target_mac, dst, target, advertisement.encode(target, dst)));
  ++answers_;
}

std::optional<Bytes> NdResponder::poll_frame() {
  if (frames_.empty()) return std::nullopt;
  Bytes frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

std::optional<NdResponder::Claim> NdResponder::poll_claim() {
  if (claims_.empty()) return std::nullopt;
  const Claim claim = claims_.front();
  claims_.pop_front();
  return claim;
}

}  // namespace ipop
