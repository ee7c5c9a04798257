// The host that the service address seems to be: answers the packets that guests of this host send to it,
// which are pings and questions to the name server.  (ARP, neighbour discovery and DHCP are answered by
// machines of their own.)  A calculation: no I/O.
#pragma once

#include <deque>
#include <optional>

#include "overlay/vnet/dns_responder.h"
#include "overlay/vnet/service.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/inet.h"

namespace ipop {

class ServiceHost {
 public:
  /// The references outlive the host.
  ServiceHost(const Service& service, const AddressMap& map) : service_(service), dns_(service, map) {}

  /// An untagged frame of a local guest to the service's MAC.  UnexpectedMessage: nothing here answers that.
  /// RateLimited: pings, more than 1000 a second after a burst of 1000; questions, as DnsResponder.
  /// NotAllowed: a ping that is larger than guests were told packets may be.
  Result<Done> handle_frame(Instant now, const EthernetFrame& frame);

  /// The next Ethernet frame for the guests.
  std::optional<Bytes> poll_frame();
  const DnsResponder::Counts& dns() const { return dns_.counts(); }
  uint64_t echoes() const { return echoes_; }

 private:
  Result<Done> handle_ipv4(Instant now, const EthernetFrame& frame);
  Result<Done> handle_ipv6(Instant now, const EthernetFrame& frame);
  /// The payload of the IP packet that answers.
  Result<Bytes> answer(Instant now, const Ipv4Packet& packet);
  Result<Bytes> answer(Instant now, const Ipv6Packet& packet);
  Result<Done> take_echo(Instant now, size_t size);
  void send(const EthernetFrame& request, ByteView packet);

  const Service& service_;
  DnsResponder dns_;
  TokenBucket echo_rate_{1ms, 1000};
  std::deque<Bytes> frames_;
  uint64_t echoes_ = 0;
};

}  // namespace ipop
