// TCP segmentation in software: cuts a super-frame, as the switch hands it over in TSO mode, into the frames
// that a network card would have sent.  A frame is written straight to where it will be sealed: one pass over
// the payload copies and sums it, and nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/fastpath/checksum.h"

namespace ipop {

/// The least payload of a segment that an honest guest asks for: Linux sends segments of at least 48 octets
/// (CVE-2019-11479), of which options may take 40.  It bounds what one super-frame can become to 8192 frames.
inline constexpr size_t kMinSegmentSize = 8;

/// Refers to the super-frame, which must outlive it and stay unchanged.  May be used by any one thread.
class Segmenter {
 public:
  /// Accepts TCP over IPv4 or IPv6, VLAN tags and options included, of at most 65535 octets.  Checksums in
  /// the frame are not looked at.  Nothing if headers contradict each other or the frame's size, if
  /// `segment_size` is below kMinSegmentSize, and for several segments with SYN, RST or URG, which no stack
  /// leaves to a card.
  static std::optional<Segmenter> parse(ByteView frame, size_t segment_size);

  /// How many frames it becomes: at least one, since a segment may be without payload.
  size_t count() const { return count_; }
  /// Octets from the Ethernet header to the TCP options, in each frame.
  size_t header_size() const { return payload_offset_; }
  /// Octets of frame `i`.  REQUIRES: i < count(); here and below.
  size_t frame_size(size_t i) const { return payload_offset_ + payload_size(i); }
  /// Octets of the largest frame, which is the first.
  size_t max_frame_size() const { return frame_size(0); }

  /// Writes frame `i` with complete checksums: sequence number and IPv4 identification count up, CWR stays on
  /// the first frame (RFC 3168, section 6.1.2), FIN and PSH on the last.
  /// REQUIRES: `out` has room for frame_size(i) octets and does not overlap the super-frame.
  void write(size_t i, uint8_t* out) const;

 private:
  Segmenter(ByteView frame, const TransportPlace& place, size_t payload_offset, size_t segment_size);
  size_t payload_size(size_t i) const;

  ByteView frame_;
  TransportPlace place_;
  InternetChecksum addresses_sum_;  // The pseudo-header, but for the length.
  size_t payload_offset_;
  size_t segment_size_;
  size_t count_;
};

}  // namespace ipop
