// Addresses as the DHT names them.
#pragma once

#include "overlay/wire/dht.h"

namespace ipop {

inline wire::DhtAddress ip_address(const IpAddress& ip) {
  return {.kind = wire::DhtAddress::Kind::Ip, .ip = ip, .mac = {}};
}
inline wire::DhtAddress mac_address(const MacAddress& mac) {
  return {.kind = wire::DhtAddress::Kind::Mac, .ip = {}, .mac = mac};
}

}  // namespace ipop
