// The fast path's view of a guest's frame: | segment size (2) | frame ... |
#include <algorithm>
#include <cstdint>

#include "overlay/base/assert.h"
#include "overlay/base/bytes.h"
#include "overlay/fastpath/segment.h"
#include "overlay/wire/checksum.h"

using namespace ipop;

namespace {

/// Completing changes nothing but the checksum's two octets, and completing again changes nothing.
void check_checksum(ByteView frame) {
  Bytes once(frame.begin(), frame.end());
  const bool completed = complete_checksum(once);
  IPOP_ASSERT(completed || std::equal(frame.begin(), frame.end(), once.begin(), once.end()));
  if (!completed) return;

  Bytes twice = once;
  IPOP_ASSERT(complete_checksum(twice) && once == twice);

  const auto place = find_transport(frame);
  const size_t field = place->offset + (place->protocol == kIpProtocolTcp ? 16 : 6);
  IPOP_ASSERT(field + 2 <= place->end && place->end <= frame.size());
  std::copy_n(frame.begin() + static_cast<ptrdiff_t>(field), 2, once.begin() + static_cast<ptrdiff_t>(field));
  IPOP_ASSERT(std::equal(frame.begin(), frame.end(), once.begin(), once.end()));
}

/// The segments are whole frames but for their checksums, and their payloads join to the super-frame's.
void check_segments(Segmenter& segmenter, ByteView frame, size_t segment_size) {
  const size_t header = segmenter.header_size();
  Bytes joined;
  for (size_t i = 0; i < segmenter.count(); ++i) {
    const ByteSpan segment = segmenter.cut(i);
    IPOP_ASSERT(segment.size() == segmenter.frame_size(i));
    IPOP_ASSERT(segment.size() >= header && segment.size() - header <= segment_size);
    const auto place = find_transport(segment);
    IPOP_ASSERT(place && place->end == segment.size());
    IPOP_ASSERT(complete_checksum(segment));
    joined.insert(joined.end(), segment.begin() + static_cast<ptrdiff_t>(header), segment.end());
  }
  const ByteView payload = frame.subspan(header, find_transport(frame)->end - header);
  IPOP_ASSERT(std::equal(joined.begin(), joined.end(), payload.begin(), payload.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader in({data, size});
  const size_t segment_size = in.u16();
  const ByteView frame = in.rest();
  check_checksum(frame);
  Bytes super(frame.begin(), frame.end());  // Exactly its octets, for AddressSanitizer's sake.
  auto segmenter = Segmenter::parse(super, segment_size);
  if (segmenter) check_segments(*segmenter, frame, segment_size);
  return 0;
}
