#include "overlay/vnet/service_host.h"

#include "overlay/wire/icmpv6.h"

namespace ipop {

namespace {

/// The payload of a UDP datagram to the name server.
std::optional<ByteView> question_in(const EthernetFrame& frame) {
  const auto of = [](const auto& packet) -> std::optional<ByteView> {
    if (!packet) return std::nullopt;
    const auto datagram = UdpDatagram::decode(*packet);
    if (!datagram || datagram->dst_port != kDnsPort) return std::nullopt;
    return datagram->payload;
  };
  if (frame.header.ethertype == kEtherTypeIpv4) return of(Ipv4Packet::decode(frame.payload));
  if (frame.header.ethertype == kEtherTypeIpv6) return of(Ipv6Packet::decode(frame.payload));
  return std::nullopt;
}

}  // namespace

Result<Done> ServiceHost::handle_frame(Instant now, const EthernetFrame& frame) {
  const auto question = question_in(frame);
  const auto query = question ? dns_.lacks(*question) : std::nullopt;
  if (!query) return answer_frame(now, frame, true);
  const bool waits = resolver_.ask(now, *query) && waiting_.hold(now, topic_of(*query), frame.encode());
  return waits ? Done{} : answer_frame(now, frame, false);
}

void ServiceHost::handle_answer(Instant now, const Query& query, bool was_answered) {
  if (query.kind == Query::Kind::Mac || query.claim) return;
  for (const Bytes& held : waiting_.release(topic_of(query))) {
    if (const auto frame = EthernetFrame::decode(held)) (void)answer_frame(now, *frame, was_answered);
  }
}

Result<Done> ServiceHost::answer_frame(Instant now, const EthernetFrame& frame, bool was_asked) {
  switch (frame.header.ethertype) {
    case kEtherTypeIpv4:
      return handle_ipv4(now, frame, was_asked);
    case kEtherTypeIpv6:
      return handle_ipv6(now, frame, was_asked);
    default:
      return Error::UnexpectedMessage;
  }
}

Result<Done> ServiceHost::handle_ipv4(Instant now, const EthernetFrame& frame, bool was_asked) {
  const auto packet = Ipv4Packet::decode(frame.payload);
  if (!packet) return packet.error();
  if (packet->dst != service_.ip) return Error::UnexpectedMessage;
  const auto payload = answer(now, *packet, was_asked);
  if (!payload) return payload.error();
  send(frame, Ipv4Packet{.src = packet->dst,
                         .dst = packet->src,
                         .protocol = packet->protocol,
                         .tos = packet->tos,
                         .payload = *payload}
                  .encode());
  return Done{};
}

Result<Done> ServiceHost::handle_ipv6(Instant now, const EthernetFrame& frame, bool was_asked) {
  const auto packet = Ipv6Packet::decode(frame.payload);
  if (!packet) return packet.error();
  if (!service_.is_own_address(packet->dst) || packet->src.is_unspecified()) return Error::UnexpectedMessage;
  const auto payload = answer(now, *packet, was_asked);
  if (!payload) return payload.error();
  send(frame, Ipv6Packet{.src = packet->dst,
                         .dst = packet->src,
                         .protocol = packet->protocol,
                         .traffic_class = packet->traffic_class,
                         .payload = *payload}
                  .encode());
  return Done{};
}

Result<Bytes> ServiceHost::answer(Instant now, const Ipv4Packet& packet, bool was_asked) {
  if (packet.protocol == kIpProtocolIcmp) {
    auto echo = IcmpEcho::decode(packet.payload);
    if (!echo) return echo.error();
    if (echo->is_reply) return Error::UnexpectedMessage;
    if (const auto taken = take_echo(now, echo->data.size()); !taken) return taken.error();
    echo->is_reply = true;
    return echo->encode();
  }
  const auto datagram = UdpDatagram::decode(packet);
  if (!datagram || datagram->dst_port != kDnsPort) return Error::UnexpectedMessage;
  const auto message = dns_.answer(now, datagram->payload, was_asked);
  if (!message) return message;
  return UdpDatagram{.src_port = kDnsPort, .dst_port = datagram->src_port, .payload = *message}.encode(
      packet.dst, packet.src);
}

Result<Bytes> ServiceHost::answer(Instant now, const Ipv6Packet& packet, bool was_asked) {
  if (packet.protocol == kIpProtocolIcmpv6) {
    auto message = Icmpv6Message::decode(packet);
    if (!message) return message.error();
    if (message->type != Icmpv6Message::kEchoRequest || message->code != 0) return Error::UnexpectedMessage;
    if (message->body.size() < 4) return Error::Malformed;  // | identifier (2) | sequence (2) | data |
    if (const auto taken = take_echo(now, message->body.size() - 4); !taken) return taken.error();
    message->type = Icmpv6Message::kEchoReply;
    return message->encode(packet.dst, packet.src);
  }
  const auto datagram = UdpDatagram::decode(packet);
  if (!datagram || datagram->dst_port != kDnsPort) return Error::UnexpectedMessage;
  const auto message = dns_.answer(now, datagram->payload, was_asked);
  if (!message) return message;
  return UdpDatagram{.src_port = kDnsPort, .dst_port = datagram->src_port, .payload = *message}.encode(
      packet.dst, packet.src);
}

Result<Done> ServiceHost::take_echo(Instant now, size_t size) {
  if (size > service_.mtu) return Error::NotAllowed;
  if (!echo_rate_.take(now)) return Error::RateLimited;
  ++echoes_;
  return Done{};
}

void ServiceHost::send(const EthernetFrame& request, ByteView packet) {
  const EthernetFrame frame{.header = {.dst = request.header.src,
                                       .src = service_.mac,
                                       .vlan_tci = {},
                                       .ethertype = request.header.ethertype},
                            .payload = packet};
  frames_.push_back(frame.encode());
}

std::optional<Bytes> ServiceHost::poll_frame() {
  if (frames_.empty()) return std::nullopt;
  Bytes frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

}  // namespace ipop
