// What a port shows of itself: a copy of the node's state, made by the core's thread and read by any other;
// and how it is printed, for people and for programs.  The ring has io/ring_view.h.
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
  struct Place {
    bool is_joined = false;
    double estimated_size = 1;                     ///< Of the ring, in nodes.
    std::vector<NodeId> successors, predecessors;  ///< The nearest first.
  };
  struct Named {
    std::string name;
    uint64_t value;
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
  std::vector<Named> counters;  ///< Of the core.
};

Report make_report(const Node& node);

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
