#include "overlay/sim/dhcp_guest.h"

#include "overlay/wire/arp.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/inet.h"

namespace ipop::sim {

void DhcpGuest::restart(Instant now) {
  replies_.clear();
  if (address_) wish_ = address_;
  address_.reset();
  state_ = State::Discovering;
  send_at_ = now;
}

std::optional<Bytes> DhcpGuest::poll_frame(Instant now) {
  if (!replies_.empty()) {
    Bytes out = std::move(replies_.front());
    replies_.pop_front();
    return out;
  }
  if (state_ == State::Bound) {
    if (now >= expires_) {
      restart(now);
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
  DhcpMessage discover = message(DhcpMessage::Type::Discover);
  discover.requested_address = wish_;
  return frame_of(discover);
}

void DhcpGuest::handle_frame(Instant now, ByteView bytes) {
  const auto frame = EthernetFrame::decode(bytes);
  if (!frame) return;
  if (frame->header.ethertype == kEtherTypeArp) handle_arp(*frame);
  if (frame->header.ethertype == kEtherTypeIpv4) handle_dhcp(now, *frame);
}

void DhcpGuest::handle_arp(const EthernetFrame& frame) {
  const auto request = ArpPacket::decode(frame.payload);
  const bool is_for_us = frame.header.dst == mac_ || frame.header.dst == MacAddress::broadcast();
  if (!is_for_us || !request || request->operation != ArpPacket::Operation::Request || !address_ ||
      request->target_ip != *address_) {
    return;
  }
  replies_.push_back(arp_frame(request->sender_mac, mac_,
                               {.operation = ArpPacket::Operation::Reply,
                                .sender_mac = mac_,
                                .sender_ip = *address_,
                                .target_mac = request->sender_mac,
                                .target_ip = request->sender_ip}));
}

void DhcpGuest::handle_dhcp(Instant now, const EthernetFrame& frame) {
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
      expires_ = now + std::chrono::seconds(reply->lease_seconds.value_or(0));
      renew_at_ = now + (expires_ - now) / 2;
      return;
    case DhcpMessage::Type::Nak:
      wish_.reset();
      address_.reset();
      state_ = State::Discovering;
      send_at_ = now;
      return;
    default:
      return;
  }
}

DhcpMessage DhcpGuest::message(DhcpMessage::Type type) const {
  DhcpMessage out;
  out.type = type;
  out.xid = xid_;
  out.chaddr = mac_;
  out.parameter_list = {1, 26, 28};
  return out;
}

Bytes DhcpGuest::frame_of(const DhcpMessage& message) const {
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
