// What a super-frame costs: cut and sealed on its way out, joined again on its way in.
#include <benchmark/benchmark.h>

#include "overlay/fastpath/coalescer.h"
#include "overlay/fastpath/segment.h"
#include "tests/fastpath/frames.h"

namespace ipop {
namespace {

constexpr size_t kSegmentSize = 1348;

Bytes super_frame() {
  return test::FrameSpec{.tcp_options = Bytes(12, 1), .payload = test::pattern(45 * kSegmentSize)}.build();
}

/// Cut into frames with complete checksums, without sealing.
void Segment(benchmark::State& state) {
  const Bytes frame = super_frame();
  Bytes out(2048);
  for (auto _ : state) {
    const auto segmenter = Segmenter::parse(frame, kSegmentSize);
    for (size_t i = 0; i < segmenter->count(); ++i) segmenter->write(i, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(frame.size()));
}
BENCHMARK(Segment);

/// Joined from frames of so many flows in turn (the argument).  Copying each to its place stands for
/// decryption, and is in the time.
void Coalesce(benchmark::State& state) {
  const auto flows = static_cast<size_t>(state.range(0));
  std::vector<Bytes> segments;
  size_t octets = 0;
  const Bytes frame = super_frame();
  const auto segmenter = Segmenter::parse(frame, kSegmentSize);
  for (size_t i = 0; i < segmenter->count(); ++i) {
    for (size_t flow = 0; flow < flows; ++flow) {
      Bytes segment(segmenter->frame_size(i));
      segmenter->write(i, segment.data());
      // Another source port, and the same in the checksum: one's complement sums do not mind the order.
      segment[35] = static_cast<uint8_t>(segment[35] + flow);
      const size_t checksum_at = 14 + 20 + 16;
      const uint16_t sum = static_cast<uint16_t>(~test::u16_at(segment, checksum_at));
      const uint32_t more = uint32_t{sum} + static_cast<uint32_t>(flow);
      const auto folded = static_cast<uint16_t>(~((more & 0xffff) + (more >> 16)));
      segment[checksum_at] = static_cast<uint8_t>(folded >> 8);
      segment[checksum_at + 1] = static_cast<uint8_t>(folded);
      octets += segment.size();
      segments.push_back(std::move(segment));
    }
  }
  std::vector<Bytes> rooms(32, Bytes(kMaxSuperFrame));
  std::vector<Coalescer::Frame> frames(rooms.size());
  for (auto _ : state) {
    for (size_t i = 0; i < rooms.size(); ++i) {
      frames[i] = {.data = rooms[i].data(), .capacity = rooms[i].size(), .size = 0, .segment_size = 0};
    }
    Coalescer coalescer(frames, true);
    for (const Bytes& segment : segments) {
      std::copy(segment.begin(), segment.end(), coalescer.place(segment.size()));
      coalescer.add(segment.size());
    }
    if (coalescer.finish() != flows) return state.SkipWithError("segments were not joined");
  }
  state.SetBytesProcessed(static_cast<int64_t>(static_cast<size_t>(state.iterations()) * octets));
}
BENCHMARK(Coalesce)->Arg(1)->Arg(4)->Arg(16);

}  // namespace
}  // namespace ipop
