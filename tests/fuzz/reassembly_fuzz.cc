// Slices as members may make them: | session (1) | counter (1) | size (2) | plaintext |, repeated.  A frame
// that comes of them has every octet from a slice of its own session: here an octet's upper half is that of
// the session.
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/session/reassembly.h"

using namespace ipop;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reassembly reassembly;
  Reader in({data, size});
  while (in.ok() && in.remaining() > 0) {
    const uint32_t session = in.u8() & 7;
    const uint64_t counter = in.u8();
    const ByteView view = in.bytes(in.u16() & 0x3fff);
    Bytes plaintext(view.begin(), view.end());  // Exactly its octets, for AddressSanitizer's sake.
    for (size_t i = wire::SliceHeader::kSize; i < plaintext.size(); ++i) {
      plaintext[i] = static_cast<uint8_t>((session + 1) << 4 | (plaintext[i] & 15));
    }
    const auto whole = reassembly.add(session, counter, plaintext);
    if (!whole || !*whole) continue;
    IPOP_ASSERT((*whole)->size() <= kMaxCarriedFrame);
    for (const uint8_t octet : **whole) IPOP_ASSERT(octet >> 4 == session + 1);
  }
  return 0;
}
