// A frame that does not fit the path to its peer travels in slices, each a datagram of its own:
// docs/protocol.md, "Slices".
#pragma once

#include <cstddef>
#include <cstdint>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"

namespace ipop::wire {

/// What the sealed plaintext of a slice begins with: | index (1) | count (1) | size (2) |, then the octets.
/// The slices of a frame of `size` octets are equal, but for the last, which is the rest.  Their counters
/// follow each other, so that counter - index names the frame.
struct SliceHeader {
  static constexpr size_t kSize = 4;
  static constexpr size_t kMaxCount = 16;

  uint8_t index = 0;  ///< Below count.
  uint8_t count = 2;  ///< 2 to kMaxCount.
  uint16_t size = 0;  ///< Of the whole frame; at least count.

  size_t slice_size() const { return (size + count - size_t{1}) / count; }
  /// Where this slice begins in the frame, and its octets.
  size_t offset() const { return index * slice_size(); }
  size_t octets() const { return index + 1 < count ? slice_size() : size - offset(); }

  /// Of what begins a plaintext, which may be anything; Error::Malformed unless its length is what it says.
  static Result<SliceHeader> decode(ByteView plaintext);
  /// Writes kSize octets.
  void encode_to(uint8_t* out) const;
};

/// In how many slices a frame of `size` octets goes where each datagram may have a plaintext of `room`; 1 if
/// it fits whole.  REQUIRES: room > SliceHeader::kSize.
size_t slices_of(size_t size, size_t room);

}  // namespace ipop::wire
