// A guest as its host sees it: frames in, frames out.  It lives by DHCP (RFC 2131, section 4.4): asks, renews
// at half of its lease, and asks anew when it is refused or its lease ends.  Or it uses an address that
// somebody has written into it.  Either way it answers ARP for what it uses.
#pragma once

#include <deque>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/base/time.h"
#include "overlay/wire/dhcp.h"
#include "overlay/wire/ethernet.h"

namespace ipop::sim {

class Guest {
 public:
  static constexpr Duration kRetry = 2s;
  static constexpr Duration kAnnounce = 30s;  ///< Between two announcements of a static address.

  /// Lives by DHCP.
  explicit Guest(const MacAddress& mac) : mac_(mac) {}
  /// Uses `address`, and says so every kAnnounce.
  Guest(const MacAddress& mac, Ipv4Address address) : mac_(mac), address_(address), is_static_(true) {}

  const MacAddress& mac() const { return mac_; }
  /// What it uses now.
  const std::optional<Ipv4Address>& address() const { return address_; }
  bool is_static() const { return is_static_; }
  /// When DHCP told it last that it may use its address, if it did since the guest started, woke or was
  /// moved.
  const std::optional<Instant>& acknowledged_at() const { return acknowledged_at_; }

  /// What it says when it shuts down properly: that it gives back what DHCP gave it, if anything (RFC 2131,
  /// section 4.4.6).
  std::optional<Bytes> release() const;
  /// Boots again: what it had by DHCP is what it asks for.  By their MACs, half of all guests send another
  /// frame first, and half of either do not look for a server before they ask (INIT-REBOOT).
  void restart(Instant now);
  /// Sleeps, and its clock with it: it says nothing and hears nothing until then.
  void suspend(Instant now, Instant until);
  bool is_asleep(Instant now) const { return wake_at_ && now < *wake_at_; }
  /// Goes on, at another host or after a sleep: it uses what it used, and says so (RFC 5227, section 3).
  void go_on();

  /// What it has to send now, if anything.
  std::optional<Bytes> poll_frame(Instant now);
  /// Nothing happens for a frame that is not for it.
  void handle_frame(Instant now, ByteView frame);

 private:
  enum class State { Rebooting, Discovering, Requesting, Bound };

  void handle_arp(const EthernetFrame& frame);
  void handle_dhcp(Instant now, const EthernetFrame& frame);
  /// It uses no address of DHCP, and asks for one.
  void begin(Instant now);
  void announce();
  void show_up();
  std::optional<Bytes> poll_dhcp(Instant now);
  DhcpMessage message(DhcpMessage::Type type) const;
  Bytes frame_of(const DhcpMessage& message) const;

  MacAddress mac_;
  std::deque<Bytes> arp_;  ///< To send.
  State state_ = State::Discovering;
  std::optional<Ipv4Address> address_;
  bool is_static_ = false;
  std::optional<Instant> acknowledged_at_;
  std::optional<Ipv4Address> wish_;
  std::optional<Ipv4Address> server_;
  uint32_t xid_ = 1;
  std::optional<Instant> wake_at_;
  Instant send_at_{};
  Instant renew_at_ = kNever;
  Instant expires_ = kNever;
};

}  // namespace ipop::sim
