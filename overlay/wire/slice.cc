#include "overlay/wire/slice.h"

#include "overlay/base/octets.h"

namespace ipop::wire {

Result<SliceHeader> SliceHeader::decode(ByteView plaintext) {
  if (plaintext.size() < kSize) return Error::Malformed;
  const SliceHeader out{
      .index = plaintext[0], .count = plaintext[1], .size = number_of<uint16_t>(plaintext.data() + 2)};
  if (out.count < 2 || out.count > kMaxCount || out.index >= out.count) return Error::Malformed;
  // Rounding up may leave nothing for the last ones.
  if (out.offset() >= out.size || plaintext.size() - kSize != out.octets()) return Error::Malformed;
  return out;
}

void SliceHeader::encode_to(uint8_t* out) const {
  out[0] = index;
  out[1] = count;
  put_number(size, out + 2);
}

size_t slices_of(size_t size, size_t room) {
  if (size <= room) return 1;
  const size_t octets = room - SliceHeader::kSize;
  return (size + octets - 1) / octets;
}

}  // namespace ipop::wire
