// Nodes in one process, on virtual time and a virtual Internet: the other shell of the core.
//
// Deterministic: the same seed gives the same run.  The Internet (internet.h) delivers each datagram after a
// delay of its own, so it reorders, and it loses some; nodes have no fast path here and open their datagrams
// themselves.  An event costs the logarithm of how many are due, whatever the number of hosts: ten thousand
// nodes fit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "overlay/crypto/authority.h"
#include "overlay/sim/cheap_signatures.h"
#include "overlay/sim/event_queue.h"
#include "overlay/sim/host.h"
#include "overlay/sim/internet.h"

namespace ipop::sim {

struct WorldOptions {
  uint64_t seed = 1;
  Duration latency_min = 10ms;  ///< One way; each datagram draws its own.
  Duration latency_max = 30ms;
  double loss = 0;  ///< Share of datagrams, 0 to 1.
  Duration rekey_after = 120s;
  Ipv4Subnet subnet = *Ipv4Subnet::parse("10.128.0.0/16");
  Latency latency = Latency::Uniform;  ///< Latency::Plane has no use for the bounds above.
  double deaf_pairs = 0;               ///< Share of pairs that cannot exchange a datagram, 0 to 1.
  double drift_ppm = 0;                ///< Each host's clock is off by up to this, at most 100, either way.
  Duration clock_spread{};             ///< What hosts take for the time of day differs by up to this.
  bool signs_truly = false;  ///< Records by Ed25519, not sim::CheapSignatures: the same runs, slower.
  bool keeps_log = true;     ///< Ten thousand nodes log more than anybody reads.
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();

  /// Makes a host and starts it, with the first one as its introducer.
  Host& add_host(const std::string& name);
  /// Makes a host and leaves it to start().
  Host& make_host(const std::string& name, std::vector<Endpoint> introducers);
  void set_introducers(Host& host, std::vector<Endpoint> introducers);
  /// The host is dishonest from its next start on.
  void set_distortion(Host& host, Replica::Distortion distortion);
  /// The process dies without a word; later start() gives it a new one with the same invite.
  void kill(Host& host);
  void start(Host& host);
  /// The host has another address from now on.
  void move(Host& host, const Endpoint& endpoint);
  /// Datagrams between the two are lost, both ways, until the second call.
  void cut(const Host& a, const Host& b) { internet_.cut(a.index(), b.index()); }
  void mend(const Host& a, const Host& b) { internet_.mend(a.index(), b.index()); }
  Internet& internet() { return internet_; }
  const Internet& internet() const { return internet_; }
  /// A datagram from an address of nobody.
  void inject(const Endpoint& from, const Host& to, Bytes datagram);
  /// Sees every datagram as it is sent.
  void set_tap(std::function<void(const Endpoint& from, const Endpoint& to, ByteView)> tap) {
    tap_ = std::move(tap);
  }

  /// Sees every frame as a node hands it to its switch.
  void set_frame_tap(std::function<void(const Host& host, ByteView frame)> tap) {
    frame_tap_ = std::move(tap);
  }

  Instant now() const { return now_; }
  void run_for(Duration duration);
  /// False if it is not true within `limit`.  Asks after every event, so `condition` ought to be cheap.
  bool run_until(const std::function<bool()>& condition, Duration limit);

  size_t size() const { return hosts_.size(); }
  Host& host(size_t index) { return *hosts_[index]; }
  const Host& host(size_t index) const { return *hosts_[index]; }
  /// Of all hosts, also of those that are gone.
  const Traffic& sent() const { return sent_; }
  /// Arrivals and visits so far.
  uint64_t events() const { return events_; }
  /// All lines that nodes logged, with time and host.
  const std::vector<std::string>& log() const { return log_; }
  const Authority& authority() const { return authority_; }

 private:
  friend class Host;
  class HostLog;

  struct InFlight {
    Endpoint from;
    Endpoint to;
    uint32_t host;  ///< Who had the endpoint when it was sent: a guess that saves the search.
    Bytes bytes;
  };
  struct EndpointHash {
    size_t operator()(const Endpoint& endpoint) const;
  };

  bool step(Instant limit);
  void arrive(uint32_t slot);
  void wake(Host& host, Instant at);
  void collect(Host& host);
  void collect_touched();
  void schedule(Host& host);
  void transmit(Host& from, const Endpoint& to, Bytes bytes);
  void launch(Instant at, InFlight datagram);
  Host* find(const Endpoint& endpoint);

  WorldOptions options_;
  SeededRandom random_;
  Instant now_{1s};
  Authority authority_;
  Network network_;
  CheapSignatures signatures_;
  Internet internet_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::unordered_map<Endpoint, uint32_t, EndpointHash> by_endpoint_;  ///< Looked up, never walked.
  std::vector<uint32_t> touched_;
  EventQueue queue_;
  std::vector<InFlight> in_flight_;  ///< Events name a slot; slots are used again.
  std::vector<uint32_t> free_slots_;
  uint64_t events_ = 0;
  Traffic sent_;
  std::function<void(const Endpoint&, const Endpoint&, ByteView)> tap_;
  std::function<void(const Host&, ByteView)> frame_tap_;
  std::vector<std::string> log_;
};

}  // namespace ipop::sim
