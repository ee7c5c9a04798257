// What a port shows of itself: a copy of the node's state, made by the core's thread and read by any other;
// and how it is printed, for people and for programs.  The ring has io/ring_view.h, leases io/lease_view.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overlay/fastpath/counters.h"
#include "overlay/node/node.h"

namespace ipop {

struct Report {
  struct Peer {
    NodeId node;
    std::string host;
    std::optional<Endpoint> endpoint;  ///< Nothing: over the ring.
    std::optional<LinkKind> kind;
    bool is_up = false;
    Instant connected_since{};
    std::optional<Duration> round_trip;
    uint64_t handshakes = 0;
    bool allows_trains = true;  ///< See TrainTrial.
    size_t max_datagram = 0;    ///< See PathMtu.
    std::shared_ptr<const PeerActivity> activity;
  };
  struct GuestBinding {
    IpAddress ip;
    MacAddress mac;
    NodeId node;
    std::string host;  ///< Of the node, if we know it.
    bool is_local = false;
    uint64_t sequence = 0;
    Instant expires{};
    std::string name;
  };
  /// A DHCP lease that this host gave.
  struct GivenLease {
    MacAddress mac;
    IpAddress ip;
    std::string name;
    uint64_t sequence = 0;
    Instant expires{};  ///< In the past: the MAC is only remembered with this address.
    bool is_published = false;
  };
  struct Place {
    bool is_joined = false;
    double estimated_size = 1;                     ///< Of the ring, in nodes.
    std::vector<NodeId> successors, predecessors;  ///< The nearest first.
  };
  struct Named {
    std::string name;
    uint64_t value;
  };
  /// The node as a replica of others' addresses, and what it has in the DHT of its own.
  struct Dht {
    struct Record {
      std::string address;  ///< An IP or a MAC.
      std::string state;    ///< "reserved", "bound" or "withdrawn".
      IpAddress ip;
      MacAddress mac;
      NodeId node;
      std::string host;  ///< Of the node, if we know it.
      uint64_t sequence = 0;
      Instant expires{};
    };
    struct Writer {
      NodeId node;
      std::string host;
      size_t records = 0;
    };
    static constexpr size_t kMaxRecords = 256;  ///< A report is made four times a second.

    bool is_synchronised = false;
    bool is_unsure = false;
    size_t record_count = 0;
    std::vector<Record> records;  ///< The first, in the order of their keys.
    std::vector<Writer> writers;
    std::vector<NodeId> replicas;        ///< With which it shares most of its records: two on either side.
    size_t published = 0;                ///< Addresses of our guests that have a record.
    size_t addresses = 0;                ///< Those that ought to.
    std::optional<Duration> round_trip;  ///< Of a question to the answer that settles it.
    std::vector<Named> counters;
  };

  std::string network;
  Ipv4Subnet subnet;
  std::string host;
  NodeId node;
  UnixSeconds certificate_expires = 0;
  std::optional<Endpoint> public_endpoint;
  Place place;
  std::vector<Peer> peers;
  std::vector<GuestBinding> bindings;
  std::vector<GivenLease> leases;
  std::vector<DhcpServer::Reservation> reservations;
  /// The network's settings, as they are in use.
  struct InUse {
    uint64_t version = 0;                ///< Of those that are kept; 0: none.
    std::string problem;                 ///< Why these are not in use, or empty.
    Service service;                     ///< What guests are told.
    std::vector<Ipv4Address> not_given;  ///< Reservations that this host's certificate does not allow.
  };
  InUse settings;
  std::vector<Named> counters;  ///< Of the core.
  Dht dht;
};

Report make_report(const Node& node, Instant now);

/// The name of a node's host, or "" if we do not know it.
std::string host_of(const Report& report, const NodeId& node);

/// What the shell knows and the node does not.
struct PortFacts {
  std::string name;
  std::string invite;
  Endpoint listen;
  std::optional<Endpoint> local_endpoint;
  std::vector<Endpoint> introducers;
  const PortCounters* counters;
  const ErrorCounters* refused;
};

/// Ages and expiries are those at `now`.
std::string show(const Report& report, const PortFacts& port, Instant now, bool json);
std::string show_peers(const Report& report, Instant now, bool json);
std::string show_bindings(const Report& report, Instant now, bool json);

/// All counters of a port, by name.
std::vector<Report::Named> all_counters(const Report& report, const PortFacts& port);

}  // namespace ipop
