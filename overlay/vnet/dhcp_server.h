// The DHCPv4 server in the port (RFC 2131): answers the guests of this host and no one else.  It claims no
// router, since there is none.  A calculation: no I/O.
//
// A client is its chaddr.  The client identifier (option 61) is ignored although RFC 2131 prefers it: guests
// cloned from one image share their DUID, and an address has to follow the MAC that libvirt gave the guest.
//
// Choosing an address: what the settings reserve for the MAC; else its own (its lease here or what it had
// where it was before, what the network knows of it, what it asks for in option 50 of the pool); else from
// Service::pool_start() upwards.  What is reserved for a MAC goes to no other; a MAC whose reserved address
// somebody still has gets another one meanwhile.  When the settings change no lease ends: its guest gets what
// the settings say when it starts anew, and who has what is now reserved for another keeps it for the rest of
// its lease.  Before an offer the guests of this host are asked whether one uses it, by ARP, and the network
// is asked for it, with our claim in the question: of two hosts that claim one address at the same time the
// lower MAC keeps it and the other goes on to the next; an address that is offered already is taken, whatever
// the MACs.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "overlay/vnet/address_map.h"
#include "overlay/vnet/dhcp_pool.h"
#include "overlay/vnet/lease_table.h"
#include "overlay/vnet/resolver.h"
#include "overlay/vnet/service.h"
#include "overlay/wire/dhcp.h"

namespace ipop {

class DhcpServer {
 public:
  static constexpr Duration kLeaseTime = 1h;
  static constexpr Duration kRecent = 10s;     ///< A lease this young is not renewed, only repeated.
  static constexpr Duration kOfferTime = 50s;  ///< Longer than a client hesitates.
  static constexpr size_t kMaxPending = 1024;  ///< Clients between DISCOVER and ACK.
  static constexpr int kMaxCandidates = 16;    ///< Asked for in the network for one client.

  /// The references outlive the server.  `allowed`: as for DhcpPool.
  DhcpServer(const Service& service, const AddressMap& map, Resolver& resolver,
             std::vector<Ipv4Subnet> allowed = {})
      : service_(service), map_(map), resolver_(resolver), pool_(service, map, leases_, std::move(allowed)) {}
  DhcpServer(const DhcpServer&) = delete;  // The pool refers to the leases.
  DhcpServer& operator=(const DhcpServer&) = delete;

  /// A message from a local guest.  An answer may come now or after the network was asked.
  /// NotAllowed: relayed, or for another server.  UnexpectedMessage: a reply, or a RELEASE or DECLINE
  /// of what was not given.  Full, RateLimited: no room for another client.
  Result<Done> handle_message(Instant now, const DhcpMessage& message);
  /// A question is settled; asked by us or not.
  void handle_answer(Instant now, const Query& query, const std::optional<Binding>& binding);
  /// Nobody could say whether our claim is good: its client has to ask again.  Nobody knows the MAC: it is
  /// new.
  void handle_silence(Instant now, const Query& query);
  /// What a member that asks should hear beyond the address map: our reservations and remembered leases.
  /// Gives way to a better claim.
  std::optional<Binding> handle_query(Instant now, const NodeId& own, const Query& query);
  /// The guest is at another node now: its lease is that node's.
  void handle_moved_away(const MacAddress& mac) { leases_.erase(mac); }
  /// As DhcpPool::may_give().
  bool may_give(Ipv4Address ip) const { return pool_.may_give(ip); }
  /// Another guest has what `mac` was given, or offered: that ends, and is not acknowledged unasked.
  void handle_lost(Ipv4Address ip, const MacAddress& mac);
  /// What the guest had at another host, before it began anew: it is asked for first, unless we have a lease.
  void remember(Instant now, const MacAddress& mac, Ipv4Address ip);

  /// The next Ethernet frame for the guests.
  std::optional<Bytes> poll_frame();
  /// An address that the network is being asked for, to be offered: a guest of this host that uses it, and
  /// has been silent, is to be asked meanwhile (RFC 2131, section 3.1, step 2).
  std::optional<Ipv4Address> poll_probe();

  struct Event {
    MacAddress mac;
    Ipv4Address ip;
    Instant expires;  ///< Not after now: given back.
    std::string name;
  };
  /// An address was acknowledged, renewed or given back: announce it, and tell set_sequence().
  std::optional<Event> poll_event();
  void set_sequence(Instant now, const MacAddress& mac, uint64_t sequence);

  /// An address that is kept for a client until it takes it.
  struct Reservation {
    MacAddress mac;
    Ipv4Address ip;
    bool is_offered = false;  ///< Else the network is being asked for it.
    Instant expires;
  };
  /// In the order of MACs.
  std::vector<Reservation> reservations() const;

  Instant next_timeout() const;
  void handle_timeout(Instant now);

  LeaseTable& leases() { return leases_; }
  const LeaseTable& leases() const { return leases_; }
  const DhcpPool& pool() const { return pool_; }

  struct Counts {
    uint64_t offers = 0, acks = 0, naks = 0, declines = 0, exhausted = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  /// A client on its way to an address.  `ip` is kept for it: the candidate, or what was offered.
  struct Client {
    enum class State {
      Asking,   ///< Does the network know the MAC's address?  Is the candidate free?  Both at once.
      Offered,  ///< OFFER sent.
    };
    State state = State::Asking;
    bool awaits_mac = false;  ///< That question is open.
    bool is_granted = false;  ///< The candidate is free, and ours.
    Ipv4Address ip;
    uint64_t next_offset = 0;  ///< Of DhcpPool::find_free().
    int candidates_left = kMaxCandidates;
    bool is_reserved_gone = false;  ///< Somebody has what the settings reserve for it.
    DhcpMessage message;            ///< To answer: a DISCOVER or, to be verified first, a REQUEST.
    Instant deadline;  ///< The network keeps the candidate for it no longer, whatever it repeats.
  };
  using Clients = std::map<MacAddress, Client>;

  Result<Done> handle_discover(Instant now, const DhcpMessage& message);
  Result<Done> handle_request(Instant now, const DhcpMessage& message);
  Result<Done> handle_release(Instant now, const DhcpMessage& message);
  Result<Done> handle_decline(Instant now, const DhcpMessage& message);
  Result<Done> handle_inform(const DhcpMessage& message);

  /// A new client with nothing kept for it, in place of what there was.
  Result<Clients::iterator> start(Instant now, const DhcpMessage& message);
  void forget(Clients::iterator client);
  /// In the pool, in place of what was kept for the client before.
  void keep(Clients::iterator client, Ipv4Address ip);
  void give_back(Clients::iterator client);
  /// Keeps `ip` and asks the network for it; the client is forgotten if that is not possible.
  Result<Done> ask_for(Instant now, Clients::iterator client, Ipv4Address ip);
  /// What the client has or had, as far as that is known, or else what the network says of it.
  Result<Done> own_candidate(Instant now, Clients::iterator client);
  /// What the client asked for in option 50, or else the first of the pool.
  Result<Done> first_candidate(Instant now, Clients::iterator client);
  /// The next one of the pool; when there is none the client is forgotten.
  Result<Done> next_candidate(Instant now, Clients::iterator client);
  /// What the network knows of the MAC.
  void handle_known(Instant now, const MacAddress& mac, const std::optional<Binding>& binding);
  /// The address that is kept for it is, or is not, the client's.
  void candidate_is_free(Instant now, Clients::iterator client);
  void candidate_is_taken(Instant now, Clients::iterator client);
  bool may_have(Instant now, Ipv4Address ip, const MacAddress& mac) const;
  /// Why a request for `ip` is refused without asking the network, or null.
  const char* find_objection(Instant now, const DhcpMessage& request, Ipv4Address ip) const;

  /// The network has granted it, and keeps it until the client's deadline.
  void offer(Clients::iterator client, Ipv4Address ip);
  /// The lease that the client has.
  void offer_again(Clients::iterator client, const Lease& lease);
  Result<Done> acknowledge(Instant now, const DhcpMessage& request, Ipv4Address ip);
  void refuse(const DhcpMessage& request, const char* why);
  DhcpMessage reply_to(const DhcpMessage& request, DhcpMessage::Type type) const;
  /// What the guest is called: by the settings, by itself, or before.
  std::string name_of(const DhcpMessage& request) const;
  static void add_times(DhcpMessage& reply, Duration lease_time);
  void send(const DhcpMessage& reply);

  const Service& service_;
  const AddressMap& map_;
  Resolver& resolver_;
  LeaseTable leases_;
  DhcpPool pool_;
  Clients clients_;
  std::deque<Bytes> frames_;
  std::deque<Ipv4Address> probes_;
  std::deque<Event> events_;
  Counts counts_;
};

}  // namespace ipop
