#include "overlay/io/report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <tuple>

#include "overlay/crypto/aead.h"
#include "overlay/crypto/invite.h"
#include "overlay/io/dht_view.h"
#include "overlay/io/ring_view.h"
#include "overlay/io/text.h"
#include "overlay/io/udp_offload.h"

namespace ipop {
namespace {

boost::json::value endpoint_or_null(const std::optional<Endpoint>& endpoint) {
  if (!endpoint) return nullptr;
  return boost::json::value(endpoint->to_string());
}

Duration left(const Report::GuestBinding& binding, Instant now) {
  return std::max(binding.expires - now, Duration::zero());
}

uint64_t load(const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); }

size_t peers_up(const Report& report) {
  return static_cast<size_t>(
      std::count_if(report.peers.begin(), report.peers.end(), [](const auto& peer) { return peer.is_up; }));
}

boost::json::array peers_json(const Report& report, Instant now) {
  boost::json::array out;
  for (const auto& peer : report.peers) {
    boost::json::object entry{{"node", peer.node.to_string()},
                              {"host", peer.host},
                              {"endpoint", endpoint_or_null(peer.endpoint)},
                              {"kind", peer.kind ? to_string(*peer.kind) : ""},
                              {"up", peer.is_up},
                              {"age_s", whole_seconds(now - peer.connected_since)},
                              {"handshakes", peer.handshakes},
                              {"in_trains", peer.allows_trains},
                              {"max_datagram", peer.max_datagram},
                              {"tx_frames", load(peer.activity->tx_frames)},
                              {"tx_bytes", load(peer.activity->tx_bytes)},
                              {"rx_frames", load(peer.activity->rx_frames)},
                              {"rx_bytes", load(peer.activity->rx_bytes)}};
    entry["rtt_ms"] = nullptr;
    if (peer.round_trip) entry["rtt_ms"] = static_cast<double>(peer.round_trip->count()) / 1000;
    out.push_back(std::move(entry));
  }
  return out;
}

boost::json::array bindings_json(const Report& report, Instant now) {
  boost::json::array out;
  for (const auto& binding : report.bindings) {
    boost::json::object entry{{"mac", binding.mac.to_string()},
                              {"node", binding.node.to_string()},
                              {"host", binding.host},
                              {"local", binding.is_local},
                              {"sequence", binding.sequence},
                              {"expires_s", whole_seconds(left(binding, now))},
                              {"name", binding.name}};
    entry["ip"] = nullptr;
    if (!binding.ip.is_unspecified()) entry["ip"] = binding.ip.to_string();
    out.push_back(std::move(entry));
  }
  return out;
}

Report::Dht make_dht(const Node& node, Instant now, const std::map<NodeId, std::string>& hosts) {
  const auto host_of = [&](const NodeId& id) {
    const auto found = hosts.find(id);
    return found == hosts.end() ? std::string() : found->second;
  };
  const Directory& directory = node.directory();
  const Replica& replica = directory.replica();
  Report::Dht out;
  out.is_synchronised = replica.is_synchronised();
  out.is_unsure = replica.is_unsure(now);
  out.record_count = replica.store().size();
  for (const auto& [key, entry] : replica.store().all()) {
    if (out.records.size() == Report::Dht::kMaxRecords) break;
    const wire::DhtRecord& record = entry.record;
    const bool is_ip = record.kind == wire::DhtAddress::Kind::Ip;
    out.records.push_back({.address = is_ip ? record.ip.to_string() : record.mac.to_string(),
                           .state = state_name(record.state),
                           .ip = record.ip,
                           .mac = record.mac,
                           .node = record.node,
                           .host = host_of(record.node),
                           .sequence = record.sequence,
                           .expires = entry.expires});
  }
  for (const auto& [writer, count] : replica.store().writers()) {
    out.writers.push_back({.node = writer, .host = host_of(writer), .records = count});
  }
  for (const auto* side : {&replica.near().predecessors, &replica.near().successors}) {
    for (size_t i = 0; i < std::min(side->size(), kReplicasPerSide); ++i) {
      const NodeId& other = (*side)[i];
      if (std::find(out.replicas.begin(), out.replicas.end(), other) == out.replicas.end()) {
        out.replicas.push_back(other);
      }
    }
  }
  std::tie(out.published, out.addresses) = directory.published();
  out.round_trip = directory.client().round_trip().smoothed();
  const auto& client = directory.client().counts();
  const auto& served = replica.counts();
  const auto& own = directory.counts();
  out.counters = {{"asked", client.started},
                  {"found", client.found},
                  {"nothing", client.nothing},
                  {"accepted", client.accepted},
                  {"held", client.held},
                  {"failed", client.failed},
                  {"retries", client.retries},
                  {"raises", client.raises},
                  {"claims", own.claims},
                  {"claims_won", own.claims_won},
                  {"claims_lost", own.claims_lost},
                  {"asked_all", own.asked_all},
                  {"ask_all_limited", own.ask_all_limited},
                  {"refreshes", own.refreshes},
                  {"withdrawals", own.withdrawals},
                  {"addresses_lost", own.lost},
                  {"served_gets", served.gets},
                  {"served_creates", served.creates},
                  {"served_puts", served.puts},
                  {"served_accepted", served.accepted},
                  {"served_held", served.held},
                  {"served_not_ready", served.not_ready},
                  {"served_full", served.full},
                  {"served_refused", served.refused},
                  {"relayed", served.relayed},
                  {"relay_limited", served.relay_limited},
                  {"handovers", served.syncs},
                  {"repaired", served.repaired},
                  {"handed_on", served.handed_on},
                  {"superseded", served.superseded}};
  return out;
}

}  // namespace

Report make_report(const Node& node, Instant now) {
  Report out;
  const Credentials& credentials = node.credentials();
  out.network = credentials.network.name();
  out.subnet = credentials.network.subnet();
  out.host = credentials.certificate.host_name();
  out.node = credentials.id;
  out.certificate_expires = credentials.certificate.not_after();
  out.public_endpoint = node.links().public_endpoint();
  out.place = {.is_joined = node.ring().is_joined(),
               .estimated_size = node.ring().estimated_size(),
               .successors = node.ring().successors(),
               .predecessors = node.ring().predecessors()};
  std::map<NodeId, std::string> hosts{{credentials.id, out.host}};
  for (const auto& [id, link] : node.links().all()) {
    hosts[id] = link.host_name();
    out.peers.push_back({.node = id,
                         .host = link.host_name(),
                         .endpoint = link.path().endpoint,
                         .kind = node.ring().kind_of(id),
                         .is_up = link.sending() != nullptr,
                         .connected_since = link.connected_since(),
                         .round_trip = link.round_trip(),
                         .handshakes = link.handshakes(),
                         .allows_trains = link.trains().allows_trains(),
                         .max_datagram = link.max_datagram(),
                         .activity = link.activity()});
  }
  for (const Binding& binding : node.vnet().bindings()) {
    out.bindings.push_back({.ip = binding.ip,
                            .mac = binding.mac,
                            .node = binding.node,
                            .host = hosts[binding.node],
                            .is_local = binding.node == credentials.id,
                            .sequence = binding.sequence,
                            .expires = binding.expires,
                            .name = binding.name});
  }
  for (const auto& [mac, lease] : node.vnet().leases().all()) {
    out.leases.push_back({.mac = mac,
                          .ip = lease.ip,
                          .name = lease.name,
                          .sequence = lease.sequence,
                          .expires = lease.expires,
                          .is_published = lease.expires > now && node.directory().is_published(lease.ip)});
  }
  out.reservations = node.vnet().reservations();
  out.counters.push_back({"train_fallbacks", node.links().train_fallbacks()});
  for (const auto& counter : node.vnet().counters()) out.counters.push_back({counter.name, counter.value});
  for (size_t i = 0; i < kErrorCount; ++i) {
    const auto error = static_cast<Error>(i);
    out.counters.push_back({"guest_" + std::string(to_string(error)), node.vnet().errors().get(error)});
  }
  out.settings = {.version = node.settings().version(),
                  .problem = node.settings_problem(),
                  .service = node.vnet().service(),
                  .not_given = {}};
  for (const auto& [ip, mac] : out.settings.service.settings->reserved) {
    if (!node.vnet().may_give(ip)) out.settings.not_given.push_back(ip);
  }
  out.dht = make_dht(node, now, hosts);
  return out;
}

std::string host_of(const Report& report, const NodeId& node) {
  if (node == report.node) return report.host;
  for (const auto& peer : report.peers) {
    if (peer.node == node) return peer.host;
  }
  return "";
}

std::vector<Report::Named> all_counters(const Report& report, const PortFacts& port) {
  std::vector<Report::Named> out{
      {"tx_datagrams", load(port.counters->tx_datagrams)},
      {"rx_datagrams", load(port.counters->rx_datagrams)},
      {"refused_trains", load(port.counters->refused_trains)},
      {"tx_sliced", load(port.counters->tx_sliced)},
      {"rx_incomplete", load(port.counters->rx_incomplete)},
      {"to_core", load(port.counters->to_core)},
      {"core_full", load(port.counters->core_full)},
  };
  for (size_t i = 0; i < kErrorCount; ++i) {
    const auto error = static_cast<Error>(i);
    out.push_back({"peer_" + std::string(to_string(error)), port.refused->get(error)});
  }
  out.insert(out.end(), report.counters.begin(), report.counters.end());
  return out;
}

std::string show(const Report& report, const PortFacts& port, Instant now, bool json) {
  const auto local_bindings = std::count_if(report.bindings.begin(), report.bindings.end(),
                                            [](const auto& binding) { return binding.is_local; });
  if (json) {
    boost::json::array introducers;
    for (const Endpoint& endpoint : port.introducers) introducers.push_back(endpoint.to_string().c_str());
    boost::json::object counters;
    for (const auto& counter : all_counters(report, port)) counters[counter.name] = counter.value;
    boost::json::object out{{"port", port.name},
                            {"network", report.network},
                            {"subnet", report.subnet.to_string()},
                            {"host", report.host},
                            {"node", report.node.to_string()},
                            {"invite", port.invite},
                            {"certificate_expires", report.certificate_expires},
                            {"listen", port.listen.to_string()},
                            {"local_endpoint", endpoint_or_null(port.local_endpoint)},
                            {"public_endpoint", endpoint_or_null(report.public_endpoint)},
                            {"introducers", std::move(introducers)},
                            {"joined", report.place.is_joined},
                            {"cipher", AeadKey::implementation()},
                            {"udp_offload", to_string(udp_offload())},
                            {"mtu", kGuestMtu},
                            {"peers", peers_json(report, now)},
                            {"bindings", bindings_json(report, now)},
                            {"counters", std::move(counters)}};
    return boost::json::serialize(out) + "\n";
  }
  std::string out;
  out += format("network          %s (%s)\n", report.network.c_str(), report.subnet.to_string().c_str());
  out += format("host             %s, certificate until %s\n", report.host.c_str(),
                format_time(report.certificate_expires).c_str());
  out += format("node             %s\n", report.node.to_string().c_str());
  out += format("listening on     %s\n", port.listen.to_string().c_str());
  out +=
      format("local endpoint   %s\n", port.local_endpoint ? port.local_endpoint->to_string().c_str() : "-");
  out += format("public endpoint  %s\n", report.public_endpoint ? report.public_endpoint->to_string().c_str()
                                                                : "- (no peer has told us)");
  out += format("cipher           AES-256-GCM, %s\n", std::string(AeadKey::implementation()).c_str());
  out += format("UDP offload      %s\n", to_string(udp_offload()));
  out += format("guest MTU        %d\n", kGuestMtu);
  out += format("bindings         %zu, %zd of them here\n", report.bindings.size(), local_bindings);
  out += format("ring             %s\n", ring_summary(report).c_str());
  out += format("peers            %zu connected\n", peers_up(report));
  out += show_peers(report, now, false);
  std::string refused;
  for (const auto& counter : all_counters(report, port)) {
    if (counter.value == 0) continue;
    refused += format("  %-30s %llu\n", counter.name.c_str(), static_cast<unsigned long long>(counter.value));
  }
  if (!refused.empty()) out += "counters (those not zero)\n" + refused;
  return out;
}

std::string show_peers(const Report& report, Instant now, bool json) {
  if (json) return boost::json::serialize(peers_json(report, now)) + "\n";
  std::string out;
  if (!report.peers.empty()) {
    out += format("  %-16s %-10s %-28s %-10s %-8s %-10s %12s %12s\n", "HOST", "NODE", "ENDPOINT", "RTT",
                  "AGE", "HANDSHAKES", "TX FRAMES", "RX FRAMES");
  }
  for (const auto& peer : report.peers) {
    out += format("  %-16s %-10s %-28s %-10s %-8s %-10llu %12llu %12llu%s\n", peer.host.c_str(),
                  peer.node.to_short_string().c_str(),
                  peer.endpoint ? peer.endpoint->to_string().c_str() : "over the ring",
                  milliseconds(peer.round_trip).c_str(), roughly(now - peer.connected_since).c_str(),
                  static_cast<unsigned long long>(peer.handshakes),
                  static_cast<unsigned long long>(load(peer.activity->tx_frames)),
                  static_cast<unsigned long long>(load(peer.activity->rx_frames)),
                  peer.is_up ? "" : "  (connecting)");
  }
  return out;
}

std::string show_bindings(const Report& report, Instant now, bool json) {
  if (json) return boost::json::serialize(bindings_json(report, now)) + "\n";
  std::string out;
  if (!report.bindings.empty()) {
    out += format("  %-16s %-18s %-16s %-10s %-20s %-10s %s\n", "IP", "MAC", "HOST", "NODE", "NAME",
                  "EXPIRES", "SEQUENCE");
  }
  for (const auto& binding : report.bindings) {
    out += format("  %-16s %-18s %-16s %-10s %-20s %-10s %llu\n",
                  binding.ip.is_unspecified() ? "-" : binding.ip.to_string().c_str(),
                  binding.mac.to_string().c_str(), or_dash(binding.host).c_str(),
                  binding.is_local ? "here" : binding.node.to_short_string().c_str(),
                  or_dash(binding.name).c_str(), roughly(left(binding, now)).c_str(),
                  static_cast<unsigned long long>(binding.sequence));
  }
  return out;
}

}  // namespace ipop
