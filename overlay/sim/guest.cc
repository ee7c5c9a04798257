#include "overlay/sim/guest.h"

#include "overlay/wire/arp.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/inet.h"

namespace ipop::sim {

std::optional<Bytes> Guest::release() const {
  if (is_static_ || state_ != State::Bound) return std::nullopt;
  DhcpMessage out = message(DhcpMessage::Type::Release);
  out.ciaddr = *address_;
  out.server_id = server_;
  return frame_of(out);
}

void Guest::restart(Instant now) {
  begin(now);
  if (is_static_) return;
  if (mac_.bytes[5] & 1) show_up();
  if (wish_ && mac_.bytes[5] & 2) state_ = State::Rebooting;
}

void Guest::begin(Instant now) {
  arp_.clear();
  acknowledged_at_.reset();
  wake_at_.reset();
  send_at_ = now;
  if (is_static_) return;
  if (address_) wish_ = address_;
  address_.reset();
  state_ = State::Discovering;
}

void Guest::suspend(Instant now, Instant until) {
  arp_.clear();
  wake_at_ = until;
  if (state_ != State::Bound) return;
  renew_at_ += until - now;
  expires_ += until - now;
}

void Guest::go_on() {
  wake_at_.reset();
  acknowledged_at_.reset();
  if (address_) announce();
}

std::optional<Bytes> Guest::poll_frame(Instant now) {
  if (is_asleep(now)) return std::nullopt;
  if (wake_at_) go_on();
  if (is_static_ && now >= send_at_) {
    send_at_ = now + kAnnounce;
    announce();
  }
  if (!arp_.empty()) {
    Bytes out = std::move(arp_.front());
    arp_.pop_front();
    return out;
  }
  return is_static_ ? std::nullopt : poll_dhcp(now);
}

void Guest::announce() {
  arp_.push_back(arp_frame(MacAddress::broadcast(), mac_,
                           {.operation = ArpPacket::Operation::Request,
                            .sender_mac = mac_,
                            .sender_ip = *address_,
                            .target_mac = {},
                            .target_ip = *address_}));
}

/// As any first frame, it says where the guest is, and no address.
void Guest::show_up() {
  arp_.push_back(arp_frame(MacAddress::broadcast(), mac_,
                           {.operation = ArpPacket::Operation::ReverseRequest,
                            .sender_mac = mac_,
                            .sender_ip = {},
                            .target_mac = mac_,
                            .target_ip = {}}));
}

std::optional<Bytes> Guest::poll_dhcp(Instant now) {
  if (state_ == State::Bound) {
    if (now >= expires_) {
      begin(now);
    } else if (now < renew_at_) {
      return std::nullopt;
    }
  }
  if (now < send_at_) return std::nullopt;
  send_at_ = now + kRetry;
  ++xid_;
  if (state_ == State::Bound) {
    DhcpMessage renewal = message(DhcpMessage::Type::Request);
    renewal.ciaddr = *address_;
    return frame_of(renewal);
  }
  if (state_ == State::Requesting) {
    state_ = State::Discovering;  // Unless it is answered.
    DhcpMessage request = message(DhcpMessage::Type::Request);
    request.requested_address = wish_;
    request.server_id = server_;
    return frame_of(request);
  }
  if (state_ == State::Rebooting) {
    state_ = State::Discovering;  // Likewise.
    DhcpMessage request = message(DhcpMessage::Type::Request);
    request.requested_address = wish_;
    return frame_of(request);
  }
  DhcpMessage discover = message(DhcpMessage::Type::Discover);
  discover.requested_address = wish_;
  return frame_of(discover);
}

void Guest::handle_frame(Instant now, ByteView bytes) {
  if (is_asleep(now)) return;
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame) return;
  if (frame->header.ethertype == kEtherTypeArp) handle_arp(*frame);
  if (frame->header.ethertype == kEtherTypeIpv4 && !is_static_) handle_dhcp(now, *frame);
}

void Guest::handle_arp(const EthernetFrame& frame) {
  const auto request = ArpPacket::decode(frame.payload);
  const bool is_for_us = frame.header.dst == mac_ || frame.header.dst == MacAddress::broadcast();
  if (!is_for_us || !request || request->operation != ArpPacket::Operation::Request || !address_ ||
      request->target_ip != *address_) {
    return;
  }
  arp_.push_back(arp_frame(request->sender_mac, mac_,
                           {.operation = ArpPacket::Operation::Reply,
                            .sender_mac = mac_,
                            .sender_ip = *address_,
                            .target_mac = request->sender_mac,
                            .target_ip = request->sender_ip}));
}

void Guest::handle_dhcp(Instant now, const EthernetFrame& frame) {
  const auto packet = Ipv4Packet::decode(frame.payload);
  if (!packet) return;
  const auto datagram = UdpDatagram::decode(*packet);
  if (!datagram || datagram->dst_port != kDhcpClientPort) return;
  const auto reply = DhcpMessage::decode(datagram->payload);
  if (!reply || reply->chaddr != mac_) return;
  switch (reply->type) {
    case DhcpMessage::Type::Offer:
      if (state_ != State::Discovering) return;
      state_ = State::Requesting;
      wish_ = reply->yiaddr;
      server_ = reply->server_id;
      send_at_ = now;
      return;
    case DhcpMessage::Type::Ack:
      if (state_ == State::Bound && address_ != reply->yiaddr) return;
      state_ = State::Bound;
      address_ = wish_ = reply->yiaddr;
      acknowledged_at_ = now;
      expires_ = now + std::chrono::seconds(reply->lease_seconds.value_or(0));
      renew_at_ = now + (expires_ - now) / 2;
      return;
    case DhcpMessage::Type::Nak:
      wish_.reset();
      address_.reset();
      acknowledged_at_.reset();
      state_ = State::Discovering;
      send_at_ = now;
      return;
    default:
      return;
  }
}

DhcpMessage Guest::message(DhcpMessage::Type type) const {
  DhcpMessage out;
  out.type = type;
  out.xid = xid_;
  out.chaddr = mac_;
  out.parameter_list = {1, 26, 28};
  return out;
}

Bytes Guest::frame_of(const DhcpMessage& message) const {
  const Bytes payload = message.encode();
  const Bytes udp =
      UdpDatagram{.src_port = kDhcpClientPort, .dst_port = kDhcpServerPort, .payload = payload}.encode(
          message.ciaddr, kLimitedBroadcast);
  const Bytes packet =
      Ipv4Packet{.src = message.ciaddr, .dst = kLimitedBroadcast, .protocol = kIpProtocolUdp, .payload = udp}
          .encode();
  return EthernetFrame{
      .header = {.dst = MacAddress::broadcast(), .src = mac_, .vlan_tci = {}, .ethertype = kEtherTypeIpv4},
      .payload = packet}
      .encode();
}

}  // namespace ipop::sim
