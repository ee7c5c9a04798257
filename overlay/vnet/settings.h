// What the admin of a network says of its guests' addresses, the same on every host: a JSON document
// (RFC 8259).  It is signed and handed around as a whole (wire/settings.h); here it is understood, whole or
// not at all.  Every field may be left out:
//
//   {
//     "pool": ["10.128.1.0-10.128.1.255"],
//     "reservations": [{"mac": "52:54:00:12:34:56", "ip": "10.128.0.10", "name": "vm1"}],
//     "dns": ["10.128.0.1", "192.0.2.53"],
//     "search": ["grid.ipop", "example.org"],
//     "ntp": ["10.128.0.20"],
//     "mtu": 1380,
//     "routes": [{"to": "192.168.7.0/24", "via": "10.128.0.7"}]
//   }
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/wire/address.h"
#include "overlay/wire/dhcp.h"

namespace ipop {

struct Ipv4Range {
  Ipv4Address first, last;  ///< Both belong to it; first <= last.
  auto operator<=>(const Ipv4Range&) const = default;
  bool contains(Ipv4Address address) const { return first <= address && address <= last; }
  uint64_t size() const { return uint64_t{last.value} - first.value + 1; }
  /// "10.128.1.0-10.128.1.255".
  std::string to_string() const { return first.to_string() + "-" + last.to_string(); }
};

/// How many addresses they have one after the other, and the n-th.  REQUIRES: n < total_size().
uint64_t total_size(const std::vector<Ipv4Range>& ranges);
Ipv4Address address_in(const std::vector<Ipv4Range>& ranges, uint64_t n);

struct Settings {
  // Bounds.  Servers, routes and a domain together fit the 312 octets of options that every client takes (RFC
  // 2131, section 2): vnet/dhcp_options.h.
  static constexpr size_t kMaxRanges = 64;
  static constexpr size_t kMaxReservations = 1024;
  static constexpr size_t kMaxServers = 4;
  static constexpr size_t kMaxRoutes = 16;
  static constexpr size_t kMaxSearchSize = 255;  ///< Octets, encoded as in DNS: one option.
  static constexpr uint16_t kMinMtu = 1280;      ///< IPv6's smallest (RFC 8200, section 5).

  struct Reservation {
    Ipv4Address ip;
    std::string name;  ///< A DNS label, or empty.
    bool operator==(const Reservation&) const = default;
  };

  std::vector<Ipv4Range> pool;  ///< DHCP picks from these: ascending, apart.  Empty: from all there is.
  std::map<MacAddress, Reservation> reservations;
  std::map<Ipv4Address, MacAddress> reserved;      ///< The same by address.
  std::optional<std::vector<Ipv4Address>> dns;     ///< Instead of the port's own.
  std::optional<std::vector<std::string>> search;  ///< Instead of NETWORK.ipop.
  std::vector<Ipv4Address> ntp;
  std::optional<uint16_t> mtu;  ///< Octets of an IP packet, not more than the port carries.
  std::vector<Ipv4Route> routes;

  bool operator==(const Settings&) const = default;

  /// For the guests of `subnet`, whose prefix has at most 30 bits, over ports that carry packets of
  /// `max_mtu`. The Problem names the field, as in "reservations[2].ip", and says what is allowed.
  static Result<Settings, Problem> parse(std::string_view document, const Ipv4Subnet& subnet,
                                         uint16_t max_mtu);
};

}  // namespace ipop
