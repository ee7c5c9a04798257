// Addresses of guests (MAC, IPv4, IPv6) and of hosts on the Internet (Endpoint).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "overlay/base/bytes.h"
#include "overlay/base/octets.h"

namespace ipop {

struct MacAddress {
  std::array<uint8_t, 6> bytes{};

  static constexpr MacAddress broadcast() { return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }

  bool operator==(const MacAddress& other) const { return equal_octets(bytes, other.bytes); }
  auto operator<=>(const MacAddress& other) const { return compare_octets(bytes, other.bytes); }
  /// The group bit of IEEE 802: multicast or broadcast.
  bool is_group() const { return (bytes[0] & 1) != 0; }
  bool is_zero() const { return *this == MacAddress{}; }
  /// "52:54:00:12:34:56".
  std::string to_string() const;
  /// The same notation, in any case of letters.
  static std::optional<MacAddress> parse(std::string_view text);
};

struct Ipv4Address {
  uint32_t value = 0;  ///< In host order: 10.0.0.1 is 0x0a000001.

  auto operator<=>(const Ipv4Address&) const = default;
  bool is_unspecified() const { return value == 0; }
  std::string to_string() const;
  static std::optional<Ipv4Address> parse(std::string_view text);
};

struct Ipv6Address {
  std::array<uint8_t, 16> bytes{};

  bool operator==(const Ipv6Address& other) const { return equal_octets(bytes, other.bytes); }
  auto operator<=>(const Ipv6Address& other) const { return compare_octets(bytes, other.bytes); }
  bool is_unspecified() const { return *this == Ipv6Address{}; }
  bool is_multicast() const { return bytes[0] == 0xff; }
  /// fe80::/64 (RFC 4291, section 2.5.6).
  bool is_link_local() const;
  /// The first 64 bits are the same.
  bool is_same_network(const Ipv6Address& other) const;
  /// The group that who has this address listens to: RFC 4291, section 2.7.1.
  Ipv6Address solicited_node() const;
  /// Where frames for this group go: RFC 2464, section 7.
  MacAddress multicast_mac() const;
  /// As RFC 5952 recommends.
  std::string to_string() const;
  static std::optional<Ipv6Address> parse(std::string_view text);
};

inline constexpr Ipv6Address kAllNodes{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};  ///< RFC 4291.

/// The address of a guest, of either family.  IPv4 is kept as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2),
/// and both unspecified addresses are "::", so that equal addresses are equal octets.  IPv4 sorts before what
/// guests have of IPv6.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};

  IpAddress() = default;
  IpAddress(Ipv4Address address);                                  // NOLINT: every address is one of these.
  IpAddress(const Ipv6Address& address) : bytes(address.bytes) {}  // NOLINT

  bool operator==(const IpAddress& other) const { return equal_octets(bytes, other.bytes); }
  auto operator<=>(const IpAddress& other) const { return compare_octets(bytes, other.bytes); }
  bool is_unspecified() const { return *this == IpAddress(); }
  bool is_ipv4() const;
  /// REQUIRES: is_ipv4().
  Ipv4Address ipv4() const;
  /// REQUIRES: !is_ipv4().
  Ipv6Address ipv6() const { return {bytes}; }
  std::string to_string() const;
  static std::optional<IpAddress> parse(std::string_view text);
};

/// A block of addresses in CIDR notation, RFC 4632.  The host part of `network` is zero.
struct Ipv4Subnet {
  Ipv4Address network;
  uint8_t prefix_length = 0;  ///< 0 to 32.

  auto operator<=>(const Ipv4Subnet&) const = default;
  uint32_t mask() const { return prefix_length == 0 ? 0 : ~uint32_t{0} << (32 - prefix_length); }
  bool contains(Ipv4Address address) const { return (address.value & mask()) == network.value; }
  /// How many addresses the block spans, 2^(32 - prefix_length).
  uint64_t size() const { return uint64_t{1} << (32 - prefix_length); }
  Ipv4Address broadcast() const { return {network.value | ~mask()}; }
  std::string to_string() const;
  /// "10.128.0.0/16"; refuses a network with host bits set.
  static std::optional<Ipv4Subnet> parse(std::string_view text);
};

/// An IPv4 or IPv6 address and a UDP port.  IPv4 is kept as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2), so
/// that equal endpoints are equal bytes whatever socket saw them.
struct Endpoint {
  std::array<uint8_t, 16> address{};
  uint16_t port = 0;

  static Endpoint from_ipv4(Ipv4Address address, uint16_t port);

  bool operator==(const Endpoint& other) const {
    return equal_octets(address, other.address) && port == other.port;
  }
  auto operator<=>(const Endpoint&) const = default;
  bool is_ipv4() const;
  /// REQUIRES: is_ipv4().
  Ipv4Address ipv4() const;
  /// "203.0.113.7:51128" or "[2001:db8::7]:51128".
  std::string to_string() const;
  /// The same notation; also ":PORT", which stands for all addresses.
  static std::optional<Endpoint> parse(std::string_view text);
};

// On the wire: 6, 4, 16 and 16 octets, and for an endpoint | 4 or 6 (1) | address (4 or 16) | port (2) |, or
// the octet 0 for none.  Each has one encoding: read_endpoint() fails on IPv4 in the guise of IPv6.
MacAddress read_mac(Reader& in);
Ipv4Address read_ipv4(Reader& in);
Ipv6Address read_ipv6(Reader& in);
IpAddress read_ip(Reader& in);
Endpoint read_endpoint(Reader& in);
void write(Writer& out, const MacAddress& mac);
void write(Writer& out, Ipv4Address address);
void write(Writer& out, const Ipv6Address& address);
void write(Writer& out, const IpAddress& address);
void write(Writer& out, const Endpoint& endpoint);

}  // namespace ipop
