// Any frames, in any order, opened or forged: nothing is written outside the frames, and a frame that was not
// joined is what came.
#include <algorithm>
#include <array>
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/fastpath/coalescer.h"
#include "overlay/fastpath/segment.h"

using namespace ipop;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kRoom = 4096;
  std::array<Coalescer::Frame, 8> frames;
  std::array<Bytes, 8> rooms;
  for (size_t i = 0; i < frames.size(); ++i) {
    rooms[i].resize(kRoom);
    frames[i] = {.data = rooms[i].data(), .capacity = kRoom};
  }
  Coalescer coalescer(frames, true);
  // | size (2), its upper bits: forged, partial checksum | frame |, repeated; a size beyond the input ends
  // it.
  Reader in(ByteView(data, size));
  size_t octets = 0;
  while (coalescer.has_room()) {
    const uint16_t word = in.u16();
    const ByteView frame = in.bytes(word & 0x0fff);
    if (!in.ok()) break;
    std::copy(frame.begin(), frame.end(), coalescer.place(frame.size()));
    if (word >> 15) {
      coalescer.cancel();
    } else {
      coalescer.add(frame.size(), (word & 0x4000) != 0);
      octets += frame.size();
    }
  }
  const size_t count = coalescer.finish();
  size_t left = 0;
  for (size_t i = 0; i < count; ++i) {
    left += frames[i].size;
    IPOP_ASSERT(frames[i].size <= kRoom);
    if (frames[i].segment_size > 0) {
      IPOP_ASSERT(Segmenter::parse({frames[i].data, frames[i].size},
                                   std::max(frames[i].segment_size, kMinSegmentSize)));
    }
  }
  IPOP_ASSERT(left <= octets);
  return 0;
}
