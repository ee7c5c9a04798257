#include "overlay/fastpath/coalescer.h"

#include <algorithm>
#include <cstring>

#include "overlay/base/big_endian.h"
#include "overlay/base/octets.h"
#include "overlay/fastpath/tcp_header.h"

namespace ipop {

using namespace tcp;

namespace {

constexpr size_t kIpv4HeaderSize = 20, kIpv6HeaderSize = 40;
constexpr size_t kIpv4LengthAt = 2, kIpv4IdAt = 4, kIpv4FragmentAt = 6, kIpv4ProtocolAt = 9,
                 kIpv4ChecksumAt = 10, kIpv4AddressesAt = 12;
constexpr size_t kIpv6LengthAt = 4, kIpv6NextHeaderAt = 6, kIpv6AddressesAt = 8;
constexpr uint16_t kDontFragment = 0x4000;

bool equal(const uint8_t* a, const uint8_t* b, size_t from, size_t to) {
  return equal_octets(a + from, b + from, to - from);
}

}  // namespace

uint8_t* Coalescer::place(size_t size) {
  guessed_ = kNobody;
  if (is_enabled_ && last_ != kNobody && entries_[last_].is_open) {
    const Frame& frame = frames_[last_];
    const size_t header = entries_[last_].layout.header_size;
    const bool is_clear = frame.size >= 2 * header;  // Of the headers that the next ones are compared with.
    if (is_clear && size > header && frame.size + size - header <= std::min(frame.capacity, kMaxSuperFrame)) {
      guessed_ = last_;
      std::memcpy(aside_.data(), frame.data + frame.size - header, header);
      return frame.data + frame.size - header;
    }
  }
  return frames_[entries_.size()].data;
}

void Coalescer::cancel() {
  if (guessed_ == kNobody) return;
  const size_t header = entries_[guessed_].layout.header_size;
  const Frame& frame = frames_[guessed_];
  std::memcpy(frame.data + frame.size - header, aside_.data(), header);
}

void Coalescer::add(size_t size, bool partial_checksum) {
  if (guessed_ != kNobody) {
    Frame& frame = frames_[guessed_];
    const Entry& entry = entries_[guessed_];
    const size_t header = entry.layout.header_size;
    uint8_t* const opened = frame.data + frame.size - header;
    // The super-frame's own last octets lie aside while `opened` is looked at.
    if (continues(guessed_, {opened, size}, partial_checksum)) {
      const bool is_pushed = (opened[entry.layout.place.offset + kFlagsAt] & kPsh) != 0;
      cancel();
      join(guessed_, size - header, is_pushed);
      return;
    }
    std::memcpy(frames_[entries_.size()].data, opened, size);
    cancel();
  }
  add_new(size, partial_checksum);
}

/// The frame lies in the first unused place: joins it to another flow's, or lets it stay there.
void Coalescer::add_new(size_t size, bool partial_checksum) {
  guessed_ = kNobody;
  Frame& frame = frames_[entries_.size()];
  const ByteView bytes(frame.data, size);
  if (is_enabled_) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      if (!entry.is_open || !same_flow(frames_[i].data, bytes, entry.layout.place)) continue;
      Frame& other = frames_[i];
      const size_t header = entry.layout.header_size;
      if (continues(i, bytes, partial_checksum) &&
          other.size + size - header <= std::min(other.capacity, kMaxSuperFrame)) {
        std::memcpy(other.data + other.size, frame.data + header, size - header);
        join(i, size - header, (frame.data[entry.layout.place.offset + kFlagsAt] & kPsh) != 0);
        return;
      }
      entry.is_open = false;  // What follows in this flow must not overtake this frame.
    }
  }
  frame.size = size;
  frame.segment_size = 0;
  last_ = entries_.size();
  Entry& entry = entries_.emplace_back();
  entry.is_partial = partial_checksum;
  if (const auto layout = is_enabled_ ? parse(bytes) : std::nullopt) {
    const uint8_t* const header = frame.data + layout->place.offset;
    entry.layout = *layout;
    entry.payload_size = size - layout->header_size;
    entry.next_sequence = load_u32(header + kSequenceAt) + static_cast<uint32_t>(entry.payload_size);
    entry.next_id =
        static_cast<uint16_t>(load_u16(frame.data + layout->place.network_offset + kIpv4IdAt) + 1);
    entry.segments = 1;
    entry.is_open = (header[kFlagsAt] & kPsh) == 0;
  }
}

void Coalescer::add_whole(ByteView frame, bool partial_checksum) {
  std::memcpy(frames_[entries_.size()].data, frame.data(), frame.size());
  add_new(frame.size(), partial_checksum);
}

/// Data of an established connection with nothing special about it.
std::optional<Coalescer::Layout> Coalescer::parse(ByteView frame) {
  const auto place = find_transport(frame);
  if (!place || place->protocol != kIpProtocolTcp || place->end != frame.size()) return std::nullopt;
  const size_t ip_header = place->is_ipv6 ? kIpv6HeaderSize : kIpv4HeaderSize;
  if (place->offset - place->network_offset != ip_header) return std::nullopt;
  const uint8_t* const header = frame.data() + place->offset;
  const size_t tcp_header = size_t{header[kDataOffsetAt]} / 16 * 4;
  if (tcp_header < kMinHeaderSize || place->offset + tcp_header >= frame.size()) return std::nullopt;
  if ((header[kFlagsAt] & ~kPsh) != kAck || (header[kDataOffsetAt] & 0x0f) != 0) return std::nullopt;
  if (place->offset + tcp_header > kMaxHeader) return std::nullopt;
  return Layout{.place = *place, .header_size = place->offset + tcp_header};
}

bool Coalescer::is_intact(ByteView frame, const TransportPlace& place, bool partial_checksum) {
  if (!place.is_ipv6) {
    InternetChecksum sum;
    sum.add(frame.subspan(place.network_offset, kIpv4HeaderSize));
    if (sum.finish() != 0) return false;
  }
  if (partial_checksum) return true;
  InternetChecksum sum = pseudo_header_sum(frame, place, frame.size() - place.offset);
  sum.add(frame.subspan(place.offset));
  return sum.finish() == 0;
}

/// Addresses, tags, protocol and ports are those of `a`, whose transport header is at `place`; `b` may be
/// anything.
bool Coalescer::same_flow(const uint8_t* a, ByteView b, const TransportPlace& place) {
  if (b.size() < place.offset + kSequenceAt) return false;
  const size_t ip = place.network_offset;
  const size_t protocol = ip + (place.is_ipv6 ? kIpv6NextHeaderAt : kIpv4ProtocolAt);
  const size_t addresses = ip + (place.is_ipv6 ? kIpv6AddressesAt : kIpv4AddressesAt);
  return equal(a, b.data(), 0, ip + 1) && a[protocol] == b[protocol] &&
         equal(a, b.data(), addresses, place.offset + kSequenceAt);
}

/// The headers of `b` are those of `a`, laid out so, but for what counts up, sums up or says how long it is.
bool Coalescer::same_headers(const uint8_t* a, const uint8_t* b, const Layout& layout) {
  const size_t ip = layout.place.network_offset;
  const size_t tcp = layout.place.offset;
  const bool same_ip = layout.place.is_ipv6
                           ? equal(a, b, 0, ip + kIpv6LengthAt) && equal(a, b, ip + kIpv6NextHeaderAt, tcp)
                           : equal(a, b, 0, ip + kIpv4LengthAt) &&
                                 equal(a, b, ip + kIpv4FragmentAt, ip + kIpv4ChecksumAt) &&
                                 equal(a, b, ip + kIpv4AddressesAt, tcp);
  return same_ip && equal(a, b, tcp, tcp + kSequenceAt) &&
         equal(a, b, tcp + kAcknowledgmentAt, tcp + kFlagsAt) &&
         ((a[tcp + kFlagsAt] ^ b[tcp + kFlagsAt]) & ~kPsh) == 0 &&
         equal(a, b, tcp + kWindowAt, tcp + kChecksumAt) && equal(a, b, tcp + kUrgentAt, layout.header_size);
}

/// Whether `frame` is what comes next in the entry.
bool Coalescer::continues(size_t index, ByteView frame, bool partial_checksum) {
  Entry& entry = entries_[index];
  const Layout& layout = entry.layout;
  if (!entry.is_open || frame.size() <= layout.header_size ||
      frame.size() - layout.header_size > entry.payload_size) {
    return false;
  }
  const uint8_t* const a = frames_[index].data;
  const uint8_t* const b = frame.data();
  if (!same_headers(a, b, layout)) return false;

  // With these equal, `frame` is what parse() accepts if its length is right.
  const uint8_t* const ip = b + layout.place.network_offset;
  const size_t length = frame.size() - layout.place.network_offset;
  if (layout.place.is_ipv6) {
    if (load_u16(ip + kIpv6LengthAt) != length - kIpv6HeaderSize) return false;
  } else {
    if (load_u16(ip + kIpv4LengthAt) != length) return false;
    const uint16_t id = load_u16(ip + kIpv4IdAt);
    const uint16_t first_id = load_u16(a + layout.place.network_offset + kIpv4IdAt);
    const bool may_repeat =
        (load_u16(ip + kIpv4FragmentAt) & kDontFragment) != 0;  // RFC 6864: then it means nothing.
    if (id != entry.next_id && !(may_repeat && id == first_id)) return false;
  }
  if (load_u32(b + layout.place.offset + kSequenceAt) != entry.next_sequence) return false;
  if (!is_intact(frame, layout.place, partial_checksum)) return false;
  if (!entry.is_intact && !is_first_intact(index)) {  // Only now does it matter.
    entry.is_open = false;
    return false;
  }
  entry.is_intact = true;
  return true;
}

/// REQUIRES: the entry has one segment.
bool Coalescer::is_first_intact(size_t index) {
  const Entry& entry = entries_[index];
  const ByteView first(frames_[index].data, frames_[index].size);
  const size_t header = entry.layout.header_size;
  // place() may have had the next frame opened over the end of this: put it back to look at the whole.
  const bool is_covered = guessed_ == index;
  uint8_t* const end = frames_[index].data + frames_[index].size - header;
  Header covering;
  if (is_covered) {
    std::memcpy(covering.data(), end, header);
    std::memcpy(end, aside_.data(), header);
  }
  const bool out = is_intact(first, entry.layout.place, entry.is_partial);
  if (is_covered) std::memcpy(end, covering.data(), header);
  return out;
}

/// The payload is in its place behind what the entry has already.
void Coalescer::join(size_t index, size_t payload_size, bool is_pushed) {
  Entry& entry = entries_[index];
  frames_[index].size += payload_size;
  ++entry.segments;
  entry.next_sequence += static_cast<uint32_t>(payload_size);
  ++entry.next_id;
  entry.is_pushed = is_pushed;
  entry.is_open = !is_pushed && payload_size == entry.payload_size;
  last_ = index;
  guessed_ = kNobody;
}

size_t Coalescer::finish() {
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    Frame& frame = frames_[i];
    const ByteSpan bytes(frame.data, frame.size);
    if (entry.segments < 2) {
      if (entry.is_partial) complete_checksum(bytes);
      continue;
    }
    const TransportPlace& place = entry.layout.place;
    uint8_t* const ip = frame.data + place.network_offset;
    if (place.is_ipv6) {
      store_u16(ip + kIpv6LengthAt, frame.size - place.network_offset - kIpv6HeaderSize);
    } else {
      store_u16(ip + kIpv4LengthAt, frame.size - place.network_offset);
      complete_ipv4_header_checksum({ip, kIpv4HeaderSize});
    }
    uint8_t* const header = frame.data + place.offset;
    if (entry.is_pushed) header[kFlagsAt] |= kPsh;
    const InternetChecksum sum = pseudo_header_sum(bytes, place, frame.size - place.offset);
    const auto checksum =
        static_cast<uint16_t>(~sum.finish());  // The field holds the sum, not its complement.
    std::memcpy(header + kChecksumAt, &checksum, 2);
    frame.segment_size = entry.payload_size;
  }
  return entries_.size();
}

}  // namespace ipop
