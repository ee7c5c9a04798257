// All the links of a node: turns datagrams of the Internet into messages of known peers, and back.
//
// Owns every handshake under way, every link, and the indices that tell them apart.  Decides nothing about
// whom to be connected to: call() and hang_up() are its orders, events its reports.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <variant>

#include "overlay/base/counters.h"
#include "overlay/base/log.h"
#include "overlay/base/random.h"
#include "overlay/base/token_bucket.h"
#include "overlay/link/dial.h"
#include "overlay/link/link.h"
#include "overlay/session/cookie.h"
#include "overlay/session/credentials.h"
#include "overlay/session/reassembly.h"
#include "overlay/wire/control.h"

namespace ipop {

/// Handshakes we answered and that wait for their Confirmation: how many until the next one has to prove its
/// address, how many then of one address (of IPv6, one /64) or node of the ring, how many at most, and for
/// how long.
inline constexpr size_t kBusyResponders = 64;
inline constexpr size_t kMaxRespondersOfOne = 32;
inline constexpr size_t kMaxResponders = 256;
inline constexpr Duration kResponderPatience = 5s;
/// More peers than any node needs, the introducer of a whole network that starts at once included.
inline constexpr size_t kMaxLinks = 2048;

class Links {
 public:
  /// The references must outlive it.
  Links(const Credentials& credentials, Link::Options options, Random& random, Log& log,
        ErrorCounters& refused);

  /// Sets up a session with whoever is at the target.  Ends in an Answered, Connected or Failed event; a
  /// second call to the same target while one is under way does nothing.
  void call(Instant now, const Dial::Target& target, Duration patience);

  /// Ends the link: the peer is told that it is not needed.  Nothing happens if there is none.
  void hang_up(Instant now, const NodeId& node);
  /// See Link::set_use().  Nothing happens without a link.
  void set_use(Instant now, const NodeId& node, bool wants_link, Duration keepalive);
  /// Notices what the switch's threads have sent and received, on all links: Link::last_frame().
  void look(Instant now);
  /// How often trains of datagrams did not arrive where single ones did: see TrainTrial.
  uint64_t train_fallbacks() const { return train_fallbacks_; }
  /// Somebody doubts that the peer lives: it is asked now.
  void ask_for_life(Instant now, const NodeId& node);

  /// Any datagram, of the Internet or carried by the ring.  Whatever is refused is counted and changes
  /// nothing.
  void handle_datagram(Instant now, UnixSeconds unix_now, const Path& from, ByteView datagram);
  /// A datagram of a live session that the fast path has opened already.
  void handle_opened(Instant now, uint32_t local_index, const Path& from, wire::Type type,
                     ByteView plaintext);
  /// The fast path received data under a keypair that was unconfirmed, or from an unexpected endpoint.
  void handle_received(Instant now, uint32_t local_index, const Path& from);
  /// The fast path sends to this peer and hears nothing.
  void handle_quiet(Instant now, const NodeId& node);
  /// The fast path slices what it sends to this peer.
  void handle_too_big(Instant now, const NodeId& node);

  /// Seals and queues a datagram, or a few for a frame that does not fit the path; false if there is no link
  /// that can send.
  bool send_frame(Instant now, const NodeId& node, ByteView frame);
  bool send_control(Instant now, const NodeId& node, const wire::ControlMessage& message);

  struct Connected {
    NodeId node;
    Path path;
    Link::Origin origin = Link::Origin::Accepted;
  };
  enum class End {
    Dead,      ///< It does not answer.
    Stopped,   ///< Its process ends.
    Unneeded,  ///< It, or we, had no use for the link.
  };
  struct Disconnected {
    NodeId node;
    Path path;  ///< Where it was last.
    End end;
  };
  /// Who it is that answered a call to an endpoint without a name; Connected follows if that is news.
  struct Answered {
    Path path;
    NodeId node;
  };
  struct Failed {
    Dial::Target target;
    std::optional<Error> reason;  ///< Nothing: no answer.
  };
  struct Message {
    NodeId from;
    wire::ControlMessage body;  ///< Anything but Ping, Pong and Goodbye, which end here.
    Path path;                  ///< By which it came.
  };
  struct Frame {
    NodeId from;
    Bytes frame;
  };
  using Event = std::variant<Answered, Connected, Disconnected, Failed, Message, Frame>;
  std::optional<Event> poll_event();

  struct Datagram {
    Path to;
    Bytes bytes;
  };
  /// For the Internet, and for the ring to carry to `to.node`.
  std::optional<Datagram> poll_datagram();
  std::optional<Datagram> poll_ring_datagram();

  /// In the order of node identifiers.
  const std::map<NodeId, Link>& all() const { return links_; }
  /// Where peers say that we are: the most frequent answer, or nothing before the first.
  std::optional<Endpoint> public_endpoint() const;
  /// Grows whenever what the fast path must know of keypairs and endpoints has changed.
  uint64_t version() const { return version_; }

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  struct Responder {
    ResponderHandshake handshake;
    Endpoint prover;  ///< What a cookie vouches for, whether or not one was asked for.
    Instant give_up_at;
  };

  Result<Done> dispatch(Instant now, UnixSeconds unix_now, const Path& from, ByteView datagram);
  Result<Done> handle_initiation(Instant now, const Path& from, ByteView datagram);
  Result<Done> handle_response(Instant now, UnixSeconds unix_now, const Path& from, ByteView datagram);
  Result<Done> handle_confirmation(Instant now, UnixSeconds unix_now, const Path& from, ByteView datagram);
  Result<Done> handle_cookie_reply(Instant now, ByteView datagram);
  Result<Done> handle_unknown_session(Instant now, const Path& from, ByteView datagram);
  Result<Done> handle_data(Instant now, const Path& from, ByteView datagram);
  Result<Done> handle_control(Instant now, Link& link, const Path& from, ByteView plaintext);

  Result<Done> establish(Instant now, const Established& established, Link::Origin origin, const Path& from);
  void poll_links(Instant now);
  void handle_trial(const Link& link, TrainTrial::Change change);
  /// Calls `change`, which may find out what the path carries.
  template <class Change>
  void change_path(const Link& link, Change change);
  bool send_slices(Link& link, ByteView frame, size_t count);
  void poll_dials();
  void fail(uint32_t local_index, const Dial::Target& target, std::optional<Error> reason);
  void drop(NodeId node, End end);  // A copy, since the caller's may live in the link.
  Link* find_by_index(uint32_t local_index);
  uint32_t unused_index();
  size_t responders_of(const Endpoint& prover) const;
  bool send(Instant now, Link& link, wire::Type type, ByteView plaintext);
  void put(const Path& to, Bytes datagram);

  const Credentials& credentials_;
  Link::Options options_;
  Random& random_;
  Log& log_;
  ErrorCounters& refused_;
  CookieJar cookies_;
  TokenBucket unknown_session_replies_{20ms, 50};
  TokenBucket refusal_log_{1s, 10};
  TokenBucket roaming_log_{1s, 10};

  std::map<NodeId, Link> links_;
  std::vector<NodeId> touched_;  ///< Links that may have something to say.
  /// No link has a deadline before this; perhaps none at it either, since deadlines move away.
  Instant link_timeout_ = kNever;
  std::map<uint32_t, Dial> dials_;  // By local index, as are the two below.
  std::map<uint32_t, Responder> responders_;
  std::map<uint32_t, NodeId> keypair_owners_;
  std::deque<Event> events_;
  std::deque<Datagram> datagrams_;       ///< For the Internet.
  std::deque<Datagram> ring_datagrams_;  ///< For the ring.
  Reassembly reassembly_;
  uint64_t version_ = 0;
  uint64_t train_fallbacks_ = 0;
};

}  // namespace ipop
