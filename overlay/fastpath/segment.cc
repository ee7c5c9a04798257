#include "overlay/fastpath/segment.h"

#include <algorithm>
#include <cstring>

#include "overlay/fastpath/tcp_header.h"
#include "overlay/wire/ethernet.h"

namespace ipop {

using namespace tcp;

std::optional<Segmenter> Segmenter::parse(ByteView frame, size_t segment_size) {
  if (frame.size() > kMaxFrameSize || segment_size < kMinSegmentSize) return std::nullopt;
  const auto place = find_transport(frame);
  if (!place || place->protocol != kProtocolTcp) return std::nullopt;
  const size_t tcp_header = size_t{frame[place->offset + kDataOffsetAt]} / 16 * 4;
  if (tcp_header < 20 || tcp_header > place->end - place->offset) return std::nullopt;
  Segmenter segmenter(frame.first(place->end), *place, place->offset + tcp_header, segment_size);
  const uint8_t flags = frame[place->offset + kFlagsAt];
  if (segmenter.count_ > 1 && (flags & (kSyn | kRst | kUrg)) != 0) return std::nullopt;
  return segmenter;
}

Segmenter::Segmenter(ByteView frame, const TransportPlace& place, size_t payload_offset, size_t segment_size)
    : frame_(frame),
      place_(place),
      addresses_sum_(pseudo_header_sum(frame, place, 0)),
      payload_offset_(payload_offset),
      segment_size_(segment_size) {
  const size_t payload = frame.size() - payload_offset;
  count_ = payload == 0 ? 1 : (payload - 1) / segment_size + 1;
}

size_t Segmenter::payload_size(size_t i) const {
  return std::min(segment_size_, frame_.size() - payload_offset_ - i * segment_size_);
}

void Segmenter::write(size_t i, uint8_t* out) const {
  const ByteView payload = frame_.subspan(payload_offset_ + i * segment_size_, payload_size(i));
  std::memcpy(out, frame_.data(), payload_offset_);

  uint8_t* const ip = out + place_.network_offset;
  uint8_t* const tcp = out + place_.offset;
  if (place_.is_ipv6) {
    store_u16(ip + 4, frame_size(i) - place_.network_offset - 40);
  } else {
    store_u16(ip + 2, frame_size(i) - place_.network_offset);
    store_u16(ip + 4, load_u16(ip + 4) + i);  // Distinct, as RFC 6864 asks where DF is clear.
    complete_ipv4_header_checksum({ip, place_.offset - place_.network_offset});
  }

  const bool first = i == 0;
  const bool last = i + 1 == count_;
  store_u32(tcp + kSequenceAt, load_u32(tcp + kSequenceAt) + static_cast<uint32_t>(i * segment_size_));
  if (!first) tcp[kFlagsAt] &= static_cast<uint8_t>(~kCwr);
  if (!last) tcp[kFlagsAt] &= static_cast<uint8_t>(~(kFin | kPsh));
  store_u16(tcp + kChecksumAt, 0);
  InternetChecksum sum = addresses_sum_;
  sum.add_u16(static_cast<uint16_t>(frame_size(i) - place_.offset));
  sum.add({tcp, payload_offset_ - place_.offset});
  sum.add_copying(payload, out + payload_offset_);
  const uint16_t checksum = sum.finish();
  std::memcpy(tcp + kChecksumAt, &checksum, 2);
}

}  // namespace ipop
