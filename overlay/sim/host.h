// A host of the simulated world, with one node.  Its guests are played by the test: frames in, frames out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "overlay/base/log.h"
#include "overlay/crypto/certificate.h"
#include "overlay/crypto/identity.h"
#include "overlay/node/node.h"
#include "overlay/sim/host_clock.h"

namespace ipop::sim {

class World;

/// What a host sent to the Internet since the beginning.  Octets are those in the datagrams: no headers.
struct Traffic {
  uint64_t datagrams = 0;
  uint64_t octets = 0;
};

class Host {
 public:
  const std::string& name() const { return name_; }
  /// Its number in the world and its Internet, from 0.
  uint32_t index() const { return index_; }
  const Endpoint& endpoint() const { return endpoint_; }
  const NodeId& id() const { return id_; }
  bool is_running() const { return node_ != nullptr; }
  /// What its own clock shows: the `now` for calls to its node.
  Instant now() const;

  /// To call the node yourself; the world then collects what it has to say.  REQUIRES: is_running().
  Node& node();
  /// To look at it only, which costs nothing.  REQUIRES: is_running().
  const Node& node() const { return *node_; }

  /// Frames that the node handed to the switch since the last call.
  std::vector<Bytes> take_frames() { return std::exchange(frames_, {}); }
  /// A guest of this host sends.
  void send_frame(ByteView frame);
  const Traffic& sent() const { return sent_; }
  uint64_t sent_bytes() const { return sent_.octets; }

 private:
  friend class World;

  World* world_ = nullptr;
  uint32_t index_ = 0;
  bool is_touched_ = false;   ///< node() was handed out, and the world has not looked since.
  Instant wake_at_ = kNever;  ///< When the world's queue holds the entry that counts; others are out of date.
  HostClock clock_;
  Duration ahead_{};  ///< Of the world's time of day.
  std::string name_;
  NodeId id_;
  Endpoint endpoint_;
  std::vector<Endpoint> introducers_;
  Replica::Distortion distortion_;
  std::optional<Identity> identity_;
  std::optional<Certificate> certificate_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<Node> node_;
  std::vector<Bytes> frames_;
  Traffic sent_;
};

}  // namespace ipop::sim
