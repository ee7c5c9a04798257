// What a super-frame costs: cut and sealed on its way out, joined again on its way in.
#include <benchmark/benchmark.h>

#include "overlay/fastpath/coalescer.h"
#include "overlay/fastpath/segment.h"
#include "tests/fastpath/cutting.h"
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

/// Cut in place into frames without checksums, without sealing.
void Segment(benchmark::State& state) {
  Bytes frame = super_frame();
  const Bytes headers(frame.begin(), frame.begin() + 66);
  for (auto _ : state) {
    std::copy(headers.begin(), headers.end(), frame.begin());
    auto segmenter = Segmenter::parse(frame, kSegmentSize);
    for (size_t i = 0; i < segmenter->count(); ++i) benchmark::DoNotOptimize(segmenter->cut(i).data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(frame.size()));
}
BENCHMARK(Segment);

/// Joined from frames of so many flows in turn (the first argument), whose checksums are whole or partial
/// (the second).  Copying each to its place stands for decryption, and is in the time.
void Coalesce(benchmark::State& state) {
  const auto flows = static_cast<size_t>(state.range(0));
  const bool is_partial = state.range(1) != 0;
  std::vector<std::vector<Bytes>> of_flow;
  for (size_t flow = 0; flow < flows; ++flow) of_flow.push_back(test::cut(super_frame(flow), kSegmentSize));
  std::vector<Bytes> segments;
  size_t octets = 0;
  for (size_t i = 0; i < of_flow.front().size(); ++i) {
    for (const auto& cut : of_flow) octets += segments.emplace_back(cut[i]).size();
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
      coalescer.add(segment.size(), is_partial);
    }
    if (coalescer.finish() != flows) return state.SkipWithError("segments were not joined");
  }
  state.SetBytesProcessed(static_cast<int64_t>(static_cast<size_t>(state.iterations()) * octets));
}
BENCHMARK(Coalesce)->ArgsProduct({{1, 4, 16}, {0, 1}});

}  // namespace
}  // namespace ipop
