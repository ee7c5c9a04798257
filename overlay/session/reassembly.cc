#include "overlay/session/reassembly.h"

#include <algorithm>

namespace ipop {

Result<std::optional<ByteSpan>> Reassembly::add(uint32_t local_index, uint64_t counter, ByteView plaintext) {
  const auto header = wire::SliceHeader::decode(plaintext);
  if (!header || header->size > kMaxCarriedFrame || counter < header->index) return Error::Malformed;
  Entry& entry = find_or_begin(local_index, counter - header->index, *header);
  if (entry.count != header->count || entry.size != header->size) return Error::Malformed;
  const ByteView octets = plaintext.subspan(wire::SliceHeader::kSize);
  std::copy(octets.begin(), octets.end(), entry.octets.begin() + static_cast<ptrdiff_t>(header->offset()));
  entry.arrived |= static_cast<uint16_t>(1u << header->index);
  if (entry.arrived != (1u << entry.count) - 1) return std::optional<ByteSpan>();
  entry.is_used = false;
  return std::optional(ByteSpan(entry.octets).first(entry.size));
}

Reassembly::Entry& Reassembly::find_or_begin(uint32_t local_index, uint64_t first_counter,
                                             const wire::SliceHeader& header) {
  Entry* place = nullptr;       // Unused, or the oldest.
  Entry* of_session = nullptr;  // The oldest of it.
  size_t count_of_session = 0;
  const auto is_better = [](const Entry& a, const Entry* b) {
    return b == nullptr || (a.is_used == b->is_used ? a.begun < b->begun : !a.is_used);
  };
  for (Entry& entry : entries_) {
    if (entry.is_used && entry.local_index == local_index) {
      if (entry.first_counter == first_counter) return entry;
      ++count_of_session;
      if (is_better(entry, of_session)) of_session = &entry;
    }
    if (is_better(entry, place)) place = &entry;
  }
  if (count_of_session >= kMaxFramesOfSession) place = of_session;
  if (place->is_used) ++incomplete_;
  place->is_used = true;
  place->local_index = local_index;
  place->first_counter = first_counter;
  place->count = header.count;
  place->size = header.size;
  place->arrived = 0;
  place->begun = ++begun_;
  if (place->octets.empty()) place->octets.resize(kMaxCarriedFrame);
  return *place;
}

}  // namespace ipop
