// One port of the switch: a member of one network, with its sockets, its node and its two directions of
// fast path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/log.h"
#include "overlay/fastpath/coalescer.h"
#include "overlay/fastpath/opener.h"
#include "overlay/fastpath/sealer.h"
#include "overlay/io/membership.h"
#include "overlay/io/runtime.h"
#include "overlay/io/udp_socket.h"
#include "overlay/ipop.h"

namespace ipop {

/// What an administrator said, understood.
struct PortOptions {
  std::string name;
  std::string invite;
  Endpoint listen{.address = {}, .port = kDefaultPort};
  std::vector<Endpoint> introducers;
  Duration rekey_after = 120s;
  std::string state_dir = kDefaultStateDir;
  bool takes_super_frames = false;
  size_t n_queues = 1;

  static Result<PortOptions, Problem> parse(const ipop_config& config);
};

class Port {
 public:
  struct Failure {
    int error = 0;  ///< errno
    std::string text;
  };
  /// Reads the invite, binds the sockets, starts the core's thread.
  static Result<std::unique_ptr<Port>, Failure> open(const PortOptions& options);
  ~Port();

  // The switch's threads.
  void send(const ipop_frame* frames, size_t n);
  size_t receive(size_t queue, ipop_buffer* buffers, size_t n);
  bool is_ready(size_t queue) const { return queues_[queue].ring.has_more(); }
  size_t buffer_size() const { return options_.takes_super_frames ? kMaxSuperFrame : kMaxCarriedFrame; }
  size_t fds(size_t queue, int out[2]) const;
  size_t n_queues() const { return queues_.size(); }

  // Any thread.
  MacAddress mac() const;
  const PortCounters& counters() const { return counters_; }
  Runtime& runtime() { return *runtime_; }
  const Runtime& runtime() const { return *runtime_; }
  PortFacts facts() const;

 private:
  /// At most so many datagrams a call, so that a flood of noise cannot keep the switch from its other ports.
  static constexpr size_t kMaxDatagramsPerCall = 256;

  class Sink;
  class Registration;

  /// What one thread at a time receives from.
  struct Queue {
    UdpSocket socket;
    ReceiveRing ring{};
    Reassembly reassembly{};
  };

  Port(PortOptions options, std::vector<Endpoint> introducers, std::unique_ptr<Registration> registration,
       std::vector<UdpSocket> sockets, std::unique_ptr<Log> log);
  /// All sends leave by the first: any socket of the group sends from its address.
  const UdpSocket& socket() const { return queues_.front().socket; }

  PortOptions options_;
  std::vector<Endpoint> introducers_;
  std::unique_ptr<Registration> registration_;
  std::vector<Queue> queues_;  ///< As long as the port lives, the same.
  std::unique_ptr<Log> log_;
  PortCounters counters_;
  std::unique_ptr<Runtime> runtime_;  // Last: its thread uses what stands above.
};

/// Where log lines of all ports go; see ipop_set_log().
void set_log(ipop_log_function* log);

}  // namespace ipop
