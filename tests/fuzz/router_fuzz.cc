// Three nodes with links to each other and routers above them, and a member that may do anything with the
// messages between them: lose, repeat, reorder, forge, stop acknowledging, let time pass.  Whatever it does,
// nothing crashes, no message has more hops or detours than may be, and each comes only to whom it is for;
// and when it ends, nothing waits for ever and a message still arrives.
//
// The input is a list of operations, | what (1) | arguments | ...
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/assert.h"
#include "overlay/crypto/authority.h"
#include "overlay/link/links.h"
#include "overlay/ring/router.h"

using namespace ipop;

namespace {

constexpr UnixSeconds kUnixStart = 1'800'000'000;
constexpr size_t kNodes = 3;
constexpr size_t kMaxOperations = 200;
constexpr size_t kMaxInFlight = 400;

struct Silence : Log {
  void write(Level, std::string_view) override {}
};

/// The network, and its members' identities: made once.
struct Members {
  Members()
      : authority(Authority::create("grid", *Ipv4Subnet::parse("10.128.0.0/16"), 1'000'000'000, kUnixStart,
                                    random)),
        network(*Network::from_authority(authority.certificate())) {
    for (size_t i = 0; i < kNodes; ++i) {
      const Identity identity = Identity::generate(random);
      const auto certificate =
          authority.issue("host" + std::to_string(i), identity.public_key(), 100'000'000, kUnixStart);
      credentials.push_back(Credentials::make(network, identity, certificate, random));
    }
  }
  SeededRandom random{1};
  Authority authority;
  Network network;
  std::vector<Credentials> credentials;
};

/// A control message from one node to another, as it is inside the session.
struct Flight {
  size_t from, to;
  wire::ControlMessage message;
};

class Game {
 public:
  explicit Game(const Members& members) : members_(members) {
    for (size_t i = 0; i < kNodes; ++i) {
      nodes_.push_back(std::make_unique<Node>(members.credentials[i], i));
    }
    for (size_t i = 0; i < kNodes; ++i) {
      for (size_t j = 0; j < i; ++j) {
        links(i).call(now_, {.path = endpoint(j), .node = id(j)}, 10s);
      }
    }
    carry();
    for (size_t i = 0; i < kNodes; ++i) IPOP_ASSERT(links(i).all().size() == kNodes - 1);
  }

  void play(Reader& in) {
    for (size_t i = 0; i < kMaxOperations && in.remaining() > 0; ++i) {
      operate(in);
      collect();
    }
  }

  /// The members behave again.
  void must_still_deliver() {
    is_silent_ = false;
    wait(60s);  // Whatever was under way has been tried with everybody.
    flights_.clear();
    for (size_t i = 0; i < kNodes; ++i) IPOP_ASSERT(router(i).next_timeout() == kNever);
    for (size_t to = 1; to < kNodes; ++to) {
      const wire::NeighboursRequest hello{.id = ++hellos_};
      IPOP_ASSERT(router(0).send(now_, wire::Routed::Mode::Exact, id(to), hello));
      collect();
      for (int i = 0; i < 1000 && !flights_.empty(); ++i) deliver(0);
      IPOP_ASSERT(last_message_[to] == wire::RingMessage(hello));
    }
    for (size_t i = 0; i < kNodes; ++i) IPOP_ASSERT(router(i).next_timeout() == kNever);
  }

 private:
  struct Node {
    Node(const Credentials& credentials, size_t seed)
        : random(seed + 1),
          links(credentials, {}, random, log, refused),
          router(credentials.id, links, random, refused) {}
    Silence log;
    ErrorCounters refused;
    SeededRandom random;
    Links links;
    Router router;
  };

  Links& links(size_t i) { return nodes_[i]->links; }
  Router& router(size_t i) { return nodes_[i]->router; }
  const NodeId& id(size_t i) const { return members_.credentials[i % kNodes].id; }
  static Endpoint endpoint(size_t i) {
    return Endpoint::from_ipv4({0xc0000201 + static_cast<uint32_t>(i)}, 1000);
  }

  /// The Internet is honest here: only what is inside the sessions is not.
  void carry() {
    for (bool busy = true; busy;) {
      busy = false;
      for (size_t from = 0; from < kNodes; ++from) {
        while (const auto datagram = links(from).poll_datagram()) {
          busy = true;
          for (size_t to = 0; to < kNodes; ++to) {
            if (datagram->to != endpoint(to)) continue;
            links(to).handle_datagram(now_, kUnixStart + now_.time_since_epoch() / 1s, endpoint(from),
                                      datagram->bytes);
          }
        }
        while (links(from).poll_ring_datagram()) busy = true;
      }
    }
  }
  void collect() {
    carry();
    for (size_t i = 0; i < kNodes; ++i) {
      while (auto event = links(i).poll_event()) {
        auto* message = std::get_if<Links::Message>(&*event);
        if (message == nullptr) continue;
        const size_t from = index_of(message->from);
        if (past_.size() < 100) past_.push_back({from, i, message->body});
        if (is_silent_ && std::holds_alternative<wire::Ack>(message->body)) continue;
        if (flights_.size() < kMaxInFlight) flights_.push_back({from, i, std::move(message->body)});
      }
      while (const auto delivered = router(i).poll_delivered()) {
        IPOP_ASSERT(delivered->envelope.hops <= wire::Routed::kMaxHops);
        IPOP_ASSERT(delivered->envelope.mode != wire::Routed::Mode::Exact ||
                    delivered->envelope.destination == id(i));
        IPOP_ASSERT((delivered->envelope.mode != wire::Routed::Mode::After &&
                     delivered->envelope.mode != wire::Routed::Mode::Before) ||
                    delivered->envelope.destination != id(i));
        last_message_[i] = delivered->message;
      }
    }
  }
  size_t index_of(const NodeId& node) const {
    for (size_t i = 0; i < kNodes; ++i) {
      if (id(i) == node) return i;
    }
    IPOP_ASSERT(false);
    return 0;
  }
  void arrive(const Flight& flight) {
    if (const auto* routed = std::get_if<wire::Routed>(&flight.message)) {
      // Links have encoded and decoded it, which they refuse beyond the limits.
      IPOP_ASSERT(routed->hops <= wire::Routed::kMaxHops && routed->detours <= wire::Routed::kMaxDetours);
      router(flight.to).handle_routed(now_, id(flight.from), *routed);
    } else if (const auto* ack = std::get_if<wire::Ack>(&flight.message)) {
      router(flight.to).handle_ack(now_, id(flight.from), *ack);
    }
    collect();
  }
  void deliver(size_t which) {
    if (flights_.empty()) return;
    const auto at = flights_.begin() + static_cast<ptrdiff_t>(which % flights_.size());
    const Flight flight = std::move(*at);
    flights_.erase(at);
    arrive(flight);
  }
  void wait(Duration duration) {
    const Instant end = now_ + duration;
    for (;;) {
      collect();
      Instant next = kNever;
      for (size_t i = 0; i < kNodes; ++i)
        next = std::min({next, links(i).next_timeout(), router(i).next_timeout()});
      if (next > end) break;
      now_ = std::max(now_, next);
      for (size_t i = 0; i < kNodes; ++i) {
        links(i).handle_timeout(now_);
        router(i).handle_timeout(now_);
      }
      collect();
    }
    now_ = end;
  }

  void operate(Reader& in) {
    const uint8_t what = in.u8();
    const size_t who = (what >> 4) % kNodes;
    switch (what % 16) {
      case 0:
      case 1:
        send(who, in);
        break;
      case 2:
      case 3:
      case 4:
        deliver(0);
        break;
      case 5:
        deliver(in.u8());
        break;  // Out of order.
      case 6:   // Lost.
        if (!flights_.empty())
          flights_.erase(flights_.begin() + in.u8() % static_cast<ptrdiff_t>(flights_.size()));
        break;
      case 7:
        if (!past_.empty()) arrive(Flight(past_[in.u8() % past_.size()]));
        break;
      case 8:
        forge(who, in);
        break;
      case 9:
        wait(in.u8() * 10ms);
        break;
      case 10:
        router(who).set_owner(in.u8() % 2 == 1);
        break;
      case 11:
        is_silent_ = in.u8() % 2 == 1;
        break;
      case 12:
        router(who).handle_disconnected(now_, id(in.u8()));
        break;
      case 13:
        router(who).handle_ack(now_, id(in.u8()), {.token = in.u32(), .taken = in.u8() % 2 == 1});
        break;
      case 14:  // Many at once.
        for (uint8_t n = in.u8(); n > 0; --n) {
          (void)router(who).send(now_, wire::Routed::Mode::Exact, id(who + 1),
                                 wire::NeighboursRequest{.id = n});
        }
        break;
      case 15:
        links(who).ask_for_life(now_, id(in.u8()));
        break;
    }
  }

  /// A member, or a node that nobody knows.
  NodeId some_node(uint8_t which) {
    if (which % 4 < kNodes) return id(which);
    NodeId out;
    out.bytes[0] = which;
    return out;
  }
  void send(size_t who, Reader& in) {
    const auto mode = static_cast<wire::Routed::Mode>(1 + in.u8() % 3);
    const NodeId destination = some_node(in.u8());
    const uint8_t extras = in.u8();
    std::optional<NodeId> via, first;
    if (extras & 1) via = some_node(extras >> 4);
    if (extras & 2) first = some_node(extras >> 6);
    wire::RingMessage message = wire::NeighboursRequest{.id = extras};
    if (extras & 4) message = wire::Carried{.datagram = Bytes(extras)};
    if (extras & 8) message = wire::TraceRequest{.id = extras, .hops = {}};
    (void)router(who).send(now_, mode, destination, message, via, first);
  }
  /// Whatever a member says that decodes.
  void forge(size_t to, Reader& in) {
    const ByteView bytes = in.bytes(std::min<size_t>(in.remaining(), 60 + in.u8()));
    Bytes body = {6};
    body.insert(body.end(), bytes.begin(), bytes.end());
    body.resize(body.size() + 20);  // So that more of it decodes: an empty body, no `via`.
    const auto message = wire::decode_control(body);
    if (message) arrive({(to + 1) % kNodes, to, *message});
  }

  const Members& members_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Flight> flights_;
  std::vector<Flight> past_;
  std::map<size_t, wire::RingMessage> last_message_;
  Instant now_{1000s};
  bool is_silent_ = false;
  uint64_t hellos_ = 1'000'000;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Members members;
  Reader in({data, size});
  Game game(members);
  game.play(in);
  game.must_still_deliver();
  return 0;
}
