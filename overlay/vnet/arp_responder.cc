#include "overlay/vnet/arp_responder.h"

namespace ipop {

Result<Done> ArpResponder::handle_request(Instant now, const ArpPacket& request) {
  const Ipv4Address target = request.target_ip;
  if (target == service_.ip) {
    frames_.push_back(arp_frame(request.sender_mac, service_.mac, request.reply_from(service_.mac)));
    ++answers_;
    return Done{};
  }
  if (!service_.is_guest_address(target)) return Done{};
  if (const auto binding = map_.find_ip(target)) {
    answer(request, *binding);
    return Done{};
  }
  if (request.is_announcement()) return Done{};  // It tells, it does not ask.

  const auto key = std::pair(target, request.sender_mac);
  if (!pending_.contains(key) && pending_.size() >= kMaxPending) return Error::Full;
  const auto asked = resolver_.ask(now, {.id = 0,
                                         .kind = Query::Kind::Ip,
                                         .ip = target,
                                         .mac = {},
                                         .claim = {},
                                         .asker = map_.find_mac(request.sender_mac)});
  if (asked) pending_[key] = request;
  return asked;
}

void ArpResponder::handle_answer(const Query& query, const std::optional<Binding>& binding) {
  if (query.kind != Query::Kind::Ip || query.claim) return;
  if (binding && binding->sequence > 0) handle_binding(*binding);
  if (!query.ip.is_ipv4()) return;
  const Ipv4Address ip = query.ip.ipv4();
  const auto first = pending_.lower_bound({ip, MacAddress{}});
  auto last = first;
  while (last != pending_.end() && last->first.first == ip) ++last;
  pending_.erase(first, last);
}

void ArpResponder::handle_binding(const Binding& binding) {
  if (!binding.ip.is_ipv4()) return;
  const Ipv4Address ip = binding.ip.ipv4();
  auto waiting = pending_.lower_bound({ip, MacAddress{}});
  while (waiting != pending_.end() && waiting->first.first == ip) {
    answer(waiting->second, binding);
    waiting = pending_.erase(waiting);
  }
}

void ArpResponder::answer(const ArpPacket& request, const Binding& binding) {
  if (binding.mac == request.sender_mac || map_.is_local(binding.mac)) return;
  frames_.push_back(arp_frame(request.sender_mac, binding.mac, request.reply_from(binding.mac)));
  ++answers_;
}

std::optional<Bytes> ArpResponder::poll_frame() {
  if (frames_.empty()) return std::nullopt;
  Bytes frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

}  // namespace ipop
