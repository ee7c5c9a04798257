// Nodes in one process, on virtual time and a virtual Internet: the other shell of the core.
//
// Deterministic: the same seed gives the same run.  The Internet delivers each datagram after a delay of its
// own, so it reorders, and it loses some; nodes have no fast path here and open their datagrams themselves.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "overlay/base/log.h"
#include "overlay/crypto/authority.h"
#include "overlay/node/node.h"

namespace ipop::sim {

struct WorldOptions {
  uint64_t seed = 1;
  Duration latency_min = 10ms;  ///< One way; each datagram draws its own.
  Duration latency_max = 30ms;
  double loss = 0;  ///< Share of datagrams, 0 to 1.
  Duration rekey_after = 120s;
  Ipv4Subnet subnet = *Ipv4Subnet::parse("10.128.0.0/16");
};

class World;

/// A host with one node.  Its guests are played by the test: frames in, frames out.
class Host {
 public:
  const std::string& name() const { return name_; }
  const Endpoint& endpoint() const { return endpoint_; }
  const NodeId& id() const { return id_; }
  /// REQUIRES: is_running().
  Node& node() { return *node_; }
  bool is_running() const { return node_ != nullptr; }

  /// Frames that the node handed to the switch since the last call.
  std::vector<Bytes> take_frames() { return std::exchange(frames_, {}); }
  /// A guest of this host sends.
  void send_frame(ByteView frame);
  /// Bytes that the node sent to the Internet, since the beginning.
  uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  friend class World;

  World* world_ = nullptr;
  std::string name_;
  NodeId id_;
  Endpoint endpoint_;
  std::vector<Endpoint> introducers_;
  std::optional<Identity> identity_;
  std::optional<Certificate> certificate_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<Node> node_;
  std::vector<Bytes> frames_;
  uint64_t sent_bytes_ = 0;
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();

  /// Starts a host, with the first one as its introducer.
  Host& add_host(const std::string& name);
  /// The process dies without a word; later start() gives it a new one with the same invite.
  void kill(Host& host);
  void start(Host& host);
  /// The host has another address from now on.
  void move(Host& host, const Endpoint& endpoint);
  /// Datagrams between the two are lost, both ways, until the second call.
  void cut(const Host& a, const Host& b) { cuts_.insert(std::minmax(a.id(), b.id())); }
  void mend(const Host& a, const Host& b) { cuts_.erase(std::minmax(a.id(), b.id())); }
  /// A datagram from an address of nobody.
  void inject(const Endpoint& from, const Host& to, Bytes datagram);
  /// Sees every datagram as it is sent.
  void set_tap(std::function<void(const Endpoint& from, const Endpoint& to, ByteView)> tap) {
    tap_ = std::move(tap);
  }

  Instant now() const { return now_; }
  void run_for(Duration duration);
  /// False if it is not true within `limit`.
  bool run_until(const std::function<bool()>& condition, Duration limit);

  /// All lines that nodes logged, with time and host.
  const std::vector<std::string>& log() const { return log_; }
  const Authority& authority() const { return authority_; }

 private:
  friend class Host;
  class HostLog;

  struct InFlight {
    Endpoint from;
    Endpoint to;
    Bytes bytes;
  };

  bool step(Instant limit);
  void empty(Host& host);
  void transmit(Host& from, const Node::Datagram& datagram);

  WorldOptions options_;
  SeededRandom random_;
  Instant now_{1s};
  Authority authority_;
  Network network_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::map<Host*, std::unique_ptr<Log>> logs_;
  std::multimap<Instant, InFlight> in_flight_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::function<void(const Endpoint&, const Endpoint&, ByteView)> tap_;
  std::vector<std::string> log_;
};

}  // namespace ipop::sim
