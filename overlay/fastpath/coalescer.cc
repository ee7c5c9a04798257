#include "overlay/fastpath/coalescer.h"

#include <algorithm>
#include <cstring>

#include "overlay/fastpath/tcp_header.h"

namespace ipop {

using namespace tcp;

namespace {

constexpr size_t kIpv4HeaderSize = 20, kIpv6HeaderSize = 40;
constexpr uint16_t kDontFragment = 0x4000;

bool equal(const uint8_t* a, const uint8_t* b, size_t from, size_t to) {
  return std::memcmp(a + from, b + from, to - from) == 0;
}

}  // namespace

uint8_t* Coalescer::place(size_t size) {
  guessed_ = kNobody;
  if (is_enabled_ && last_ != kNobody && entries_[last_].is_open) {
    const Frame& frame = frames_[last_];
    const size_t header = entries_[last_].first.header_size;
    const bool is_clear = frame.size >= 2 * header;  // Of the headers that the next ones are compared with.
    if (is_clear && size > header && frame.size + size - header <= std::min(frame.capacity, kMaxSuperFrame)) {
      guessed_ = last_;
      std::memcpy(aside_.data(), frame.data + frame.size - header, header);
      return frame.data + frame.size - header;
    }
  }
  return frames_[used_].data;
}

void Coalescer::cancel() {
  if (guessed_ == kNobody) return;
  const size_t header = entries_[guessed_].first.header_size;
  const Frame& frame = frames_[guessed_];
  std::memcpy(frame.data + frame.size - header, aside_.data(), header);
}

void Coalescer::add(size_t size) {
  if (guessed_ != kNobody) {
    Frame& frame = frames_[guessed_];
    const size_t header = entries_[guessed_].first.header_size;
    uint8_t* const opened = frame.data + frame.size - header;
    Segment segment;
    std::array<uint8_t, kMaxHeader> headers;
    // The super-frame's own last octets lie aside while `opened` is looked at.
    const bool fits = parse({opened, size}, segment) && continues(guessed_, {opened, size}, segment);
    if (fits) {
      std::memcpy(headers.data(), opened, header);
    } else {
      std::memcpy(frames_[used_].data, opened, size);
    }
    cancel();
    if (fits) {
      frame.size += segment.payload_size;
      joined(guessed_, headers.data(), segment);
      return;
    }
  }
  add_new(size);
}

/// The frame lies in the first unused place: joins it to another flow's, or lets it stay there.
void Coalescer::add_new(size_t size) {
  Frame& frame = frames_[used_];
  const ByteView bytes(frame.data, size);
  Segment segment;
  const bool is_segment = is_enabled_ && parse(bytes, segment);
  if (is_enabled_) {
    for (size_t i = 0; i < used_; ++i) {
      Entry& entry = entries_[i];
      if (!entry.is_open || !same_flow(frames_[i].data, bytes, entry.first)) continue;
      Frame& other = frames_[i];
      if (is_segment && continues(i, bytes, segment) &&
          other.size + segment.payload_size <= std::min(other.capacity, kMaxSuperFrame)) {
        std::memcpy(other.data + other.size, frame.data + segment.header_size, segment.payload_size);
        other.size += segment.payload_size;
        joined(i, frame.data, segment);
        return;
      }
      entry.is_open = false;  // What follows in this flow must not overtake this frame.
    }
  }
  frame.size = size;
  frame.segment_size = 0;
  Entry& entry = entries_[used_];
  entry = {};
  if (is_segment) {
    const uint8_t* const header = frame.data + segment.place.offset;
    entry.first = segment;
    entry.next_sequence = load_u32(header + kSequenceAt) + static_cast<uint32_t>(segment.payload_size);
    entry.next_id = static_cast<uint16_t>(load_u16(frame.data + segment.place.network_offset + 4) + 1);
    entry.segments = 1;
    entry.is_open = (header[kFlagsAt] & kPsh) == 0;
  }
  last_ = used_++;
}

void Coalescer::add_whole(ByteView frame) {
  std::memcpy(frames_[used_].data, frame.data(), frame.size());
  guessed_ = kNobody;
  add_new(frame.size());
}

/// Data of an established connection with nothing special about it.
bool Coalescer::parse(ByteView frame, Segment& out) {
  const auto place = find_transport(frame);
  if (!place || place->protocol != kProtocolTcp || place->end != frame.size()) return false;
  const size_t ip_header = place->is_ipv6 ? kIpv6HeaderSize : kIpv4HeaderSize;
  if (place->offset - place->network_offset != ip_header) return false;
  const uint8_t* const header = frame.data() + place->offset;
  const size_t tcp_header = size_t{header[kDataOffsetAt]} / 16 * 4;
  if (tcp_header < kMinHeaderSize || place->offset + tcp_header >= frame.size()) return false;
  if ((header[kFlagsAt] & ~kPsh) != kAck || (header[kDataOffsetAt] & 0x0f) != 0) return false;
  if (place->offset + tcp_header > kMaxHeader) return false;
  out = {.place = *place,
         .header_size = place->offset + tcp_header,
         .payload_size = frame.size() - place->offset - tcp_header};
  return true;
}

bool Coalescer::is_intact(ByteView frame, const Segment& segment) {
  const TransportPlace& place = segment.place;
  if (!place.is_ipv6) {
    InternetChecksum sum;
    sum.add(frame.subspan(place.network_offset, kIpv4HeaderSize));
    if (sum.finish() != 0) return false;
  }
  InternetChecksum sum = pseudo_header_sum(frame, place, frame.size() - place.offset);
  sum.add(frame.subspan(place.offset));
  return sum.finish() == 0;
}

/// Addresses, tags, protocol and ports are those of `a`, which `segment` describes; `b` may be anything.
bool Coalescer::same_flow(const uint8_t* a, ByteView b, const Segment& segment) {
  const TransportPlace& place = segment.place;
  if (b.size() < place.offset + kSequenceAt) return false;
  const size_t ip = place.network_offset;
  const size_t protocol = ip + (place.is_ipv6 ? 6 : 9);
  const size_t addresses = ip + (place.is_ipv6 ? 8 : 12);
  return equal(a, b.data(), 0, ip + 1) && a[protocol] == b[protocol] &&
         equal(a, b.data(), addresses, place.offset + kSequenceAt);
}

/// Whether `frame` is what comes next in the entry.
bool Coalescer::continues(size_t index, ByteView frame, const Segment& segment) {
  Entry& entry = entries_[index];
  const Segment& first = entry.first;
  if (!entry.is_open || segment.header_size != first.header_size ||
      segment.place.offset != first.place.offset || segment.place.is_ipv6 != first.place.is_ipv6) {
    return false;
  }
  if (segment.payload_size > first.payload_size) return false;
  const uint8_t* const a = frames_[index].data;
  const uint8_t* const b = frame.data();
  if (!same_flow(a, frame, first)) return false;

  const size_t ip = first.place.network_offset;
  if (first.place.is_ipv6) {
    if (!equal(a, b, ip, ip + 4) || !equal(a, b, ip + 6, ip + 8)) return false;
  } else {
    if (!equal(a, b, ip, ip + 2) || !equal(a, b, ip + 6, ip + 10)) return false;
    const uint16_t id = load_u16(b + ip + 4);
    const bool may_repeat = (load_u16(b + ip + 6) & kDontFragment) != 0;  // RFC 6864: then it means nothing.
    if (id != entry.next_id && !(may_repeat && id == load_u16(a + ip + 4))) return false;
  }
  const size_t tcp = first.place.offset;
  if (load_u32(b + tcp + kSequenceAt) != entry.next_sequence) return false;
  if (!equal(a, b, tcp + kAcknowledgmentAt, tcp + kFlagsAt) ||
      !equal(a, b, tcp + kWindowAt, tcp + kChecksumAt) || !equal(a, b, tcp + kUrgentAt, first.header_size)) {
    return false;
  }
  if (!is_intact(frame, segment)) return false;
  if (entry.segments == 1 && !entry.is_verified) {
    // Only now does it matter.  place() may have opened `frame` over the end of the first segment: look at it
    // whole.
    std::array<uint8_t, kMaxHeader> tail;
    uint8_t* const end = frames_[index].data + frames_[index].size - first.header_size;
    if (guessed_ == index) {
      std::memcpy(tail.data(), end, first.header_size);
      std::memcpy(end, aside_.data(), first.header_size);
    }
    entry.is_verified = is_intact({frames_[index].data, frames_[index].size}, first);
    if (guessed_ == index) std::memcpy(end, tail.data(), first.header_size);
    if (!entry.is_verified) {
      entry.is_open = false;
      return false;
    }
  }
  return true;
}

void Coalescer::joined(size_t index, const uint8_t* header, const Segment& segment) {
  Entry& entry = entries_[index];
  ++entry.segments;
  entry.next_sequence += static_cast<uint32_t>(segment.payload_size);
  ++entry.next_id;
  entry.is_pushed = (header[segment.place.offset + kFlagsAt] & kPsh) != 0;
  entry.is_open = !entry.is_pushed && segment.payload_size == entry.first.payload_size;
  last_ = index;
  guessed_ = kNobody;
}

size_t Coalescer::finish() {
  for (size_t i = 0; i < used_; ++i) {
    const Entry& entry = entries_[i];
    if (entry.segments < 2) continue;
    Frame& frame = frames_[i];
    const TransportPlace place = entry.first.place;
    uint8_t* const ip = frame.data + place.network_offset;
    if (place.is_ipv6) {
      store_u16(ip + 4, frame.size - place.network_offset - kIpv6HeaderSize);
    } else {
      store_u16(ip + 2, frame.size - place.network_offset);
      complete_ipv4_header_checksum({ip, kIpv4HeaderSize});
    }
    uint8_t* const header = frame.data + place.offset;
    if (entry.is_pushed) header[kFlagsAt] |= kPsh;
    const InternetChecksum sum =
        pseudo_header_sum({frame.data, frame.size}, place, frame.size - place.offset);
    const auto checksum =
        static_cast<uint16_t>(~sum.finish());  // The field holds the sum, not its complement.
    std::memcpy(header + kChecksumAt, &checksum, 2);
    frame.segment_size = entry.first.payload_size;
  }
  return used_;
}

}  // namespace ipop
