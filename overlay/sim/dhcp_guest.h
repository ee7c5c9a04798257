// A guest that lives by DHCP (RFC 2131, section 4.4): asks, renews at half of its lease, and asks anew when
// it is refused or its lease ends; and answers ARP for its address.  Frames in, frames out.
#pragma once

#include <deque>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/base/time.h"
#include "overlay/wire/dhcp.h"
#include "overlay/wire/ethernet.h"

namespace ipop::sim {

class DhcpGuest {
 public:
  static constexpr Duration kRetry = 2s;

  explicit DhcpGuest(const MacAddress& mac) : mac_(mac) {}

  const MacAddress& mac() const { return mac_; }
  /// What it uses now.
  const std::optional<Ipv4Address>& address() const { return address_; }
  /// Boots again, or wakes at another host: what it had is what it asks for.
  void restart(Instant now);

  /// What it has to send now, if anything.
  std::optional<Bytes> poll_frame(Instant now);
  /// Nothing happens for a frame that is not for it.
  void handle_frame(Instant now, ByteView frame);

 private:
  enum class State { Discovering, Requesting, Bound };

  void handle_arp(const EthernetFrame& frame);
  void handle_dhcp(Instant now, const EthernetFrame& frame);
  DhcpMessage message(DhcpMessage::Type type) const;
  Bytes frame_of(const DhcpMessage& message) const;

  MacAddress mac_;
  std::deque<Bytes> replies_;
  State state_ = State::Discovering;
  std::optional<Ipv4Address> address_;
  std::optional<Ipv4Address> wish_;
  std::optional<Ipv4Address> server_;
  uint32_t xid_ = 1;
  Instant send_at_{};
  Instant renew_at_ = kNever;
  Instant expires_ = kNever;
};

}  // namespace ipop::sim
