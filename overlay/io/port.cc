#include "overlay/io/port.h"

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <map>
#include <mutex>
#include <span>

#include "overlay/io/membership.h"
#include "overlay/wire/checksum.h"

namespace ipop {
namespace {

std::atomic<ipop_log_function*> log_function{nullptr};

/// Puts the port's name before each line.
class PortLog : public Log {
 public:
  explicit PortLog(std::string name) : name_(std::move(name)) {}
  void write(Level level, std::string_view line) override {
    ipop_log_function* const log = log_function;
    if (log == nullptr) return;
    constexpr ipop_log_level kLevels[] = {IPOP_LOG_DEBUG, IPOP_LOG_INFO, IPOP_LOG_WARNING};
    log(kLevels[static_cast<size_t>(level)], (name_ + ": " + std::string(line)).c_str());
  }

 private:
  std::string name_;
};

bool is_given(const char* text) { return text != nullptr && *text != '\0'; }

/// A decimal number from `least` to `most`, and nothing else.
std::optional<int> parse_number(std::string_view text, int least, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

void set_log(ipop_log_function* log) { log_function = log; }

Result<PortOptions, Problem> PortOptions::parse(const ipop_config& config) {
  PortOptions out;
  if (is_given(config.name)) out.name = config.name;
  if (!is_given(config.invite)) {
    return Problem{
        "options:invite is missing: the path of the file that \"ipopctl host invite NETWORK HOST\" made"};
  }
  out.invite = config.invite;
  if (is_given(config.listen)) {
    const auto listen = Endpoint::parse(config.listen);
    if (!listen) {
      return Problem{"options:listen: \"" + std::string(config.listen) +
                     "\" is no ADDRESS:PORT, [ADDRESS]:PORT or :PORT"};
    }
    out.listen = *listen;
  }
  if (is_given(config.introducers)) {
    auto introducers = parse_introducers(config.introducers);
    if (!introducers) return Problem{"options:introducers: " + introducers.error().text};
    out.introducers = std::move(*introducers);
  }
  if (is_given(config.rekey)) {
    const auto seconds = parse_number(config.rekey, 5, 120);
    if (!seconds) {
      return Problem{"options:rekey: \"" + std::string(config.rekey) +
                     "\" is no number of seconds from 5 to 120"};
    }
    out.rekey_after = std::chrono::seconds(*seconds);
  }
  if (is_given(config.state_dir)) out.state_dir = config.state_dir;
  if (is_given(config.n_rxq)) {
    const auto n_queues = parse_number(config.n_rxq, 1, 64);
    if (!n_queues) {
      return Problem{"options:n_rxq: \"" + std::string(config.n_rxq) +
                     "\" is no number of queues from 1 to 64"};
    }
    out.n_queues = static_cast<size_t>(*n_queues);
  }
  out.takes_super_frames = config.tso;
  return out;
}

/// The identities in use in this process.  Two nodes with one identity would answer each other's mail.
class Port::Registration {
 public:
  static Result<std::unique_ptr<Registration>, std::string> claim(const NodeId& node,
                                                                  const std::string& port) {
    const std::lock_guard lock(mutex());
    const auto [entry, is_new] = owners().try_emplace(node, port);
    if (!is_new) return entry->second;
    return std::unique_ptr<Registration>(new Registration(node));
  }
  ~Registration() {
    const std::lock_guard lock(mutex());
    owners().erase(node_);
  }

 private:
  explicit Registration(const NodeId& node) : node_(node) {}
  static std::mutex& mutex() {
    static std::mutex mutex;
    return mutex;
  }
  static std::map<NodeId, std::string>& owners() {
    static std::map<NodeId, std::string> owners;
    return owners;
  }

  NodeId node_;
};

class Port::Sink : public DatagramSink {
 public:
  explicit Sink(Port& port) : port_(port) {}
  void send(const SealedBatch& batch) override {
    const UdpSocket::Sent sent = port_.socket().send(batch);
    PortCounters::add(port_.counters_.tx_dropped, sent.lost);
    if (sent.refused_trains > 0) PortCounters::add(port_.counters_.refused_trains, sent.refused_trains);
  }

 private:
  Port& port_;
};

Result<std::unique_ptr<Port>, Port::Failure> Port::open(const PortOptions& options) {
  SystemRandom random;
  auto config = read_membership(options.invite, options.introducers, random);
  if (!config) return Failure{EINVAL, config.error().text + "; see options:invite"};
  config->link.rekey_after = options.rekey_after;
  const NodeId node = config->credentials.id;
  auto registration = Registration::claim(node, options.name);
  if (!registration) {
    return Failure{EBUSY, options.invite + " is in use by port " + registration.error() +
                              "; each port needs an invite of its own: ipopctl host invite"};
  }
  auto sockets = UdpSocket::open_group(options.listen, options.n_queues);
  if (!sockets) return Failure{sockets.error().error, sockets.error().text + "; see options:listen"};

  auto log = std::make_unique<PortLog>(options.name);
  std::unique_ptr<Port> port(
      new Port(options, config->introducers, std::move(*registration), std::move(*sockets), std::move(log)));
  const std::string state = state_path(options.state_dir, node, *port->log_);
  port->runtime_ =
      std::make_unique<Runtime>(std::move(*config), state, port->socket(), port->counters_, *port->log_);
  return port;
}

Port::Port(PortOptions options, std::vector<Endpoint> introducers, std::unique_ptr<Registration> registration,
           std::vector<UdpSocket> sockets, std::unique_ptr<Log> log)
    : options_(std::move(options)),
      introducers_(std::move(introducers)),
      registration_(std::move(registration)),
      log_(std::move(log)) {
  queues_.reserve(sockets.size());
  for (UdpSocket& socket : sockets) queues_.push_back({.socket = std::move(socket)});
}

Port::~Port() = default;

void Port::send(const ipop_frame* frames, size_t n) {
  thread_local SealedBatch batch;
  Sink sink(*this);
  const SealContext context{.snapshot = runtime_->snapshot().read(),
                            .now = monotonic_now(),
                            .batch = batch,
                            .sink = sink,
                            .inbox = runtime_->inbox(),
                            .counters = counters_,
                            .refused = runtime_->refused()};
  for (size_t i = 0; i < n; ++i) {
    const ipop_frame& frame = frames[i];
    const ByteSpan data(static_cast<uint8_t*>(frame.data), frame.length);
    // Without TSO mode the switch does not ask its guests' devices what they left to be done.
    const bool is_partial = (frame.flags & IPOP_FRAME_CSUM_PARTIAL) != 0 ||
                            (!options_.takes_super_frames && is_left_to_card(data));
    seal_frame(context, {.data = data,
                         .partial_checksum = is_partial,
                         .segment_size = (frame.flags & IPOP_FRAME_TSO) != 0 ? frame.segment_size : 0});
  }
  flush(context);
}

size_t Port::receive(size_t queue_number, ipop_buffer* buffers, size_t n) {
  Queue& queue = queues_[queue_number];
  boost::container::static_vector<Coalescer::Frame, Coalescer::kMaxFrames> frames;
  n = std::min(n, frames.max_size());
  for (size_t i = 0; i < n; ++i) {
    frames.push_back({.data = static_cast<uint8_t*>(buffers[i].data), .capacity = buffers[i].capacity});
  }
  Coalescer coalescer(frames, options_.takes_super_frames);
  const auto take_from_core = [&](size_t most) {
    for (size_t i = 0; i < most && queue_number == 0 && coalescer.has_room(); ++i) {
      const auto frame = runtime_->guest_frames().take();
      if (!frame) break;
      coalescer.add_whole(*frame, false);  // At most kMaxCarriedFrame: of a peer, or from vnet/.
    }
  };
  take_from_core((n + 1) / 2);  // However much the core has to say, the socket is read, too.
  const OpenContext context{.snapshot = runtime_->snapshot().read(),
                            .now = monotonic_now(),
                            .reassembly = queue.reassembly,
                            .inbox = runtime_->inbox(),
                            .counters = counters_,
                            .refused = runtime_->refused()};
  const uint64_t incomplete = queue.reassembly.incomplete();
  Opener opener(context);
  for (size_t i = 0; i < kMaxDatagramsPerCall && coalescer.has_room(); ++i) {
    const auto datagram = queue.ring.next(queue.socket);
    if (!datagram) break;
    const size_t room = std::min(plaintext_size(datagram->bytes), kMaxCarriedFrame);
    uint8_t* const place = coalescer.place(room);
    const auto frame = opener.open(datagram->from, datagram->bytes, {place, room});
    if (frame && frame->bytes.data() == place) {
      coalescer.add(frame->bytes.size(), frame->partial_checksum);
    } else {
      coalescer.cancel();
      if (frame) coalescer.add_whole(frame->bytes, frame->partial_checksum);
    }
  }
  take_from_core(n);
  const size_t filled = coalescer.finish();
  size_t bytes = 0;
  for (size_t i = 0; i < filled; ++i) {
    const bool is_super = frames[i].segment_size > 0;
    buffers[i].length = frames[i].size;
    buffers[i].flags = is_super ? IPOP_FRAME_TSO | IPOP_FRAME_CSUM_PARTIAL : 0;
    buffers[i].segment_size = static_cast<uint32_t>(frames[i].segment_size);
    bytes += frames[i].size;
  }
  PortCounters::add(counters_.rx_frames, filled);
  PortCounters::add(counters_.rx_bytes, bytes);
  if (const uint64_t more = queue.reassembly.incomplete() - incomplete; more > 0) {
    PortCounters::add(counters_.rx_incomplete, more);
  }
  return filled;
}

size_t Port::fds(size_t queue, int out[2]) const {
  out[0] = queues_[queue].socket.fd();
  if (queue > 0) return 1;
  out[1] = runtime_->guest_frames_fd();
  return 2;
}

/// Locally administered; the rest from the node's identifier, so that it is the same after every restart.
MacAddress Port::mac() const {
  const NodeId node = runtime_->report().get()->node;
  MacAddress out;
  std::copy_n(node.bytes.begin(), out.bytes.size(), out.bytes.begin());
  out.bytes[0] = static_cast<uint8_t>((out.bytes[0] & 0xfc) | 0x02);
  return out;
}

PortFacts Port::facts() const {
  // Towards the first introducer if there is one: that is where the Internet is.
  std::optional<Endpoint> local;
  if (!introducers_.empty()) local = socket().local_towards(introducers_.front());
  return {.name = options_.name,
          .invite = options_.invite,
          .listen = socket().local(),
          .local_endpoint = local,
          .introducers = introducers_,
          .counters = &counters_,
          .refused = &runtime_->refused()};
}

}  // namespace ipop
