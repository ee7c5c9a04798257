#include "overlay/io/dht_view.h"

#include <algorithm>
#include <boost/json.hpp>

#include "overlay/io/text.h"

namespace ipop {
namespace {

Duration left(const Report::Dht::Record& record, Instant now) {
  return std::max(record.expires - now, Duration::zero());
}

std::string show_json(const Report& report, Instant now) {
  const Report::Dht& dht = report.dht;
  boost::json::array records;
  for (const auto& record : dht.records) {
    boost::json::object entry{{"address", record.address},
                              {"state", record.state},
                              {"mac", record.mac.to_string()},
                              {"node", record.node.to_string()},
                              {"host", record.host},
                              {"sequence", record.sequence},
                              {"expires_s", whole_seconds(left(record, now))}};
    entry["ip"] = nullptr;
    if (!record.ip.is_unspecified()) entry["ip"] = record.ip.to_string();
    records.push_back(std::move(entry));
  }
  boost::json::array writers;
  for (const auto& writer : dht.writers) {
    writers.push_back(boost::json::object{
        {"node", writer.node.to_string()}, {"host", writer.host}, {"records", writer.records}});
  }
  boost::json::array replicas;
  for (const NodeId& node : dht.replicas) replicas.emplace_back(node.to_string());
  boost::json::object counters;
  for (const auto& counter : dht.counters) counters[counter.name] = counter.value;
  boost::json::object out{{"synchronised", dht.is_synchronised}, {"unsure", dht.is_unsure},
                          {"replicas", std::move(replicas)},     {"published", dht.published},
                          {"addresses", dht.addresses},          {"record_count", dht.record_count},
                          {"records", std::move(records)},       {"writers", std::move(writers)},
                          {"counters", std::move(counters)}};
  out["lookup_ms"] = nullptr;
  if (dht.round_trip) out["lookup_ms"] = static_cast<double>(dht.round_trip->count()) / 1000;
  return boost::json::serialize(out) + "\n";
}

}  // namespace

std::string show_dht(const Report& report, Instant now, bool json) {
  if (json) return show_json(report, now);
  const Report::Dht& dht = report.dht;
  std::string replicas;
  for (const NodeId& node : dht.replicas) {
    const std::string host = host_of(report, node);
    replicas += (replicas.empty() ? "" : ", ") + (host.empty() ? node.to_short_string() : host);
  }
  std::string out;
  out += format("state            %s%s\n", dht.is_synchronised ? "synchronised" : "asking its neighbours",
                dht.is_unsure ? ", unsure: claims ask everybody" : "");
  out += format("own addresses    %zu, %zu with a record\n", dht.addresses, dht.published);
  out += format("lookup           %s\n", milliseconds(dht.round_trip).c_str());
  out += format("replicas with    %s\n", or_dash(replicas).c_str());
  out += format("records          %zu\n", dht.record_count);
  for (const auto& writer : dht.writers) {
    out += format("  %-16s %-10s %zu\n", or_dash(writer.host).c_str(), writer.node.to_short_string().c_str(),
                  writer.records);
  }
  if (!dht.records.empty()) {
    out += format("  %-18s %-10s %-18s %-16s %-10s %-10s %s\n", "ADDRESS", "STATE", "MAC", "HOST", "NODE",
                  "EXPIRES", "SEQUENCE");
  }
  for (const auto& record : dht.records) {
    out += format("  %-18s %-10s %-18s %-16s %-10s %-10s %llu\n", record.address.c_str(),
                  record.state.c_str(), record.mac.to_string().c_str(), or_dash(record.host).c_str(),
                  record.node.to_short_string().c_str(), roughly(left(record, now)).c_str(),
                  static_cast<unsigned long long>(record.sequence));
  }
  if (dht.record_count > dht.records.size()) {
    out += format("  and %zu more\n", dht.record_count - dht.records.size());
  }
  std::string counted;
  for (const auto& counter : dht.counters) {
    if (counter.value == 0) continue;
    counted += format("  %-30s %llu\n", counter.name.c_str(), static_cast<unsigned long long>(counter.value));
  }
  if (!counted.empty()) out += "counters (those not zero)\n" + counted;
  return out;
}

const char* state_name(wire::DhtRecord::State state) {
  switch (state) {
    case wire::DhtRecord::State::Reserved:
      return "reserved";
    case wire::DhtRecord::State::Withdrawn:
      return "withdrawn";
    default:
      return "bound";
  }
}

}  // namespace ipop
