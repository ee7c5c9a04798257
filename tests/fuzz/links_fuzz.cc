// Two members and somebody on the path between them who may do anything: lose, repeat, reorder, change,
// forge, send from elsewhere, restart a member, and let time pass.  Nothing of it may crash a node or leave
// it unable to talk: when the interference ends, a genuine handshake completes and frames cross both ways.
//
// The input is a list of operations, | what (1) | argument (1 or 2) | ...
#include <optional>
#include <vector>

#include "overlay/base/assert.h"
#include "overlay/crypto/authority.h"
#include "overlay/link/links.h"

using namespace ipop;

namespace {

constexpr UnixSeconds kUnixStart = 1'800'000'000;
constexpr size_t kMaxOperations = 200;

struct Silence : Log {
  void write(Level, std::string_view) override {}
};

/// The network, and its members' identities: made once.
struct Members {
  Members()
      : authority(Authority::create("grid", *Ipv4Subnet::parse("10.128.0.0/16"), 1'000'000'000, kUnixStart,
                                    random)),
        network(*Network::from_authority(authority.certificate())) {
    for (int i = 0; i < 2; ++i) {
      const Identity identity = Identity::generate(random);
      const auto certificate =
          authority.issue(i == 0 ? "alpha" : "beta", identity.public_key(), 100'000'000, kUnixStart);
      for (int incarnation = 0; incarnation < 2; ++incarnation) {
        credentials[i].push_back(Credentials::make(network, identity, certificate, random));
      }
    }
  }
  SeededRandom random{1};
  Authority authority;
  Network network;
  std::vector<Credentials> credentials[2];
};

/// A datagram of the Internet, or one that a ring carries.
struct Flight {
  Path from;
  Path to;
  Bytes bytes;
};

class Game {
 public:
  explicit Game(const Members& members) : members_(members) {
    start(0);
    start(1);
  }

  void play(Reader& in) {
    for (size_t i = 0; i < kMaxOperations && in.remaining() > 0; ++i) {
      operate(in);
      collect();
    }
  }

  /// The path becomes an honest one.
  void must_still_connect() {
    wire_.clear();
    // Long enough for whatever the interference left behind: idle peers are asked each 20 s whether they
    // live.
    advance(200s);
    for (int attempt = 0; attempt < 3 && !frames_cross(); ++attempt) {
      for (size_t i = 0; i < 2; ++i) call(i);
      advance(15s);
    }
    IPOP_ASSERT(frames_cross());
    IPOP_ASSERT(links_[0]->all().size() == 1 && links_[1]->all().size() == 1);
  }

 private:
  static Endpoint endpoint(size_t i) {
    return Endpoint::from_ipv4({0xc0000201 + static_cast<uint32_t>(i)}, 1000);
  }

  void start(size_t i) {
    links_[i].reset();
    links_[i].emplace(members_.credentials[i][incarnation_[i] % 2], Link::Options{}, random_[i], log_,
                      refused_);
  }

  void operate(Reader& in) {
    const uint8_t what = in.u8();
    const size_t who = what >> 7;
    switch (what % 16) {
      case 0:
        call(who, (what & 0x40) != 0);
        break;
      case 1:
      case 2:
      case 3:
        deliver(0);
        break;
      case 4:
        deliver(in.u8());
        break;  // Out of order.
      case 5:
        lose(in.u8());
        break;
      case 6:
        repeat(in.u8());
        break;
      case 7:
        change(in.u8(), in.u16(), in.u8());
        break;
      case 8:
        cut(in.u8(), in.u16());
        break;
      case 9:
        relocate(in.u8(), in.u8());
        break;
      case 10:
        forge(who, in);
        break;
      case 11:
        advance(in.u8() * 50ms);
        break;
      case 12:
        pass(in.u16() * 10ms);
        break;
      case 13:
        if ((what & 0x40) != 0) {
          links_[who]->set_use(now_, id(1 - who), in.u8() % 2 == 1, 6s);
        } else {
          (void)links_[who]->send_frame(now_, id(1 - who), Bytes(in.u8()));
        }
        break;
      case 14:
        hint(who, in.u8());
        break;
      case 15:
        if (in.u8() % 8 != 0) break;  // Not too often, or nothing else happens.
        if ((what & 0x40) != 0) {
          links_[who]->hang_up(now_, id(1 - who));
          break;
        }
        ++incarnation_[who];
        start(who);
        break;
    }
  }

  const NodeId& id(size_t i) const { return members_.credentials[i][0].id; }
  UnixSeconds unix_now() const { return kUnixStart + now_.time_since_epoch() / 1s; }

  void call(size_t from, bool over_ring = false) {
    const Path path = over_ring ? Path::over_ring(id(1 - from)) : Path(endpoint(1 - from));
    links_[from]->call(now_, {.path = path, .node = id(1 - from)}, 10s);
  }
  void collect() {
    for (size_t i = 0; i < 2; ++i) {
      while (const auto event = links_[i]->poll_event()) {
        if (const auto* frame = std::get_if<Links::Frame>(&*event)) last_frame_[i] = frame->frame;
      }
      while (auto datagram = links_[i]->poll_datagram())
        put({endpoint(i), datagram->to, std::move(datagram->bytes)});
      while (auto datagram = links_[i]->poll_ring_datagram()) {
        put({Path::over_ring(id(i)), datagram->to, std::move(datagram->bytes)});
      }
    }
  }
  void put(Flight flight) {
    if (past_.size() < 100) past_.push_back(flight);
    wire_.push_back(std::move(flight));
  }
  void arrive(const Flight& flight) {
    for (size_t i = 0; i < 2; ++i) {
      if (flight.to != endpoint(i) && flight.to != Path::over_ring(id(i))) continue;
      links_[i]->handle_datagram(now_, unix_now(), flight.from, flight.bytes);
    }
    collect();
  }
  std::optional<Flight> take(size_t which) {
    if (wire_.empty()) return std::nullopt;
    const auto at = wire_.begin() + static_cast<ptrdiff_t>(which % wire_.size());
    Flight out = std::move(*at);
    wire_.erase(at);
    return out;
  }

  void deliver(size_t which) {
    if (const auto flight = take(which)) arrive(*flight);
  }
  void lose(size_t which) { (void)take(which); }
  void repeat(size_t which) {
    if (!past_.empty()) arrive(Flight(past_[which % past_.size()]));
  }
  void change(size_t which, size_t at, uint8_t bits) {
    if (past_.empty()) return;
    Flight flight = past_[which % past_.size()];
    if (!flight.bytes.empty()) flight.bytes[at % flight.bytes.size()] ^= bits;
    arrive(flight);
  }
  void cut(size_t which, size_t size) {
    if (past_.empty()) return;
    Flight flight = past_[which % past_.size()];
    flight.bytes.resize(size % 1300);
    arrive(flight);
  }
  /// Genuine, but from elsewhere.
  void relocate(size_t which, uint8_t port) {
    auto flight = take(which);
    if (!flight) return;
    flight->from = Endpoint::from_ipv4({0xcb007107}, port);
    arrive(*flight);
  }
  /// Anything, with a good MAC if it wants to be a handshake message: the forger may hold an invite.
  void forge(size_t to, Reader& in) {
    Bytes bytes = {in.u8(), 0, 0, 0};
    const ByteView rest = in.bytes(std::min<size_t>(in.remaining(), in.u8()));
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    if (bytes[0] == 1) bytes.resize(1200 - 2 * wire::kMacSize);
    if (bytes[0] <= 3) bytes = members_.credentials[0][0].keys.finish(bytes, std::nullopt);
    arrive({endpoint(1 - to), endpoint(to), bytes});
  }
  /// What the fast path may tell, of a live keypair or a dead one; or a stranger's hint of a restart.
  void hint(size_t who, uint8_t which) {
    uint32_t index = which;
    const auto link = links_[who]->all().begin();
    if (link != links_[who]->all().end() && !link->second.receiving().empty()) {
      index = link->second.receiving()[which / 4 % link->second.receiving().size()]->local_index();
    }
    switch (which % 4) {
      case 0:
        links_[who]->handle_quiet(now_, id(1 - who));
        break;
      case 1:
        links_[who]->handle_received(now_, index, endpoint(1 - who));
        break;
      case 2:
        links_[who]->handle_opened(now_, index, endpoint(1 - who), wire::Type::Control, Bytes{which});
        break;
      case 3:
        arrive({endpoint(who), endpoint(1 - who), wire::UnknownSession{.receiver_index = index}.encode()});
    }
  }

  /// Time passes and nobody is visited: a switch that was busy.
  void pass(Duration duration) {
    now_ += duration;
    for (auto& links : links_) links->handle_timeout(now_);
  }
  /// Time passes on an honest path.
  void advance(Duration duration) {
    const Instant end = now_ + duration;
    for (;;) {
      collect();
      while (!wire_.empty()) deliver(0);
      const Instant next = std::min(links_[0]->next_timeout(), links_[1]->next_timeout());
      if (next > end) break;
      now_ = std::max(now_, next);
      for (auto& links : links_) {
        if (links->next_timeout() <= now_) links->handle_timeout(now_);
      }
    }
    now_ = end;
  }
  bool frames_cross() {
    const Bytes frame = {static_cast<uint8_t>(++frames_), 1, 2};
    for (size_t i = 0; i < 2; ++i) {
      if (!links_[i]->send_frame(now_, id(1 - i), frame)) return false;
      advance(0s);
      if (last_frame_[1 - i] != frame) return false;
    }
    return true;
  }

  const Members& members_;
  Silence log_;
  ErrorCounters refused_;
  SeededRandom random_[2] = {SeededRandom(1), SeededRandom(2)};
  size_t incarnation_[2] = {0, 0};
  std::optional<Links> links_[2];
  std::vector<Flight> wire_;
  std::vector<Flight> past_;  ///< The first hundred datagrams, for repeating.
  Bytes last_frame_[2];
  Instant now_{1s};
  int frames_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Members members;
  Reader in({data, size});
  Game game(members);
  game.play(in);
  game.must_still_connect();
  return 0;
}
