// DHCPv4 messages: RFC 2131 for the message, RFC 2132 for its options, RFC 3396 for long ones, which come in
// pieces, and option 52, which continues the options in the fields `file` and `sname`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/wire/address.h"

namespace ipop {

inline constexpr uint16_t kDhcpServerPort = 67;
inline constexpr uint16_t kDhcpClientPort = 68;

/// What is at `to` is reached by way of `via`.
struct Ipv4Route {
  Ipv4Subnet to;
  Ipv4Address via;
  bool operator==(const Ipv4Route&) const = default;
};

/// One message, for clients on Ethernet.  Options that nobody here uses are dropped by decode().  An
/// optional, list or text that is empty means an absent option.
struct DhcpMessage {
  enum class Op : uint8_t { Request = 1, Reply = 2 };
  enum class Type : uint8_t {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
  };

  Op op = Op::Request;
  uint32_t xid = 0;
  uint16_t secs = 0;
  bool broadcast = false;  ///< The client cannot yet receive unicast.
  Ipv4Address ciaddr;      ///< What the client uses already.
  Ipv4Address yiaddr;      ///< "Your" address: what it may use.
  Ipv4Address siaddr;
  Ipv4Address giaddr;  ///< A relay; zero here.
  MacAddress chaddr;

  Type type = Type::Discover;                    ///< Option 53.
  std::optional<Ipv4Address> subnet_mask;        ///< 1.
  std::vector<Ipv4Address> dns_servers;          ///< 6, the preferred first.
  std::string host_name;                         ///< 12; as sent, without trailing NULs: judge before use.
  std::string domain_name;                       ///< 15.
  std::optional<uint16_t> mtu;                   ///< 26, in octets of an IP packet.
  std::optional<Ipv4Address> broadcast_address;  ///< 28.
  std::vector<Ipv4Address> ntp_servers;          ///< 42, the preferred first.
  std::optional<Ipv4Address> requested_address;  ///< 50.
  std::optional<uint32_t> lease_seconds;         ///< 51.
  std::optional<Ipv4Address> server_id;          ///< 54.
  Bytes parameter_list;                          ///< 55, option codes.
  std::string message;                           ///< 56, why a NAK.
  std::optional<uint16_t> max_size;              ///< 57.
  std::optional<uint32_t> renewal_seconds;       ///< 58, T1.
  std::optional<uint32_t> rebinding_seconds;     ///< 59, T2.
  Bytes client_id;                               ///< 61.
  Bytes search_domain;                           ///< 119, encoded as in DNS (RFC 3397).
  std::vector<Ipv4Route> routes;                 ///< 121, classless static routes (RFC 3442).

  bool operator==(const DhcpMessage&) const = default;

  /// From a client that uses no address yet: it has none, or wishes for the one that it had before it started
  /// (RFC 2131, section 4.3.2, INIT-REBOOT).
  bool begins_anew() const {
    const bool is_wish = type == Type::Request && requested_address && !server_id && ciaddr.is_unspecified();
    return type == Type::Discover || is_wish;
  }

  /// The payload of a UDP datagram.  Not an Ethernet client, or options that contradict themselves:
  /// Malformed; BOOTP (no option 53) or a type above 8: UnknownType.
  static Result<DhcpMessage> decode(ByteView payload);
  /// At least 300 octets: the smallest BOOTP message, below which some clients and relays drop.
  /// REQUIRES: the host part of each route's `to` is zero.
  Bytes encode() const;
};

}  // namespace ipop
