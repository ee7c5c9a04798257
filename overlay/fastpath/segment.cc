#include "overlay/fastpath/segment.h"

#include <cstring>

#include "overlay/base/big_endian.h"
#include "overlay/fastpath/tcp_header.h"
#include "overlay/wire/ethernet.h"

namespace ipop {

using namespace tcp;

namespace {

constexpr size_t kIpv4LengthAt = 2, kIpv4IdAt = 4, kIpv4ChecksumAt = 10, kIpv6LengthAt = 4;
constexpr size_t kIpv6HeaderSize = 40;

}  // namespace

std::optional<Segmenter> Segmenter::parse(ByteSpan frame, size_t segment_size) {
  if (frame.size() > kMaxFrameSize || segment_size < kMinSegmentSize) return std::nullopt;
  const auto place = find_transport(frame);
  if (!place || place->protocol != kIpProtocolTcp) return std::nullopt;
  const size_t tcp_header = size_t{frame[place->offset + kDataOffsetAt]} / 16 * 4;
  if (tcp_header < kMinHeaderSize || tcp_header > place->end - place->offset) return std::nullopt;
  if (place->offset + tcp_header > kMaxHeaders) return std::nullopt;
  Segmenter segmenter(frame.first(place->end), *place, place->offset + tcp_header, segment_size);
  if (segmenter.count_ > 1 && (segmenter.flags_ & (kSyn | kRst | kUrg)) != 0) return std::nullopt;
  return segmenter;
}

Segmenter::Segmenter(ByteSpan frame, const TransportPlace& place, size_t payload_offset, size_t segment_size)
    : frame_(frame), place_(place), payload_offset_(payload_offset), segment_size_(segment_size) {
  const size_t payload = frame.size() - payload_offset;
  count_ = payload == 0 ? 1 : (payload - 1) / segment_size + 1;

  std::memcpy(headers_.data(), frame.data(), payload_offset);
  uint8_t* const tcp = headers_.data() + place.offset;
  sequence_ = load_u32(tcp + kSequenceAt);
  flags_ = tcp[kFlagsAt];
  store_u16(tcp + kChecksumAt, 0);
  if (place.is_ipv6) return;
  uint8_t* const ip = headers_.data() + place.network_offset;
  id_ = load_u16(ip + kIpv4IdAt);
  store_u16(ip + kIpv4LengthAt, 0);
  store_u16(ip + kIpv4IdAt, 0);
  store_u16(ip + kIpv4ChecksumAt, 0);
  ipv4_sum_.add({ip, place.offset - place.network_offset});
}

ByteSpan Segmenter::cut(size_t i) {
  const ByteSpan out = frame_.subspan(i * segment_size_, frame_size(i));
  std::memcpy(out.data(), headers_.data(), payload_offset_);

  uint8_t* const ip = out.data() + place_.network_offset;
  const auto length = static_cast<uint16_t>(out.size() - place_.network_offset);
  if (place_.is_ipv6) {
    store_u16(ip + kIpv6LengthAt, length - kIpv6HeaderSize);
  } else {
    const auto id = static_cast<uint16_t>(id_ + i);  // Distinct, as RFC 6864 asks where DF is clear.
    store_u16(ip + kIpv4LengthAt, length);
    store_u16(ip + kIpv4IdAt, id);
    InternetChecksum sum = ipv4_sum_;
    sum.add_u16(length);
    sum.add_u16(id);
    const uint16_t checksum = sum.finish();
    std::memcpy(ip + kIpv4ChecksumAt, &checksum, sizeof checksum);
  }

  uint8_t* const tcp = out.data() + place_.offset;
  store_u32(tcp + kSequenceAt, sequence_ + static_cast<uint32_t>(i * segment_size_));
  uint8_t flags = flags_;
  if (i > 0) flags &= static_cast<uint8_t>(~kCwr);
  if (i + 1 < count_) flags &= static_cast<uint8_t>(~(kFin | kPsh));
  tcp[kFlagsAt] = flags;
  return out;
}

}  // namespace ipop
