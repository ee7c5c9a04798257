#include "overlay/session/keypair.h"

#include <cstring>

#include "overlay/base/assert.h"
#include "overlay/wire/slice.h"

namespace ipop {

bool Keypair::seal(wire::Type type, ByteView plaintext, uint8_t* out) {
  const auto counter = reserve(1);
  if (!counter) return false;
  seal_as({.type = type, .flags = 0, .receiver_index = remote_index_, .counter = *counter}, plaintext, out);
  return true;
}

std::optional<uint64_t> Keypair::reserve(uint64_t n) {
  const uint64_t first = next_counter_.fetch_add(n, std::memory_order_relaxed);
  if (first >= kMaxMessages) return std::nullopt;
  return first;
}

void Keypair::seal_frame(uint64_t counter, uint8_t flags, ByteView frame, uint8_t* out) const {
  seal_as({.type = wire::Type::Data, .flags = flags, .receiver_index = remote_index_, .counter = counter},
          frame, out);
}

size_t Keypair::seal_slice(uint64_t counter, uint8_t flags, ByteView frame, size_t index, size_t count,
                           uint8_t* out) const {
  const wire::SliceHeader header{.index = static_cast<uint8_t>(index),
                                 .count = static_cast<uint8_t>(count),
                                 .size = static_cast<uint16_t>(frame.size())};
  uint8_t* const plaintext = out + wire::DataHeader::kSize;  // Gathered in the place where it is sealed.
  header.encode_to(plaintext);
  std::memcpy(plaintext + wire::SliceHeader::kSize, frame.data() + header.offset(), header.octets());
  const ByteView slice(plaintext, wire::SliceHeader::kSize + header.octets());
  seal_frame(counter, flags | wire::DataHeader::kSliced, slice, out);
  return slice.size() + kOverhead;
}

size_t Keypair::slice_datagram_size(size_t frame_size, size_t count) {
  return (frame_size + count - 1) / count + wire::SliceHeader::kSize + kOverhead;
}

void Keypair::seal_as(const wire::DataHeader& header, ByteView plaintext, uint8_t* out) const {
  header.encode_to(out);
  send_.seal(CounterNonce(header.counter), ByteView(out, wire::DataHeader::kSize), plaintext,
             out + wire::DataHeader::kSize);
}

Result<Done> Keypair::open(const wire::DataHeader& header, ByteView datagram, uint8_t* out) {
  IPOP_ASSERT(datagram.size() >= kOverhead);
  if (!receive_.open(CounterNonce(header.counter), datagram.first(wire::DataHeader::kSize),
                     datagram.subspan(wire::DataHeader::kSize), out)) {
    return Error::BadAuthTag;
  }
  if (!window_.accept(header.counter)) return Error::Replayed;
  if (!heard_.load(std::memory_order_relaxed)) heard_.store(true, std::memory_order_relaxed);
  return Done{};
}

}  // namespace ipop
