#include "overlay/io/bare_node.h"

namespace ipop {

Result<std::unique_ptr<BareNode>, Problem> BareNode::open(const Options& options, Log& log) {
  SystemRandom random;
  auto config = read_membership(options.invite, options.introducers, random);
  if (!config) return config.error();
  auto socket = UdpSocket::open(options.listen);
  if (!socket) return Problem{socket.error().text};
  std::unique_ptr<BareNode> node(new BareNode(options, config->introducers, std::move(*socket)));
  const std::string state = state_path(options.state_dir, config->credentials.id, log);
  node->runtime_ = std::make_unique<Runtime>(std::move(*config), state, node->socket_, node->counters_, log);
  return node;
}

void BareNode::receive() {
  for (size_t i = 0; i < kMaxDatagramsPerCall; ++i) {
    const auto datagram = ring_.next(socket_);
    if (!datagram) break;
    runtime_->inbox().datagram(datagram->from, datagram->bytes);
  }
  while (runtime_->guest_frames().take()) continue;
}

void BareNode::fds(int out[2]) const {
  out[0] = socket_.fd();
  out[1] = runtime_->guest_frames_fd();
}

PortFacts BareNode::facts() const {
  std::optional<Endpoint> local;
  if (!introducers_.empty()) local = socket_.local_towards(introducers_.front());
  return {.name = runtime_->report().get()->host,
          .invite = options_.invite,
          .listen = socket_.local(),
          .local_endpoint = local,
          .introducers = introducers_,
          .counters = &counters_,
          .refused = &runtime_->refused()};
}

}  // namespace ipop
