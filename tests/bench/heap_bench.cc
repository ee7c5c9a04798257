// What a peer costs in memory: whole nodes in a simulated Internet, whose heap is looked at while all guests
// talk to all, and when they have fallen silent.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <memory>
#include <string>
#include <vector>

#include "overlay/sim/world.h"
#include "tests/support/guest_frames.h"

namespace ipop {
namespace {

constexpr size_t kHosts = 60;  // More than a ring of neighbours links by itself.

/// Hosts with a guest each.
class Talkers {
 public:
  Talkers() {
    for (size_t i = 0; i < kHosts; ++i) {
      hosts_.push_back(&world_.add_host("h" + std::to_string(i)));
      world_.run_for(100ms);
    }
    world_.run_for(60s);
  }

  void announce() {
    for (size_t i = 0; i < kHosts; ++i) hosts_[i]->send_frame(test::arp_request(mac(i), ip(i), ip(i)));
    rest(60s);
  }
  void talk() {
    for (int second = 0; second < 10; ++second) {
      for (size_t i = 0; i < kHosts; ++i) {
        for (size_t j = 0; j < kHosts; ++j) {
          if (i != j) hosts_[i]->send_frame(test::frame(mac(j), mac(i), std::string(100, 'x')));
        }
      }
      rest(1s);
    }
  }
  void rest(Duration duration) {
    world_.run_for(duration);
    for (sim::Host* host : hosts_) host->take_frames();
  }

  size_t links() const {
    size_t out = 0;
    for (sim::Host* host : hosts_) out += host->node().links().all().size();
    return out;
  }
  /// Bindings of guests of other hosts.
  size_t known() const {
    size_t out = 0;
    for (sim::Host* host : hosts_) {
      out += host->node().vnet().bindings().size() - host->node().vnet().local_bindings().size();
    }
    return out;
  }

 private:
  static MacAddress mac(size_t i) { return {{0x52, 0x54, 0, 0, 1, static_cast<uint8_t>(i)}}; }
  static Ipv4Address ip(size_t i) { return {static_cast<uint32_t>(0x0a800101 + i)}; }

  sim::World world_{{.seed = 1, .keeps_log = false}};
  std::vector<sim::Host*> hosts_;
};

double heap() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

/// Octets at one end: of a peer that was only heard of, with this node's share of the DHT's records; of one
/// with a session that carries frames, with all that the node keeps of it; and of one that was talked to and
/// is only known now.  For the latter two all happens once before, so that the simulator's queues and what a
/// host needs for its first frame to anybody count for nobody.
void HeapOfPeers(benchmark::State& state) {
  for (auto _ : state) {
    Talkers talkers;
    const double alone = heap();
    talkers.announce();
    state.counters["heard_of"] = (heap() - alone) / static_cast<double>(talkers.known());
    talkers.talk();
    talkers.rest(1h);
    if (talkers.known() != 0) return state.SkipWithError("guests are known for ever");
    const double before = heap();
    talkers.announce();
    talkers.talk();
    const double talking = heap();
    const auto linked = static_cast<double>(talkers.links());
    if (talkers.links() != kHosts * (kHosts - 1)) return state.SkipWithError("not all are linked to all");
    talkers.rest(20min);
    const auto closed = linked - static_cast<double>(talkers.links());
    if (closed < linked / 2) return state.SkipWithError("links stay that nobody uses");
    state.counters["established"] = (talking - heap()) / closed;
    state.counters["known"] = (heap() - before) / static_cast<double>(talkers.known());
  }
}
BENCHMARK(HeapOfPeers)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace ipop
