// TCP segmentation in software: cuts a super-frame, as the switch hands it over in TSO mode, into the frames
// that a network card would have sent.
//
// It cuts in place.  Frames are sealed one after the other, and sealing copies; by the time that frame i is
// wanted, the octets before its payload have been sealed with frame i - 1, and so its headers are written
// there.  The payload is not touched, and nothing is allocated.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "overlay/base/bytes.h"
#include "overlay/wire/checksum.h"

namespace ipop {

/// The least payload of a segment that an honest guest asks for: Linux sends segments of at least 48 octets
/// (CVE-2019-11479), of which options may take 40.  It bounds what one super-frame can become to 8192 frames.
inline constexpr size_t kMinSegmentSize = 8;

/// Owns the super-frame's octets while it lives.  May be used by any one thread.
class Segmenter {
 public:
  /// Of a super-frame's headers: two VLAN tags, IPv6 and the longest TCP header have 122 octets.
  static constexpr size_t kMaxHeaders = 192;

  /// Accepts TCP over IPv4 or IPv6, VLAN tags and options included, of at most 65535 octets.  Checksums in
  /// the frame are not looked at.  Nothing if headers contradict each other or the frame's size or exceed
  /// kMaxHeaders, if `segment_size` is below kMinSegmentSize, and for several segments with SYN, RST or URG,
  /// which no stack leaves to a card.
  static std::optional<Segmenter> parse(ByteSpan frame, size_t segment_size);

  /// How many frames it becomes: at least one, since a segment may be without payload.
  size_t count() const { return count_; }
  /// Octets from the Ethernet header to the TCP options, in each frame.
  size_t header_size() const { return payload_offset_; }
  /// Octets of frame `i`.  REQUIRES: i < count(); here and below.
  size_t frame_size(size_t i) const { return payload_offset_ + payload_size(i); }
  /// Octets of the largest frame, which is the first.
  size_t max_frame_size() const { return frame_size(0); }

  /// Frame `i`, whole but for its TCP checksum, which is zero: sequence number and IPv4 identification count
  /// up, CWR stays on the first frame (RFC 3168, section 6.1.2), FIN and PSH on the last.
  /// REQUIRES: called for 0, 1, 2 ... in turn; each call spoils the frame before.
  ByteSpan cut(size_t i);

 private:
  Segmenter(ByteSpan frame, const TransportPlace& place, size_t payload_offset, size_t segment_size);
  size_t payload_size(size_t i) const {
    return std::min(segment_size_, frame_.size() - payload_offset_ - i * segment_size_);
  }

  ByteSpan frame_;
  TransportPlace place_;
  size_t payload_offset_;
  size_t segment_size_;
  size_t count_;
  std::array<uint8_t, kMaxHeaders> headers_;  // The super-frame's, without what differs between frames.
  InternetChecksum ipv4_sum_;                 // Of the IPv4 header in headers_.
  uint32_t sequence_;
  uint16_t id_ = 0;
  uint8_t flags_;
};

}  // namespace ipop
