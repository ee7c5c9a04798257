// What a super-frame costs: cut and sealed on its way out, joined again on its way in.
#include <benchmark/benchmark.h>

#include "overlay/fastpath/coalescer.h"
#include "overlay/fastpath/segment.h"
#include "tests/fastpath/frames.h"

namespace ipop {
namespace {

constexpr size_t kSegmentSize = 1348;

Bytes super_frame(size_t flow = 0) {
  return test::FrameSpec{.source_port = static_cast<uint16_t>(40000 + flow),
                         .tcp_options = Bytes(12, 1),
                         .payload = test::pattern(45 * kSegmentSize)}
      .build();
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
  std::vector<Bytes> super_frames;
  std::vector<Segmenter> cutters;
  for (size_t flow = 0; flow < flows; ++flow) super_frames.push_back(super_frame(flow));
  for (const Bytes& frame : super_frames) cutters.push_back(*Segmenter::parse(frame, kSegmentSize));
  std::vector<Bytes> segments;
  size_t octets = 0;
  for (size_t i = 0; i < cutters.front().count(); ++i) {
    for (const Segmenter& cutter : cutters) {
      octets += segments.emplace_back(cutter.frame_size(i)).size();
      cutter.write(i, segments.back().data());
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
