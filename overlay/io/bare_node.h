// A member without a switch: it introduces others and carries their messages on.  It has no guests, so all
// that arrives is the core's business, and what the core has for guests is dropped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "overlay/base/log.h"
#include "overlay/io/membership.h"
#include "overlay/io/runtime.h"
#include "overlay/io/udp_socket.h"

namespace ipop {

class BareNode {
 public:
  struct Options {
    std::string invite;
    Endpoint listen{.address = {}, .port = kDefaultPort};
    std::vector<Endpoint> introducers;  ///< Besides the invite's.
    std::string state_dir = kDefaultStateDir;
  };
  /// Reads the invite, binds the socket, starts the core's thread.  `log`, which that thread writes to, must
  /// outlive it.
  static Result<std::unique_ptr<BareNode>, Problem> open(const Options& options, Log& log);

  /// Hands a bounded number of what has arrived to the core.  Does not block.
  void receive();
  /// Two descriptors that are readable when receive() has something to do.
  void fds(int out[2]) const;
  /// True if it has something to do already.
  bool is_ready() const { return ring_.has_more(); }

  Runtime& runtime() { return *runtime_; }
  PortFacts facts() const;

 private:
  static constexpr size_t kMaxDatagramsPerCall = 256;

  BareNode(Options options, std::vector<Endpoint> introducers, UdpSocket socket)
      : options_(std::move(options)), introducers_(std::move(introducers)), socket_(std::move(socket)) {}

  Options options_;
  std::vector<Endpoint> introducers_;
  UdpSocket socket_;
  PortCounters counters_;
  ReceiveRing ring_;
  std::unique_ptr<Runtime> runtime_;  // Last: its thread uses what stands above.
};

}  // namespace ipop
