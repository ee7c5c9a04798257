// A super-frame as a network would carry it.
#pragma once

#include <vector>

#include "overlay/fastpath/segment.h"

namespace ipop::test {

/// The frames that `super` becomes, with whole checksums; none if it cannot be cut.
inline std::vector<Bytes> cut(Bytes super, size_t segment_size) {
  std::vector<Bytes> out;
  auto segmenter = Segmenter::parse(super, segment_size);
  for (size_t i = 0; segmenter && i < segmenter->count(); ++i) {
    const ByteSpan frame = segmenter->cut(i);
    out.emplace_back(frame.begin(), frame.end());
    complete_checksum(out.back());
  }
  return out;
}

}  // namespace ipop::test
