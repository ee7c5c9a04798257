// One member of one network: joins links, ring, DHT and virtual network into a whole; adds no protocol of its
// own.
//
// A calculation: bytes, frames and `now` go in through handle_*(), bytes, frames and snapshots come out of
// poll_*(), and next_timeout() says when to come back.  One thread owns it.  After any handle_*() poll until
// all is empty.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "overlay/base/counters.h"
#include "overlay/base/log.h"
#include "overlay/base/random.h"
#include "overlay/link/links.h"
#include "overlay/node/directory.h"
#include "overlay/node/herald.h"
#include "overlay/node/introducers.h"
#include "overlay/node/settings_keeper.h"
#include "overlay/node/snapshot.h"
#include "overlay/ring/ring.h"
#include "overlay/ring/router.h"
#include "overlay/ring/trace.h"
#include "overlay/session/credentials.h"
#include "overlay/vnet/vnet.h"

namespace ipop {

/// What guests are told.  1500 of the path, less 40 (IPv6), 8 (UDP), 32 (our header and tag) and 14
/// (Ethernet), leaves 1406; a VLAN tag still fits.
inline constexpr uint16_t kGuestMtu = 1400;

struct NodeConfig {
  Credentials credentials;
  std::vector<Endpoint> introducers;
  Link::Options link;
  Replica::Distortion distortion{};  ///< Of a dishonest member, in experiments.
};

class Node {
 public:
  /// `random` and `log` must outlive it.
  Node(NodeConfig config, Instant now, UnixSeconds unix_now, Random& random, Log& log);
  Node(const Node&) = delete;  // Its parts refer to each other.

  /// The wall clock, for certificates and the lease file.  Tell it now and then: clocks are set.
  void handle_clock(Instant now, UnixSeconds unix_now);

  /// A datagram of the Internet that the fast path did not open.
  void handle_datagram(Instant now, const Endpoint& from, ByteView datagram);
  /// A datagram of a live session that the fast path opened but did not deliver: control, and frames for the
  /// core.
  void handle_opened(Instant now, uint32_t local_index, const Endpoint& from, wire::Type type,
                     ByteView plaintext);
  /// The fast path delivered data under an unconfirmed keypair or from an unexpected endpoint.
  void handle_received(Instant now, uint32_t local_index, const Endpoint& from);
  /// The fast path sends to a peer that it does not hear.
  void handle_quiet(Instant now, const NodeId& node);
  /// The fast path slices what it sends to this peer.
  void handle_too_big(Instant now, const NodeId& node);
  /// The fast path slices the frames of a guest: see Vnet::handle_too_long().
  void handle_too_long(Instant now, ByteView head, size_t max_frame);
  /// A frame of a local guest that the fast path could not place.  Its checksums are complete.
  void handle_guest_frame(Instant now, ByteView frame);
  /// A guest is about to come here: see Vnet::expect().
  Result<Done> expect_guest(Instant now, const MacAddress& mac);
  /// And what it is to have: see Vnet::introduce().
  Result<Done, Problem> introduce_guest(const Introduction& guest) { return vnet_.introduce(guest); }
  /// A peer of an earlier process, which may still be where it was.
  void handle_known_peer(Instant now, const Contact& peer);
  /// Settings that an admin brings, as a signed file: used from now on, and passed on to all members.  Also
  /// those that we have already.  Refused with a Problem, and nothing changes: what is no such file, or not
  /// of this network; what is older than ours, or another of the same version; and what we would not
  /// understand. Returns their version.
  Result<uint64_t, Problem> load_settings(Instant now, std::string_view file);
  /// Those that we had in an earlier process.  What was passed on without being understood may be again.
  Result<Done, Problem> recall_settings(Instant now, std::string_view file);
  /// We are about to stop: tells the peers.
  void handle_shutdown(Instant now);

  struct Datagram {
    Endpoint to;
    Bytes bytes;
  };
  std::optional<Datagram> poll_datagram();
  /// A frame for the switch.
  std::optional<Bytes> poll_guest_frame() { return vnet_.poll_guest_frame(); }
  /// The present snapshot, if it is another than the one before.
  std::shared_ptr<const Snapshot> poll_snapshot();

  /// See Explorer.
  uint64_t start_trace(Instant now, const NodeId& target, bool exact);
  uint64_t start_crawl(Instant now);
  std::optional<Trace> poll_trace() { return explorer_.poll_trace(); }
  std::optional<Crawl> poll_crawl() { return explorer_.poll_crawl(); }
  /// See Directory.
  uint64_t start_explanation(Instant now, const wire::DhtAddress& address);
  std::optional<Explanation> poll_explanation() { return directory_.poll_explanation(); }

  Instant next_timeout() const;
  void handle_timeout(Instant now);

  const Credentials& credentials() const { return config_.credentials; }
  const Links& links() const { return links_; }
  const Ring& ring() const { return ring_; }
  const Router::Counts& routing() const { return router_.counts(); }
  /// Whom to call after a restart: those with a direct path, and then those that were lost and may be back.
  std::vector<Contact> peers() const;
  const Directory& directory() const { return directory_; }
  const SettingsKeeper& settings() const { return settings_; }
  /// Why the settings that we keep are not in use, or empty.  Those that were before are, then.
  const std::string& settings_problem() const { return settings_problem_; }
  const Vnet& vnet() const { return vnet_; }
  Vnet& vnet() { return vnet_; }
  const ErrorCounters& refused() const { return refused_; }
  ErrorCounters& refused() { return refused_; }

 private:
  void pump(Instant now);
  void handle_event(Instant now, const Links::Event& event);
  void handle_connected(Instant now, const Links::Connected& connected);
  void handle_disconnected(Instant now, const Links::Disconnected& disconnected);
  void handle_message(Instant now, const Links::Message& message);
  void handle_delivered(Instant now, const Router::Delivered& delivered);
  void handle_broadcast(Instant now, const wire::Broadcast& broadcast);
  void handle_direct(Instant now, const NodeId& from, const wire::Direct& direct);
  void handle_told(Instant now, const NodeId& from, const wire::RingMessage& message);
  void handle_query(Instant now, const NodeId& from, const wire::Query& query);
  void handle_answer(Instant now, const NodeId& from, const wire::Answer& answer);
  void handle_announcement(Instant now, const Binding& binding);
  wire::Members checked(const wire::Members& list);
  Result<Done, Problem> take_settings(Instant now, std::string_view file);
  void use_settings();

  UnixSeconds unix_time(Instant now) const;
  Duration wall_time(Instant now) const { return now.time_since_epoch() + unix_offset_; }
  bool may_be_endpoint(const Endpoint& endpoint) const;
  Introducers::Company company() const;
  void call_introducers(Instant now);
  void send_directory(Instant now, const Directory::Outgoing& outgoing);
  void send_notice(Instant now, const Vnet::Notice& notice);
  void send_outgoing(Instant now, const Vnet::Outgoing& outgoing);
  void send_frame(Instant now, const NodeId& to, ByteView frame);
  std::shared_ptr<const Snapshot> make_snapshot() const;

  NodeConfig config_;
  Log& log_;
  Duration unix_offset_;  ///< Wall clock minus Instant.
  ErrorCounters refused_;
  Links links_;
  Router router_;
  Ring ring_;
  Herald herald_;
  Explorer explorer_;
  Vnet vnet_;
  Directory directory_;
  SettingsKeeper settings_;
  uint64_t settings_seen_ = 0;  ///< The version that was handed to vnet_, or could not be.
  std::string settings_problem_;
  Introducers introducers_;
  /// Frames for nodes that we have no link to yet.  When a guest moves, all that is sent to it waits for half
  /// a second, which a handshake over the ring may take: 500 frames a second.
  FrameHold<NodeId, 256, 1024> hold_;
  uint64_t hash_key_;  ///< For Snapshot; nobody else's business.
  uint64_t snapshot_version_ = 0;
  std::shared_ptr<const AddressBook> addresses_;  ///< Of the last snapshot.
  /// Versions of the links, the map, and the addresses of guests here.
  std::tuple<uint64_t, uint64_t, uint64_t> snapshot_of_{~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}};
};

}  // namespace ipop
