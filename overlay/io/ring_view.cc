#include "overlay/io/ring_view.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <set>

#include "overlay/io/text.h"

namespace ipop {
namespace {

/// Counted from one; nothing if it is not there.
std::optional<size_t> place_in(const std::vector<NodeId>& nodes, const NodeId& node) {
  const auto found = std::find(nodes.begin(), nodes.end(), node);
  if (found == nodes.end()) return std::nullopt;
  return static_cast<size_t>(found - nodes.begin()) + 1;
}

/// "successor 1, predecessor 3": in a small ring a node may be both.
std::string place_of(const Report& report, const Report::Peer& peer) {
  std::string out;
  if (const auto place = place_in(report.place.successors, peer.node)) {
    out = "successor " + std::to_string(*place);
  }
  if (const auto place = place_in(report.place.predecessors, peer.node)) {
    out += (out.empty() ? "" : ", ") + ("predecessor " + std::to_string(*place));
  }
  if (out.empty() && peer.kind) out = to_string(*peer.kind);
  return or_dash(out);
}

/// Successors, then predecessors, then by kind; the order of identifiers among equals.
std::vector<const Report::Peer*> in_order(const Report& report) {
  std::vector<std::pair<std::pair<size_t, size_t>, const Report::Peer*>> ranked;
  for (const auto& peer : report.peers) {
    std::pair<size_t, size_t> rank{2, peer.kind ? static_cast<size_t>(*peer.kind) : SIZE_MAX};
    if (const auto place = place_in(report.place.predecessors, peer.node)) rank = {1, *place};
    if (const auto place = place_in(report.place.successors, peer.node)) rank = {0, *place};
    ranked.emplace_back(rank, &peer);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Report::Peer*> out;
  for (const auto& [rank, peer] : ranked) out.push_back(peer);
  return out;
}

boost::json::value number_or_null(const std::optional<size_t>& number) {
  if (!number) return nullptr;
  return boost::json::value(*number);
}

boost::json::value milliseconds_or_null(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return boost::json::value(static_cast<double>(duration->count()) / 1000);
}

boost::json::array nodes_json(const std::vector<NodeId>& nodes) {
  boost::json::array out;
  for (const NodeId& node : nodes) out.emplace_back(node.to_string());
  return out;
}

/// The round trip of the link by which a trace came to its hop `i`.
std::optional<Duration> link_to(const Report& report, const Trace& trace, size_t i) {
  if (i > 0) return trace.hops[i - 1].round_trip;
  for (const auto& peer : report.peers) {
    if (peer.node == trace.hops[0].node) return peer.round_trip;
  }
  return std::nullopt;
}

std::string short_strings(const std::vector<NodeId>& nodes) {
  std::string out;
  for (const NodeId& node : nodes) out += (out.empty() ? "" : " ") + node.to_short_string();
  return or_dash(out);
}

std::set<NodeId> known_nodes(const Report& report) {
  std::set<NodeId> out{report.node};
  for (const auto& peer : report.peers) out.insert(peer.node);
  for (const auto& binding : report.bindings) out.insert(binding.node);
  return out;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

NodeId parse_node(std::string_view digits) {
  NodeId out;
  for (size_t i = 0; i < out.bytes.size(); ++i) {
    out.bytes[i] = static_cast<uint8_t>(std::stoi(std::string(digits.substr(2 * i, 2)), nullptr, 16));
  }
  return out;
}

}  // namespace

std::string ring_summary(const Report& report) {
  return format("%s, about %.0f nodes", report.place.is_joined ? "joined" : "joining",
                report.place.estimated_size);
}

std::string show_ring(const Report& report, Instant now, bool json) {
  if (json) {
    boost::json::array links;
    for (const auto* peer : in_order(report)) {
      boost::json::object link{{"node", peer->node.to_string()},
                               {"host", peer->host},
                               {"kind", peer->kind ? to_string(*peer->kind) : ""},
                               {"age_s", whole_seconds(now - peer->connected_since)},
                               {"up", peer->is_up}};
      link["successor"] = number_or_null(place_in(report.place.successors, peer->node));
      link["predecessor"] = number_or_null(place_in(report.place.predecessors, peer->node));
      link["endpoint"] = nullptr;
      if (peer->endpoint) link["endpoint"] = peer->endpoint->to_string();
      link["rtt_ms"] = milliseconds_or_null(peer->round_trip);
      links.push_back(std::move(link));
    }
    const boost::json::object out{{"node", report.node.to_string()},
                                  {"host", report.host},
                                  {"joined", report.place.is_joined},
                                  {"estimated_size", report.place.estimated_size},
                                  {"successors", nodes_json(report.place.successors)},
                                  {"predecessors", nodes_json(report.place.predecessors)},
                                  {"links", std::move(links)}};
    return boost::json::serialize(out) + "\n";
  }
  std::string out = format("ring             %s\n", ring_summary(report).c_str());
  out += format("node             %s (%s)\n", report.node.to_string().c_str(), report.host.c_str());
  if (report.peers.empty()) return out;
  out += format("  %-28s %-16s %-10s %-28s %-10s %s\n", "PLACE", "HOST", "NODE", "PATH", "RTT", "AGE");
  for (const auto* peer : in_order(report)) {
    out += format("  %-28s %-16s %-10s %-28s %-10s %s%s\n", place_of(report, *peer).c_str(),
                  peer->host.c_str(), peer->node.to_short_string().c_str(),
                  peer->endpoint ? peer->endpoint->to_string().c_str() : "over the ring",
                  milliseconds(peer->round_trip).c_str(), roughly(now - peer->connected_since).c_str(),
                  peer->is_up ? "" : "  (connecting)");
  }
  return out;
}

std::string show_trace(const Report& report, const Trace& trace, bool json) {
  if (json) {
    boost::json::array hops;
    for (size_t i = 0; i < trace.hops.size(); ++i) {
      boost::json::object hop{{"node", trace.hops[i].node.to_string()},
                              {"host", host_of(report, trace.hops[i].node)}};
      hop["link_rtt_ms"] = milliseconds_or_null(link_to(report, trace, i));
      hops.push_back(std::move(hop));
    }
    const boost::json::object out{{"from", report.node.to_string()},
                                  {"target", trace.target.to_string()},
                                  {"reached", trace.reached},
                                  {"took_ms", static_cast<double>(trace.took.count()) / 1000},
                                  {"hops", std::move(hops)}};
    return boost::json::serialize(out) + "\n";
  }
  std::string out;
  if (trace.reached) {
    out = format("%s: reached in %zu hop%s, answered after %s\n", trace.target.to_string().c_str(),
                 trace.hops.size(), trace.hops.size() == 1 ? "" : "s", milliseconds(trace.took).c_str());
  } else {
    out = format("%s: not reached, given up after %s\n", trace.target.to_string().c_str(),
                 roughly(trace.took).c_str());
  }
  if (trace.hops.empty()) return out;
  out += format("  %-4s %-16s %-10s %s\n", "HOP", "HOST", "NODE", "RTT OF THE LINK TO IT");
  for (size_t i = 0; i < trace.hops.size(); ++i) {
    out +=
        format("  %-4zu %-16s %-10s %s\n", i + 1, or_dash(host_of(report, trace.hops[i].node)).c_str(),
               trace.hops[i].node.to_short_string().c_str(), milliseconds(link_to(report, trace, i)).c_str());
  }
  return out;
}

std::string show_crawl(const Crawl& crawl, bool json) {
  const auto agreeing = static_cast<size_t>(
      std::count_if(crawl.stops.begin(), crawl.stops.end(), [](const auto& stop) { return stop.agrees; }));
  if (json) {
    boost::json::array nodes;
    for (const auto& stop : crawl.stops) {
      nodes.push_back(boost::json::object{{"node", stop.node.to_string()},
                                          {"host", stop.host},
                                          {"agrees", stop.agrees},
                                          {"successors", nodes_json(stop.successors)},
                                          {"predecessors", nodes_json(stop.predecessors)}});
    }
    const boost::json::object out{{"complete", crawl.complete},
                                  {"agrees", crawl.complete && agreeing == crawl.stops.size()},
                                  {"took_ms", static_cast<double>(crawl.took.count()) / 1000},
                                  {"nodes", std::move(nodes)}};
    return boost::json::serialize(out) + "\n";
  }
  std::string out =
      format("%zu nodes, %zu of them agree with what was found; %s after %s\n", crawl.stops.size(), agreeing,
             crawl.complete ? "back at the start" : "the ring is broken at the last, given up",
             milliseconds(crawl.took).c_str());
  out += format("  %-16s %-10s %-7s %-28s %s\n", "HOST", "NODE", "AGREES", "SUCCESSORS", "PREDECESSORS");
  for (const auto& stop : crawl.stops) {
    out += format("  %-16s %-10s %-7s %-28s %s\n", or_dash(stop.host).c_str(),
                  stop.node.to_short_string().c_str(), stop.agrees ? "yes" : "NO",
                  short_strings(stop.successors).c_str(), short_strings(stop.predecessors).c_str());
  }
  return out;
}

Result<NodeId, Problem> find_node(const Report& report, std::string_view text) {
  const std::string said = "\"" + std::string(text) + "\"";
  if (const auto ip = IpAddress::parse(text)) {
    for (const auto& binding : report.bindings) {
      if (binding.ip == *ip) return binding.node;
    }
    return Problem{"no guest with address " + std::string(text) + " is known here"};
  }
  if (text.size() == 2 * NodeId::kSize && is_hex(text)) return parse_node(text);
  if (text.size() != 8 || !is_hex(text)) {
    return Problem{said + " is no node (40 hexadecimal digits, or the first 8) and no address of a guest"};
  }
  std::string digits(text);
  std::transform(digits.begin(), digits.end(), digits.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  std::vector<NodeId> found;
  for (const NodeId& node : known_nodes(report)) {
    if (node.to_short_string() == digits) found.push_back(node);
  }
  if (found.size() == 1) return found.front();
  return Problem{said + (found.empty() ? " is no node that is known here" : " may be several nodes") +
                 "; give all 40 digits"};
}

}  // namespace ipop
