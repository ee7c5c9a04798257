// Puts the slices of frames together again.
//
// Bounded, and without a timer: a frame whose slices do not all come makes room when others need it, first of
// all those of the same session, so that no peer takes the places of others.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/base/result.h"
#include "overlay/wire/ethernet.h"
#include "overlay/wire/slice.h"

namespace ipop {

/// One thread.
class Reassembly {
 public:
  /// Under way at once: slices of a frame follow each other, so that more come from reordering only.
  static constexpr size_t kMaxFrames = 32;
  static constexpr size_t kMaxFramesOfSession = 4;

  /// A slice that was opened under `counter` of the keypair with this index.  The frame that it completes,
  /// which stays as it is until the next call, or nothing yet.  Error::Malformed if it contradicts itself or
  /// the others, or if the frame is larger than kMaxCarriedFrame.
  Result<std::optional<ByteSpan>> add(uint32_t local_index, uint64_t counter, ByteView plaintext);

  /// Frames that made room before they were whole.
  uint64_t incomplete() const { return incomplete_; }

 private:
  struct Entry {
    bool is_used = false;
    uint32_t local_index = 0;
    uint64_t first_counter = 0;
    uint8_t count = 0;
    uint16_t size = 0;
    uint16_t arrived = 0;  ///< A bit for each slice.
    uint64_t begun = 0;    ///< The lower the older.
    Bytes octets;
  };
  static_assert(wire::SliceHeader::kMaxCount <= 16);

  Entry& find_or_begin(uint32_t local_index, uint64_t first_counter, const wire::SliceHeader& header);

  std::array<Entry, kMaxFrames> entries_;
  uint64_t begun_ = 0;
  uint64_t incomplete_ = 0;
};

}  // namespace ipop
