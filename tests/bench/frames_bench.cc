// What a frame costs between the switch and the socket: sealing, opening, and finding the peer.
#include <benchmark/benchmark.h>

#include "tests/fastpath/frames.h"
#include "tests/support/fast_path.h"

namespace ipop {
namespace {

using test::ethernet;
using test::kGuest1;
using test::kGuest2;
using test::kTheirEndpoint;

constexpr size_t kBatch = 32;  // What the switch sends at once (NETDEV_MAX_BURST).

/// Where datagrams end that nobody is to send.
struct NoSink : DatagramSink {
  void send(const SealedBatch& batch) override { benchmark::DoNotOptimize(batch.trains().data()); }
};

/// As test::FastPath, without a record of what was sent.
struct Bench {
  Bench() { path.add_peer(ends, kTheirEndpoint, kGuest2); }
  SealContext sealing() {
    return {path.snapshot, path.now, path.batch, sink, path.inbox, path.counters, path.refused};
  }

  test::FastPath path;
  test::KeypairEnds ends{1, 0x100, 0x200};
  NoSink sink;
};

void report(benchmark::State& state, size_t frames, size_t octets) {
  state.SetItemsProcessed(static_cast<int64_t>(static_cast<size_t>(state.iterations()) * frames));
  state.SetBytesProcessed(static_cast<int64_t>(static_cast<size_t>(state.iterations()) * frames * octets));
}

/// A batch of equal frames to one peer; the argument is the size of each.
void Seal(benchmark::State& state) {
  Bench bench;
  const auto size = static_cast<size_t>(state.range(0));
  Bytes frame = ethernet(kGuest2, kGuest1, size);
  const SealContext context = bench.sealing();
  for (auto _ : state) {
    for (size_t i = 0; i < kBatch; ++i) {
      seal_frame(context, {.data = frame, .partial_checksum = false, .segment_size = 0});
    }
    flush(context);
  }
  report(state, kBatch, size);
}
BENCHMARK(Seal)->Arg(64)->Arg(512)->Arg(1400)->Arg(9000);

/// Likewise of UDP with 18 octets, over IPv4 and IPv6: what guests may not say to each other has to be told
/// from it.
void SealUdp(benchmark::State& state) {
  Bench bench;
  Bytes frame = test::FrameSpec{.ipv6 = state.range(0) == 6, .protocol = 17, .payload = Bytes(18)}.build();
  const SealContext context = bench.sealing();
  for (auto _ : state) {
    for (size_t i = 0; i < kBatch; ++i) {
      seal_frame(context, {.data = frame, .partial_checksum = false, .segment_size = 0});
    }
    flush(context);
  }
  if (bench.path.counters.to_core > 0) return state.SkipWithError("the core got a frame");
  report(state, kBatch, frame.size());
}
BENCHMARK(SealUdp)->Arg(4)->Arg(6);

/// Each datagram can be opened once, so that they are made outside of the time that is taken.
void Open(benchmark::State& state) {
  constexpr size_t kMany = 4096;
  const auto size = static_cast<size_t>(state.range(0));
  const Bytes frame = ethernet(kGuest1, kGuest2, size);
  Bytes out(kMaxCarriedFrame);
  Bench bench;
  const OpenContext context = bench.path.opening();
  std::vector<Bytes> datagrams(kMany);
  for (auto _ : state) {
    state.PauseTiming();
    for (Bytes& datagram : datagrams) datagram = test::seal(*bench.ends.them, frame);
    state.ResumeTiming();
    Opener opener(context);
    for (const Bytes& datagram : datagrams) {
      const auto opened = opener.open(kTheirEndpoint, datagram, out);
      if (!opened || opened->bytes.size() != size) return state.SkipWithError("a datagram did not open");
    }
  }
  report(state, kMany, size);
}
BENCHMARK(Open)->Arg(64)->Arg(512)->Arg(1400)->Arg(9000);

/// Sealing with so many bindings known (the first argument) at so many peers (the second).  With a third of 1
/// each frame is for another guest, which shows what the caches of the machine make of it.
void SealAmong(benchmark::State& state) {
  Bench bench;
  Snapshot& snapshot = bench.path.snapshot;
  const auto bindings = static_cast<uint32_t>(state.range(0));
  const auto peers = static_cast<uint32_t>(state.range(1));
  const bool is_spread = state.range(2) != 0;
  while (snapshot.peers.size() < peers) snapshot.peers.push_back(snapshot.peers.front());
  const auto guest = [](uint32_t i) {
    return MacAddress{{0x52, 0x55, static_cast<uint8_t>(i >> 24), static_cast<uint8_t>(i >> 16),
                       static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}};
  };
  for (uint32_t i = 0; i < bindings; ++i) snapshot.places[guest(i)] = i % peers;
  SeededRandom random(1);
  std::vector<Bytes> frames;
  for (size_t i = 0; i < kBatch * 64; ++i) {
    const auto to = is_spread ? static_cast<uint32_t>(random.below(bindings)) : 0;
    frames.push_back(ethernet(guest(to), kGuest1, 64));
  }
  const SealContext context = bench.sealing();
  size_t next = 0;
  for (auto _ : state) {
    for (size_t i = 0; i < kBatch; ++i) {
      seal_frame(context, {.data = frames[next], .partial_checksum = false, .segment_size = 0});
      next = (next + 1) % frames.size();
    }
    flush(context);
  }
  report(state, kBatch, 64);
}
BENCHMARK(SealAmong)->ArgsProduct({{10, 1000, 50000}, {10, 1000}, {0, 1}});

}  // namespace
}  // namespace ipop
