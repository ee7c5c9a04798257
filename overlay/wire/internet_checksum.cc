#include "overlay/wire/internet_checksum.h"

#include "overlay/base/octets.h"

namespace ipop {

uint16_t internet_sum(ByteView data, uint16_t start) {
  InternetChecksum sum;
  sum.add_u16(start);
  sum.add(data);
  const uint16_t inverted = sum.finish();
  return static_cast<uint16_t>(~number_of<uint16_t>(reinterpret_cast<const uint8_t*>(&inverted)));
}

}  // namespace ipop
