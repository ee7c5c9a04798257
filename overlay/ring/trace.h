// What an administrator learns of the ring by asking it: the way to a node, and all nodes in their order.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/random.h"
#include "overlay/ring/ring.h"
#include "overlay/ring/router.h"

namespace ipop {

/// How long an answer may take; a crawl waits so long at each stop.
inline constexpr Duration kTracePatience = 10s;
inline constexpr Duration kCrawlRetry = 2s;
/// Traces and crawls under way, and stops of a crawl.
inline constexpr size_t kMaxExplorations = 4096;
inline constexpr size_t kMaxStops = 4096;

struct Trace {
  struct Hop {
    NodeId node;
    std::optional<Duration> round_trip;  ///< Of the link that the message left by.
  };
  uint64_t id = 0;
  NodeId target;
  bool exact = false;
  bool reached = false;
  Duration took{};        ///< Until the answer was here.
  std::vector<Hop> hops;  ///< Without the source; the last is who answered: the target, or the owner of the key.
};

struct Crawl {
  struct Stop {
    NodeId node;
    std::string host;
    std::vector<NodeId> successors, predecessors;
    bool agrees = false;  ///< Its neighbours are those that the crawl met before and after it.
  };
  uint64_t id = 0;
  bool complete = false;  ///< It came back to where it started.
  Duration took{};
  std::vector<Stop> stops;  ///< In the order of the ring, from ourselves.
};

class Explorer {
 public:
  /// The references must outlive it.  `host`: our name.
  Explorer(const NodeId& self, std::string host, Ring& ring, Router& router, Random& random)
      : self_(self), host_(std::move(host)), ring_(ring), router_(router), random_(random) {}

  /// `exact`: only that node may answer; else the owner of the key.
  uint64_t start_trace(Instant now, const NodeId& target, bool exact);
  uint64_t start_crawl(Instant now);
  std::optional<Trace> poll_trace();
  std::optional<Crawl> poll_crawl();

  void handle_trace_request(Instant now, const wire::Routed& envelope, wire::TraceRequest request);
  void handle_trace_reply(Instant now, const wire::TraceReply& reply);
  void handle_neighbours_request(Instant now, const wire::Routed& envelope,
                                 const wire::NeighboursRequest& request);
  void handle_neighbours_reply(Instant now, const wire::Routed& envelope, const wire::NeighboursReply& reply);

  Instant next_timeout() const;
  void handle_timeout(Instant now);

 private:
  struct Tracing {
    NodeId target;
    bool exact;
    Instant since;
  };
  struct Crawling {
    std::vector<Crawl::Stop> stops;
    std::deque<NodeId> ahead;  ///< Who comes next, by the last stop; the later ones in case the first is silent.
    Instant since;
    Instant retry_at;
    int tries = 0;
  };

  wire::NeighboursReply own_neighbours(uint64_t id) const;
  void step(Instant now, uint64_t id, Crawling& crawl);
  void ask_next(Instant now, uint64_t id, Crawling& crawl);
  void finish(Instant now, uint64_t id, bool complete);

  NodeId self_;
  std::string host_;
  Ring& ring_;
  Router& router_;
  Random& random_;
  std::map<uint64_t, Tracing> traces_;
  std::map<uint64_t, Crawling> crawls_;
  std::deque<Trace> finished_traces_;
  std::deque<Crawl> finished_crawls_;
};

}  // namespace ipop
