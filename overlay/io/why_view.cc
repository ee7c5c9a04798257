#include "overlay/io/why_view.h"

#include <algorithm>
#include <boost/json.hpp>

#include "overlay/crypto/invite.h"
#include "overlay/dht/order.h"
#include "overlay/io/dht_view.h"
#include "overlay/io/text.h"

namespace ipop {
namespace {

using wire::DhtRecord;
using Kind = wire::DhtAddress::Kind;
using State = DhtRecord::State;
using Verdict = wire::DhtReply::Verdict;

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::Held:
      return "has it";
    case Verdict::Nothing:
      return "nothing";
    case Verdict::NotReady:
      return "not ready";
    default:
      return "refused";  // No answer to this question.
  }
}

std::string text_of(const wire::DhtAddress& address) {
  return address.kind == Kind::Ip ? address.ip.to_string() : address.mac.to_string();
}

/// Which all replicas will have when they have talked.
const DhtRecord* best_record(const Explanation& explanation) {
  const DhtRecord* best = nullptr;
  for (const auto& [replica, vote] : explanation.votes) {
    if (vote.record && (!best || beats(*vote.record, *best))) best = &*vote.record;
  }
  return best;
}

/// Whoever said "not ready" knows nothing for certain.
bool is_nothing_certain(const Explanation& explanation) {
  const auto nothing =
      std::count_if(explanation.votes.begin(), explanation.votes.end(),
                    [](const auto& vote) { return vote.second.verdict == Verdict::Nothing; });
  return static_cast<size_t>(nothing) >= read_quorum(explanation.replicas);
}

Duration age_of(const DhtRecord& record, const Explanation& explanation) {
  return std::max(explanation.wall - std::chrono::milliseconds(record.issued_ms), Duration::zero());
}

Duration left_of(const DhtRecord& record, const Explanation& explanation) {
  return std::max(std::chrono::seconds(record.expires_s) - explanation.wall, Duration::zero());
}

/// "alpha (10000000)", or the number alone.
std::string named(const Report& report, const NodeId& node) {
  const std::string host = host_of(report, node);
  return host.empty() ? node.to_short_string() : host + " (" + node.to_short_string() + ")";
}

std::string guest(const MacAddress& mac, const std::string& name) {
  return mac.to_string() + (name.empty() ? "" : " (" + name + ")");
}

boost::json::value ip_or_null(const IpAddress& ip) {
  if (ip.is_unspecified()) return nullptr;
  return boost::json::value(ip.to_string());
}

boost::json::value json_of(const Report& report, const Explanation& explanation, const DhtRecord* record) {
  if (!record) return nullptr;
  return boost::json::object{{"state", state_name(record->state)},
                             {"ip", ip_or_null(record->ip)},
                             {"mac", record->mac.to_string()},
                             {"name", record->name},
                             {"node", record->node.to_string()},
                             {"host", host_of(report, record->node)},
                             {"sequence", record->sequence},
                             {"written_ms", record->issued_ms},
                             {"age_s", whole_seconds(age_of(*record, explanation))},
                             {"expires_s", whole_seconds(left_of(*record, explanation))}};
}

boost::json::value json_of(const Report& report, const Explanation& explanation,
                           const std::optional<Binding>& binding) {
  if (!binding) return nullptr;
  return boost::json::object{
      {"ip", ip_or_null(binding->ip)},
      {"mac", binding->mac.to_string()},
      {"name", binding->name},
      {"node", binding->node.to_string()},
      {"host", host_of(report, binding->node)},
      {"sequence", binding->sequence},
      {"expires_s", whole_seconds(std::max(binding->expires - explanation.at, Duration::zero()))}};
}

std::string show_json(const Report& report, const Explanation& explanation) {
  boost::json::array answers;
  for (const auto& [replica, vote] : explanation.votes) {
    answers.push_back(
        boost::json::object{{"node", replica.to_string()},
                            {"host", host_of(report, replica)},
                            {"verdict", verdict_name(vote.verdict)},
                            {"unsure", vote.is_unsure},
                            {"took_ms", static_cast<double>(vote.took.count()) / 1000},
                            {"record", json_of(report, explanation, vote.record ? &*vote.record : nullptr)}});
  }
  boost::json::array before;
  for (const auto& holder : explanation.before) {
    before.push_back(boost::json::object{{"mac", holder.mac.to_string()},
                                         {"node", holder.node.to_string()},
                                         {"host", host_of(report, holder.node)},
                                         {"sequence", holder.sequence},
                                         {"until_s_ago", whole_seconds(explanation.at - holder.until)}});
  }
  const boost::json::object out{{"address", text_of(explanation.address)},
                                {"record", json_of(report, explanation, best_record(explanation))},
                                {"map", json_of(report, explanation, explanation.known)},
                                {"replicas", explanation.replicas},
                                {"took_ms", static_cast<double>(explanation.took.count()) / 1000},
                                {"answers", std::move(answers)},
                                {"before", std::move(before)}};
  return boost::json::serialize(out) + "\n";
}

std::string verdict(const Report& report, const Explanation& explanation, const DhtRecord* record) {
  const bool is_ip = explanation.address.kind == Kind::Ip;
  if (!record && explanation.known) {
    return guest(explanation.known->mac, explanation.known->name) + " at " +
           named(report, explanation.known->node) + ", by this host's map alone";
  }
  if (!record) {
    return is_nothing_certain(explanation) ? "nobody's" : "nobody knows: too few replicas could tell";
  }
  const std::string at = named(report, record->node);
  const std::string who = guest(record->mac, record->name);
  if (record->state == State::Withdrawn) return "nobody's; " + at + " gave it back for " + who;
  const std::string what = record->state == State::Reserved ? "reserved for " : "";
  if (is_ip) return what + who + " at " + at;
  return what + "at " + at + (record->ip.is_unspecified() ? "" : ", with " + record->ip.to_string());
}

}  // namespace

std::string show_explanation(const Report& report, const Explanation& explanation, bool json) {
  if (json) return show_json(report, explanation);
  const DhtRecord* const record = best_record(explanation);
  std::string out = text_of(explanation.address) + ": " + verdict(report, explanation, record) + "\n";
  if (record) {
    out += format("state            %s\n", state_name(record->state));
    out += format("sequence         %llu\n", static_cast<unsigned long long>(record->sequence));
    out += format("written          %s, %s ago\n",
                  format_time(static_cast<UnixSeconds>(record->issued_ms / 1000)).c_str(),
                  roughly(age_of(*record, explanation)).c_str());
    out += format("good until       %s, for %s\n",
                  format_time(static_cast<UnixSeconds>(record->expires_s)).c_str(),
                  roughly(left_of(*record, explanation)).c_str());
  }
  if (const auto& known = explanation.known) {
    out += format("this host        knows %s at %s, sequence %llu, for %s\n",
                  guest(known->mac, known->name).c_str(), named(report, known->node).c_str(),
                  static_cast<unsigned long long>(known->sequence),
                  roughly(std::max(known->expires - explanation.at, Duration::zero())).c_str());
  } else {
    out += "this host        knows nobody who has it\n";
  }
  out += format("replicas         %zu of %zu answered, %s\n", explanation.votes.size(), explanation.replicas,
                milliseconds(explanation.took).c_str());
  if (!explanation.votes.empty()) {
    out += format("  %-16s %-10s %-10s %-10s %-18s %-10s %-10s %s\n", "HOST", "NODE", "SAYS", "STATE", "MAC",
                  "WRITTEN BY", "AGE", "SEQUENCE");
  }
  for (const auto& [replica, vote] : explanation.votes) {
    const DhtRecord* const has = vote.record ? &*vote.record : nullptr;
    out += format("  %-16s %-10s %-10s %-10s %-18s %-10s %-10s %s\n",
                  or_dash(host_of(report, replica)).c_str(), replica.to_short_string().c_str(),
                  verdict_name(vote.verdict), has ? state_name(has->state) : "-",
                  has ? has->mac.to_string().c_str() : "-", has ? has->node.to_short_string().c_str() : "-",
                  has ? roughly(age_of(*has, explanation)).c_str() : "-",
                  has ? std::to_string(has->sequence).c_str() : "-");
  }
  if (!explanation.before.empty()) out += "before, as far as this host remembers\n";
  for (const auto& holder : explanation.before) {
    out += format("  %-18s at %s, sequence %llu, until %s ago\n", holder.mac.to_string().c_str(),
                  named(report, holder.node).c_str(), static_cast<unsigned long long>(holder.sequence),
                  roughly(explanation.at - holder.until).c_str());
  }
  return out;
}

Result<wire::DhtAddress, Problem> parse_address(std::string_view text) {
  if (const auto ip = IpAddress::parse(text); ip && !ip->is_unspecified()) {
    return wire::DhtAddress{.kind = Kind::Ip, .ip = *ip, .mac = {}};
  }
  if (const auto mac = MacAddress::parse(text); mac && !mac->is_group() && !mac->is_zero()) {
    return wire::DhtAddress{.kind = Kind::Mac, .ip = {}, .mac = *mac};
  }
  return Problem{"\"" + std::string(text) + "\" is no address of a guest: an IPv4 or IPv6 address, or a MAC"};
}

}  // namespace ipop
