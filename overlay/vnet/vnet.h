// The virtual network of one port, as its node uses it: what guests see (ARP, neighbour discovery, DHCP, DNS)
// and where frames go that the fast path could not place.  Knows no ring, no session and no member list; the
// node carries its questions, announcements and frames.  A calculation: no I/O, one owner, not thread-safe.
//
// After any handle_*() the owner polls until every poll_*() is empty, and publishes a new forwarding snapshot
// if map().version() has changed.  When a member joins, the owner tells it all of local_bindings().
//
// A guest belongs to this host as soon as a frame of it comes from the switch: if the map has it elsewhere,
// it has moved, and the binding we announce has the old sequence plus one.  It stays until another member
// announces it with a better claim, or until it has been silent for kIdleTime (its lease, if it has one, if
// that is longer).  When half of that is over it is asked by ARP and neighbour discovery whether it is still
// there.
//
// Who talks with a guest that moves hears of it from the old host, which they are linked to: the new host
// tells that one, it tells all its peers, and passes on what still arrives.  A host that did not know where
// the guest was, or not the latest, may have begun with too low a sequence: until the network has its word
// (raise_sequence()), an older claim with a higher one makes it take the next.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/counters.h"
#include "overlay/base/log.h"
#include "overlay/base/random.h"
#include "overlay/base/token_bucket.h"
#include "overlay/vnet/address_map.h"
#include "overlay/vnet/arp_responder.h"
#include "overlay/vnet/contests.h"
#include "overlay/vnet/dhcp_server.h"
#include "overlay/vnet/expected_guests.h"
#include "overlay/vnet/frame_hold.h"
#include "overlay/vnet/guest_guard.h"
#include "overlay/vnet/introduction.h"
#include "overlay/vnet/movers.h"
#include "overlay/vnet/nd_responder.h"
#include "overlay/vnet/resolver.h"
#include "overlay/vnet/router_advertiser.h"
#include "overlay/vnet/service.h"
#include "overlay/vnet/service_host.h"
#include "overlay/wire/ethernet.h"

namespace ipop {

struct VnetConfig {
  std::string network_name;
  Ipv4Subnet subnet;          ///< Prefix length at most 30.
  uint64_t network_hash = 0;  ///< The same on every member.
  NodeId own;
  uint16_t mtu = 0;  ///< What the port carries, in octets of an IP packet.
  std::vector<Ipv4Subnet> allowed =
      {};  ///< What the host's certificate lets it speak for; empty: the subnet.
};

class Vnet {
 public:
  static constexpr Duration kIdleTime = 1h;
  static constexpr Duration kLongestBinding = 2h;      ///< A member cannot claim for longer at a time.
  static constexpr Duration kLearnedFromFrame = 5min;  ///< A place learned from a frame, not announced.

  /// `random` and `log` outlive it.
  Vnet(const VnetConfig& config, Random& random, Log& log);
  Vnet(const Vnet&) = delete;  // Its parts refer to each other.

  /// A frame of a local guest that the fast path did not place: group-addressed, to the service, to a MAC it
  /// does not know, from a MAC it does not know as local, or such as must_judge() names.  Checksums are
  /// complete and TCP is segmented, since the frame may travel on.  What is refused is also counted in
  /// errors().
  Result<Done> handle_guest_frame(Instant now, ByteView frame);
  /// A local guest's frame that begins with `head` is longer than the `max_frame` octets that the way to its
  /// destination has room for.  It has left in slices; the guest is told, for the next ones.
  void handle_too_long(ByteView head, size_t max_frame);
  /// A frame of a member's guest that the fast path did not deliver: group-addressed, or from a MAC that it
  /// does not know to be at `from`.
  Result<Done> handle_member_frame(Instant now, const NodeId& from, ByteView frame);

  /// A frame to hand to the switch.
  std::optional<Bytes> poll_guest_frame();
  struct Outgoing {
    std::optional<NodeId> to;  ///< Nothing: all members.
    Bytes frame;
  };
  /// A frame to send to members.
  std::optional<Outgoing> poll_outgoing();

  /// A guest with this MAC is about to come here, says the hook: see ExpectedGuests.  Malformed or NotAllowed
  /// if no guest has such a MAC, Full if too many are expected.
  Result<Done> expect(Instant now, const MacAddress& mac);
  /// What a guest of this host is to have, from now on; what was said of it before is forgotten.  DHCP gives
  /// it that address, once the network has granted it, and that name.  Refused with a sentence, and nothing
  /// changes: an address that no guest can have here, or that is to be another's; too many guests.
  Result<Done, Problem> introduce(const Introduction& guest);
  /// A member to have a link with, since a guest is to come here from there.
  std::optional<NodeId> poll_host_of_expected() { return expected_.poll_host(); }

  /// A question for all members.
  std::optional<Query> poll_query() { return resolver_.poll_query(); }
  /// Somebody answered with a binding (of its own: the caller has checked its node), or everybody was asked
  /// and nobody knew.  An answer to a question that is no longer open still teaches.
  Result<Done> handle_answer(Instant now, uint64_t id, const std::optional<Binding>& binding);
  /// What we have to say to a member's question: a binding of ours, or nothing.
  std::optional<Binding> handle_query(Instant now, const NodeId& from, const Query& query);

  /// A binding of ours to tell all members now.
  std::optional<Binding> poll_announcement();
  struct Notice {
    std::optional<NodeId> to;  ///< Nothing: all members that we are linked to.
    Binding binding;           ///< Without address.  Of our guest, or of one that was at ours.
  };
  /// Where a guest is, to tell a member now that cannot wait for others to tell it.
  std::optional<Notice> poll_notice();
  /// A guest of ours that is elsewhere now.
  std::optional<MacAddress> poll_departure();
  /// A member speaks for itself, and says where a guest has gone that was there by our map: of that its MAC
  /// alone is believed.  NotAllowed if binding.node is not `from` otherwise.  What anybody says of a newcomer
  /// is a reason to outbid() that.
  Result<Done> handle_announcement(Instant now, const NodeId& from, const Binding& binding);
  /// The network has decided that `ip` is the winner's: our guest `mac` has it no more.
  void handle_lost(Instant now, const MacAddress& mac, const Binding& winner);
  /// `claim` is older than our word on a guest that has just come here, by the network or by where it was. If
  /// it would win all the same, we take the next sequence and tell its node; else false.
  bool outbid(Instant now, const Binding& claim);
  /// What the network has of a guest from before it came here: DHCP asks for that address first.
  void remember(Instant now, const Binding& former);
  const Movers& movers() const { return movers_; }
  /// The network has taken our word that the guest is here, with this sequence: ours goes up to it, and
  /// whoever claimed it with a lower one meanwhile did not know.
  void raise_sequence(Instant now, const MacAddress& mac, uint64_t sequence);
  /// Its bindings are kept until they expire: the host may just be restarting, and frames for its guests have
  /// nowhere better to go.  Only what was learned from its frames is forgotten.
  void handle_member_gone(Instant now, const NodeId& node);

  Instant next_timeout() const;
  void handle_timeout(Instant now);

  /// The network's settings from now on; not null.  Live leases are not touched: see DhcpServer.  A
  /// reservation that this host may not give is named in the log.
  void use_settings(std::shared_ptr<const Settings> settings);
  /// Whether DHCP may give this address here, by the host's certificate.
  bool may_give(Ipv4Address ip) const { return dhcp_.pool().may_give(ip); }

  const AddressMap& map() const { return map_; }
  const Service& service() const { return service_; }
  std::vector<Binding> bindings() const { return map_.bindings(); }
  std::vector<Binding> local_bindings() const { return map_.local_bindings(); }

  const LeaseTable& leases() const { return dhcp_.leases(); }
  std::vector<DhcpServer::Reservation> reservations() const { return dhcp_.reservations(); }
  /// True until leases_saved() after a change; then write save_leases() to the file.
  bool leases_dirty() const { return dhcp_.leases().dirty(); }
  void leases_saved() { dhcp_.leases().set_saved(); }
  std::string save_leases(Instant now, UnixSeconds wall_now) const;
  /// At the start.  Living leases become local bindings with the sequence they had, which are not confirmed:
  /// a guest that moved away meanwhile is not called back.  A refused file changes nothing.
  Result<Done, Problem> load_leases(std::string_view text, Instant now, UnixSeconds wall_now);

  const ErrorCounters& errors() const { return errors_; }
  struct Counter {
    const char* name;
    uint64_t value;
  };
  /// What happened, by name; refusals are in errors().
  std::vector<Counter> counters() const;

 private:
  Result<Done> dispatch(Instant now, ByteView frame);
  Result<Done> learn_source(Instant now, const EthernetFrame& frame);
  Result<Done> handle_dhcp(Instant now, const MacAddress& mac, ByteView payload);
  void leave_behind(Instant now, const DhcpMessage& message);
  void end_address(Instant now, const MacAddress& mac, const IpAddress& ip);
  void make_room(Instant now, const MacAddress& mac);
  Result<Done> handle_arp(Instant now, const EthernetFrame& frame, ByteView bytes);
  Result<Done> handle_ipv6(Instant now, const EthernetFrame& frame, ByteView bytes);
  /// Forwards what is not of neighbour discovery.
  Result<Done> handle_neighbour_discovery(Instant now, const EthernetFrame& frame, const Ipv6Packet& packet,
                                          ByteView bytes);
  bool may_tell(const MacAddress& mac, const IpAddress& ip) const;
  Result<Done> forward(Instant now, const EthernetHeader& header, ByteView frame);
  /// The guest with `mac` is here, and has `ip` unless that is unspecified.
  Result<Done> learn_local(Instant now, const MacAddress& mac, const IpAddress& ip);
  Result<Done> learn_remote(Instant now, const Binding& binding);
  /// Puts a binding of ours in the map and announces it.
  Result<uint64_t> bind_local(Instant now, const MacAddress& mac, const IpAddress& ip, Instant expires,
                              const std::string& name);
  void ask_for_expected(Instant now);
  void announce(const MacAddress& mac);
  void announce_again(Instant now, const MacAddress& mac);
  Result<Done> handle_redirection(Instant now, const NodeId& from, const Binding& binding);
  void handle_departure(Instant now, const Binding& binding, const std::vector<IpAddress>& had);
  bool pass_on(Instant now, const NodeId& from, const EthernetHeader& header, ByteView frame);
  void notify(const std::optional<NodeId>& to, const MacAddress& mac);
  void drain_dhcp(Instant now);
  void drain_nd_claims(Instant now);
  void settle(const Binding& binding);
  void send_to(const NodeId& node, ByteView frame);
  void ask_guest(const MacAddress& dst, const IpAddress& ip);
  void show_holder(const MacAddress& dst, const Binding& holder);
  bool is_contestable(Instant now, const Binding& holder) const;
  void drain_contests(Instant now);
  static bool is_about(const Query& query, const Binding& binding);
  std::optional<Binding> reconcile(const Query& query, const Binding& answer) const;
  void forget_stale(Instant now, const Query& claim);
  std::optional<Binding> find(const Query& query) const;
  void conclude(Instant now, const Query& query, const std::optional<Binding>& binding, bool was_answered);
  Error refuse(Error error);
  void log_limited(Instant now, const std::string& line);

  NodeId own_;
  Service service_;
  Log& log_;
  AddressMap map_;
  Movers movers_;
  ExpectedGuests expected_;
  Contests contests_;
  Resolver resolver_;
  ArpResponder arp_;
  NdResponder nd_;
  RouterAdvertiser routers_;
  ServiceHost host_;
  DhcpServer dhcp_;
  FrameHold<MacAddress> hold_;
  ErrorCounters errors_;

  TokenBucket flood_rate_{1ms, 1000};  ///< Group-addressed frames of our guests to all members.
  TokenBucket new_rate_{5ms, 1000};    ///< MACs that nobody has heard of: each makes an announcement.
  TokenBucket move_rate_{5ms, 1000};   ///< Likewise other news of guests; who invents MACs leaves it alone.
  TokenBucket dhcp_rate_{5ms, 1000};   ///< Messages of our guests to the DHCP server.
  TokenBucket ask_rate_{20ms, 100};    ///< ARP requests to our guests because of what members say.
  TokenBucket ask_back_rate_{20ms, 100};  ///< To those that are said to have left: nothing is to delay them.
  TokenBucket defend_rate_{100ms, 50};    ///< Announcements repeated because a member disagrees.
  TokenBucket pass_on_rate_{1ms, 1000};   ///< Notices to who sends us frames for guests elsewhere.
  TokenBucket log_rate_{1s, 20};

  std::deque<Bytes> guest_frames_;
  std::deque<Outgoing> outgoing_;
  std::deque<Binding> announcements_;
  std::deque<MacAddress> departures_;
  std::deque<Notice> notices_;
  std::array<uint64_t, kImpostureCount> impostures_{};
  uint64_t flooded_ = 0, flood_limited_ = 0, held_ = 0, hold_expired_ = 0, moved_here_ = 0, moved_away_ = 0;
  uint64_t passed_on_ = 0;  ///< Frames of members for guests that are elsewhere.
  uint64_t too_big_told_ = 0;
  uint64_t address_conflicts_ = 0;  ///< Of guests that use, and hosts that claim, what is another guest's.
};

}  // namespace ipop
