// The host that the service address seems to be: answers the packets that guests of this host send to it,
// which are pings and questions to the name server.  (ARP, neighbour discovery and DHCP are answered by
// machines of their own.)  A question about a name that is not known here waits until the network has said
// who has it.  A calculation: no I/O.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "overlay/vnet/dns_responder.h"
#include "overlay/vnet/frame_hold.h"
#include "overlay/vnet/resolver.h"
#include "overlay/vnet/service.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/inet.h"

namespace ipop {

class ServiceHost {
 public:
  /// The references outlive the host.
  ServiceHost(const Service& service, const AddressMap& map, Resolver& resolver)
      : service_(service), resolver_(resolver), dns_(service, map) {}

  /// An untagged frame of a local guest to the service's MAC.  UnexpectedMessage: nothing here answers that.
  /// RateLimited: pings, more than 1000 a second after a burst of 1000; questions, as DnsResponder.
  /// NotAllowed: a ping that is larger than guests were told packets may be.
  Result<Done> handle_frame(Instant now, const EthernetFrame& frame);

  /// A query of the Resolver's is settled, ours or not, and the map knows what is known; or nothing came.
  void handle_answer(Instant now, const Query& query, bool was_answered);
  Instant next_timeout() const { return waiting_.next_timeout(); }
  void handle_timeout(Instant now) { (void)waiting_.handle_timeout(now); }

  /// The next Ethernet frame for the guests.
  std::optional<Bytes> poll_frame();
  const DnsResponder::Counts& dns() const { return dns_.counts(); }
  uint64_t echoes() const { return echoes_; }

 private:
  /// What a question to the name server waits for.
  using Topic = std::pair<std::string, IpAddress>;
  static Topic topic_of(const Query& query) { return {query.name, query.ip}; }

  /// `was_asked`: as for DnsResponder::answer().
  Result<Done> answer_frame(Instant now, const EthernetFrame& frame, bool was_asked);
  Result<Done> handle_ipv4(Instant now, const EthernetFrame& frame, bool was_asked);
  Result<Done> handle_ipv6(Instant now, const EthernetFrame& frame, bool was_asked);
  /// The payload of the IP packet that answers.
  Result<Bytes> answer(Instant now, const Ipv4Packet& packet, bool was_asked);
  Result<Bytes> answer(Instant now, const Ipv6Packet& packet, bool was_asked);
  Result<Done> take_echo(Instant now, size_t size);
  void send(const EthernetFrame& request, ByteView packet);

  const Service& service_;
  Resolver& resolver_;
  DnsResponder dns_;
  FrameHold<Topic> waiting_;
  TokenBucket echo_rate_{1ms, 1000};
  std::deque<Bytes> frames_;
  uint64_t echoes_ = 0;
};

}  // namespace ipop
