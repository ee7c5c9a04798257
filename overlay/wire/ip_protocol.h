// Numbers of the protocols over IP that a port looks at (IANA, "Protocol Numbers").
#pragma once

#include <cstdint>

namespace ipop {

inline constexpr uint8_t kIpProtocolIcmp = 1;
inline constexpr uint8_t kIpProtocolTcp = 6;
inline constexpr uint8_t kIpProtocolUdp = 17;
inline constexpr uint8_t kIpProtocolIcmpv6 = 58;

}  // namespace ipop
