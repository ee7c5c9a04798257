#include "overlay/vnet/service.h"

#include <algorithm>

#include "overlay/base/assert.h"

namespace ipop {
namespace {

/// The finalizer of SplitMix64: every bit of the input moves half of the output.
uint64_t mix(uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

}  // namespace

Service Service::make(const std::string& network_name, const Ipv4Subnet& subnet, uint64_t network_hash,
                      uint16_t mtu) {
  IPOP_ASSERT(subnet.prefix_length <= 30);
  Service out;
  out.network_name = network_name;
  out.subnet = subnet;
  out.network_hash = network_hash;
  out.mtu = mtu;
  out.ip = {subnet.network.value + 1};
  out.prefix = {{0xfd}};
  out.link_local = {{0xfe, 0x80}};
  uint64_t bits = mix(network_hash);
  out.mac.bytes[0] = 0x02;  // Locally administered, individual.
  for (size_t i = 1; i < out.mac.bytes.size(); ++i, bits >>= 8) out.mac.bytes[i] = static_cast<uint8_t>(bits);
  for (size_t i = 0; i < 5; ++i) {
    out.prefix.bytes[1 + i] = static_cast<uint8_t>(network_hash >> (56 - 8 * i));
  }
  out.ipv6 = out.prefix;
  out.ipv6.bytes[15] = 1;
  const auto& m = out.mac.bytes;
  const std::array<uint8_t, 8> identifier{
      static_cast<uint8_t>(m[0] ^ 2), m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
  std::copy(identifier.begin(), identifier.end(), out.link_local.bytes.begin() + 8);
  return out;
}

bool Service::is_guest_address(const IpAddress& address) const {
  if (address.is_unspecified() || is_own_address(address)) return false;
  if (address.is_ipv4()) {
    const Ipv4Address ipv4 = address.ipv4();
    return subnet.contains(ipv4) && ipv4 != subnet.network && ipv4 != subnet.broadcast();
  }
  const auto& octets = address.bytes;
  const bool is_routers = std::all_of(octets.begin() + 8, octets.end(), [](uint8_t b) { return b == 0; });
  return !is_routers && (address.ipv6().is_link_local() || address.ipv6().is_same_network(prefix));
}

std::optional<Ipv4Address> Service::address_for(const MacAddress& guest) const {
  if (const auto set = settings->reservations.find(guest); set != settings->reservations.end()) {
    return set->second.ip;
  }
  const Introduction* said = introduced.find(guest);
  return said ? said->ip : std::nullopt;
}

std::string Service::name_for(const MacAddress& guest) const {
  const auto set = settings->reservations.find(guest);
  if (set != settings->reservations.end() && !set->second.name.empty()) return set->second.name;
  const Introduction* said = introduced.find(guest);
  return said ? said->name : std::string();
}

std::vector<Ipv4Range> Service::pool() const {
  if (!settings->pool.empty()) return settings->pool;
  return {{.first = {ip.value + 1}, .last = {subnet.broadcast().value - 1}}};
}

bool Service::is_in_pool(Ipv4Address address) const {
  if (settings->pool.empty()) return is_guest_address(address);
  return std::any_of(settings->pool.begin(), settings->pool.end(),
                     [&](const Ipv4Range& range) { return range.contains(address); });
}

std::vector<Ipv4Address> Service::dns_servers() const {
  return settings->dns.value_or(std::vector<Ipv4Address>{ip});
}

std::vector<std::string> Service::search_domains() const {
  return settings->search.value_or(std::vector<std::string>{domain()});
}

uint64_t Service::pool_start(const MacAddress& address) const {
  uint64_t value = 0;
  for (const uint8_t byte : address.bytes) value = value << 8 | byte;
  return mix(network_hash ^ mix(value + 1)) % pool_size();
}

}  // namespace ipop
