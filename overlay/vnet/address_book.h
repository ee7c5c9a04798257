// What the fast path knows of addresses: the service's, and which those of this host's guests are.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "overlay/vnet/service_addresses.h"

namespace ipop {

struct AddressBook {
  ServiceAddresses service;
  std::vector<std::pair<IpAddress, MacAddress>> guests;  ///< In order.

  /// A guest of this host, `mac`, has `ip`.
  bool has(const IpAddress& ip, const MacAddress& mac) const {
    return std::binary_search(guests.begin(), guests.end(), std::pair(ip, mac));
  }
};

}  // namespace ipop
