// A guest that moves from host to host while others talk to it: how long their hosts go on sending to the old
// one, and what is lost of what they send.
//
// Every talker is a guest of a host of its own and sends the mover numbered frames at a steady pace; some of
// them are answered.  A move takes no time: what arrives at the old host from then on finds no guest there.
// The mover says that it has arrived once, by each means in turn, and otherwise only answers.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "overlay/sim/figures.h"
#include "overlay/sim/svg_plot.h"
#include "overlay/sim/world.h"

namespace ipop::sim {

struct MovesOptions {
  WorldOptions world;  ///< With the seed.
  size_t hosts = 30;
  size_t talkers = 8;     ///< At hosts of their own; the mover goes round the others, of which two at least.
  size_t answered = 4;    ///< So many of the talkers are.
  size_t moves = 200;     ///< Of run().
  size_t places = 0;      ///< The mover keeps to so many hosts, at least two; 0: all without a talker.
  Duration settle = 20s;  ///< The hosts run for so long before anybody talks.
  Duration pause = 3s;    ///< From a move to the next.
  /// So long before a move its new host hears of it, as from the hook of a live migration; nothing: not at
  /// all.  Less than `pause`.
  std::optional<Duration> notice{};
  Duration interval = 10ms;  ///< Between two frames of a talker.
};

/// How the mover says that it has arrived.
enum class Arrival {
  Frame,  ///< A frame of no meaning to one of the talkers.
  Rarp,   ///< A RARP request, which QEMU sends in its name.
  Arp,    ///< A gratuitous ARP.
  Na,     ///< An unsolicited neighbour advertisement.
};
inline constexpr size_t kArrivals = 4;

class Moves {
 public:
  /// Starts the hosts and the guests, and lets them talk for a while.
  explicit Moves(const MovesOptions& options);
  Moves(const Moves&) = delete;  // The world's tap knows it.

  /// All moves, and then so long that what is on its way has arrived.
  void run();

  /// Of one move.  Its round trip is the longest, without jitter, between the new host and the old one, or
  /// between either of them and a talker's.
  struct Result {
    Arrival arrival;
    bool was_known;  ///< By the new host's map the guest was where it was.
    Duration round_trip{};
    Duration switched{};  ///< From its word to the last frame that was sent to another host than the new one.
    Duration reached{};   ///< To the first arrival of a frame sent since, of the talker that came last.
    bool is_frozen = false;  ///< Of some talker none came before the next move.
    size_t lost_before = 0;  ///< Of the frames sent in the two round trips after it.
    /// Of those sent later.  What came to the new host when the guest had left it again is left out: nobody
    /// knows that it is about to.
    size_t lost_after = 0;
    size_t sent_after = 0;
  };
  std::vector<Result> results() const;
  /// Of the run so far: docs/simulator.md.
  Figures figures() const;
  /// How `switched` is spread, in round trips.
  Plot plot() const;
  World& world() { return world_; }

 private:
  struct Sent {
    Instant at;
    uint32_t to;      ///< The host that its host had the mover at; the sender's own if it knew none.
    Instant arrived;  ///< At the mover; kNever if it did not.
    Instant missed;   ///< When a host, `by`, gave it to its switch and the mover was not there; or kNever.
    uint32_t by = 0;
  };
  struct Talker {
    uint32_t host;
    MacAddress mac;
    std::vector<Sent> frames;  ///< By their number.
  };
  struct Move {
    Instant at;
    uint32_t from;
    uint32_t to;
    Arrival arrival;
    bool was_known;
  };

  void talk(Duration length);
  void send(Talker& talker);
  void answer();
  uint32_t draw_place();
  void move(size_t number, uint32_t to);
  void announce(Host& host, Arrival arrival);
  void handle_frame(const Host& host, ByteView frame);
  std::optional<uint32_t> index_of(const NodeId& id) const;
  Duration round_trip(const Move& move) const;
  Result result(size_t number) const;

  MovesOptions options_;
  SeededRandom random_;
  World world_;
  std::vector<Talker> talkers_;
  uint32_t at_ = 0;  ///< The mover's host.
  std::vector<Move> moves_;
  std::vector<size_t> to_answer_;  ///< Talkers.
};

}  // namespace ipop::sim
