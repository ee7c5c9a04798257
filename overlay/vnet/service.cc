#include "overlay/vnet/service.h"

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
  Service out{.network_name = network_name,
              .subnet = subnet,
              .network_hash = network_hash,
              .mtu = mtu,
              .ip = {subnet.network.value + 1},
              .mac = {}};
  uint64_t bits = mix(network_hash);
  out.mac.bytes[0] = 0x02;  // Locally administered, individual.
  for (size_t i = 1; i < out.mac.bytes.size(); ++i, bits >>= 8) out.mac.bytes[i] = static_cast<uint8_t>(bits);
  return out;
}

bool Service::is_guest_address(Ipv4Address address) const {
  return subnet.contains(address) && address != subnet.network && address != ip &&
         address != subnet.broadcast();
}

uint64_t Service::pool_start(const MacAddress& address) const {
  uint64_t value = 0;
  for (const uint8_t byte : address.bytes) value = value << 8 | byte;
  return mix(network_hash ^ mix(value + 1)) % pool_size();
}

}  // namespace ipop
