#include "overlay/sim/scenario.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "overlay/dht/replica_set.h"

namespace ipop::sim {
namespace {

namespace json = boost::json;

/// Thrown and caught within this file: one way out of nested tables.
struct Bad : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

double number(const json::value& value, double least, double most) {
  if (!value.is_number()) throw Bad("must be a number");
  const double out = value.to_number<double>();
  if (!(out >= least && out <= most)) {
    std::ostringstream bounds;
    bounds << "must be between " << least << " and " << most;
    throw Bad(bounds.str());
  }
  return out;
}

size_t whole(const json::value& value, double least, double most) {
  const double out = number(value, least, most);
  if (out != std::floor(out)) throw Bad("must be a whole number");
  return static_cast<size_t>(out);
}

Duration seconds(const json::value& value) { return Duration(std::llround(number(value, 0, 1e6) * 1e6)); }

bool truth(const json::value& value) {
  if (!value.is_bool()) throw Bad("must be true or false");
  return value.get_bool();
}

std::string text(const json::value& value) {
  if (!value.is_string()) throw Bad("must be a string");
  return std::string(value.get_string());
}

template <class T>
using Setter = std::function<void(T&, const json::value&)>;
template <class T>
using Setters = std::map<std::string_view, Setter<T>>;

/// Every key of `object` that is in `allowed` sets its member; any other is refused.
template <class T>
void read(const json::object& object, const Setters<T>& setters, const std::vector<std::string_view>& allowed,
          T& out) {
  for (const auto& [key, value] : object) {
    const std::string_view name(key.data(), key.size());
    const auto setter = setters.find(name);
    if (setter == setters.end() || std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      throw Bad(quoted(name) + " is not known here");
    }
    try {
      setter->second(out, value);
    } catch (const Bad& bad) {
      throw Bad(quoted(name) + " " + bad.what());
    }
  }
}

const Setters<Phase> kPhaseSetters = {
    {"do", [](Phase&, const json::value&) {}},
    {"nodes", [](Phase& phase, const json::value& v) { phase.nodes = whole(v, 1, 100'000); }},
    {"per_s", [](Phase& phase, const json::value& v) { phase.per_s = number(v, 0.001, 1e6); }},
    {"introducers", [](Phase& phase, const json::value& v) { phase.introducers = whole(v, 0, 16); }},
    {"same_introducers", [](Phase& phase, const json::value& v) { phase.same_introducers = truth(v); }},
    {"s", [](Phase& phase, const json::value& v) { phase.length = seconds(v); }},
    {"within_s", [](Phase& phase, const json::value& v) { phase.length = seconds(v); }},
    {"after_s", [](Phase& phase, const json::value& v) { phase.after = seconds(v); }},
    {"median_s", [](Phase& phase, const json::value& v) { phase.median = seconds(v); }},
    {"warm_up_s", [](Phase& phase, const json::value& v) { phase.warm_up = seconds(v); }},
    {"share", [](Phase& phase, const json::value& v) { phase.share = number(v, 0, 1); }},
    {"groups", [](Phase& phase, const json::value& v) { phase.groups = whole(v, 2, 100); }},
    {"traces", [](Phase& phase, const json::value& v) { phase.traces = whole(v, 1, 1e6); }},
    {"guests", [](Phase& phase, const json::value& v) { phase.guests = whole(v, 1, 1000); }},
    {"lookups", [](Phase& phase, const json::value& v) { phase.lookups = whole(v, 1, 1e6); }},
    {"samples", [](Phase& phase, const json::value& v) { phase.samples = whole(v, 1, 10'000); }},
    {"survivors", [](Phase& phase, const json::value& v) { phase.survivors = whole(v, 0, kReplicas - 1); }},
    {"exact", [](Phase& phase, const json::value& v) { phase.exact = truth(v); }},
    {"measure", [](Phase& phase, const json::value& v) { phase.measure = truth(v); }},
    {"figure", [](Phase& phase, const json::value& v) { phase.figure = text(v); }},
};

struct Verb {
  Phase::Do what;
  std::vector<std::string_view> required;
  std::vector<std::string_view> optional;
};

const std::map<std::string_view, Verb> kVerbs = {
    {"start", {Phase::Do::Start, {"nodes"}, {"per_s", "introducers", "same_introducers"}}},
    {"settle", {Phase::Do::Settle, {"within_s"}, {"figure"}}},
    {"run", {Phase::Do::Run, {"s"}, {"measure"}}},
    {"join", {Phase::Do::Join, {"nodes"}, {"introducers"}}},
    {"trace", {Phase::Do::Trace, {"traces", "per_s", "figure"}, {"exact", "after_s"}}},
    {"kill", {Phase::Do::Kill, {"share"}, {}}},
    {"restart", {Phase::Do::Restart, {"within_s"}, {}}},
    {"churn", {Phase::Do::Churn, {"median_s", "s", "per_s"}, {"warm_up_s", "introducers"}}},
    {"split", {Phase::Do::Split, {"groups"}, {}}},
    {"heal", {Phase::Do::Heal, {}, {}}},
    {"bind", {Phase::Do::Bind, {"guests", "per_s", "within_s"}, {}}},
    {"lookup", {Phase::Do::Lookup, {"lookups", "per_s"}, {}}},
    {"kill-replicas", {Phase::Do::KillReplicas, {"samples", "per_s", "within_s"}, {"survivors"}}},
};

Phase to_phase(const json::value& value) {
  const auto* const object = value.if_object();
  if (!object) throw Bad("must be an object");
  const auto* const what = object->if_contains("do");
  if (!what) throw Bad("lacks \"do\"");
  const std::string name = text(*what);
  const auto verb = kVerbs.find(name);
  if (verb == kVerbs.end()) throw Bad("cannot do " + quoted(name));
  for (const std::string_view key : verb->second.required) {
    if (!object->if_contains(json::string_view(key.data(), key.size())))
      throw Bad("(" + name + ") lacks " + quoted(key));
  }
  std::vector<std::string_view> allowed = verb->second.required;
  allowed.insert(allowed.end(), verb->second.optional.begin(), verb->second.optional.end());
  allowed.push_back("do");
  Phase phase{.what = verb->second.what};
  try {
    read(*object, kPhaseSetters, allowed, phase);
  } catch (const Bad& bad) {
    throw Bad("(" + name + "): " + bad.what());
  }
  return phase;
}

const Setters<PlotRequest> kPlotSetters = {
    {"kind",
     [](PlotRequest& plot, const json::value& v) {
       const std::map<std::string, PlotRequest::Kind> kinds = {{"cdf", PlotRequest::Kind::Cdf},
                                                               {"histogram", PlotRequest::Kind::Histogram},
                                                               {"line", PlotRequest::Kind::Line}};
       const auto kind = kinds.find(text(v));
       if (kind == kinds.end()) throw Bad("must be \"cdf\", \"histogram\" or \"line\"");
       plot.kind = kind->second;
     }},
    {"of", [](PlotRequest& plot, const json::value& v) { plot.of = text(v); }},
    {"title", [](PlotRequest& plot, const json::value& v) { plot.title = text(v); }},
    {"x", [](PlotRequest& plot, const json::value& v) { plot.x = text(v); }},
    {"y", [](PlotRequest& plot, const json::value& v) { plot.y = text(v); }},
};

const Setters<LeasesOptions> kLeasesSetters = {
    {"hosts", [](LeasesOptions& leases, const json::value& v) { leases.hosts = whole(v, 1, 10'000); }},
    {"guests", [](LeasesOptions& leases, const json::value& v) { leases.guests = whole(v, 1, 60'000); }},
    {"liars", [](LeasesOptions& leases, const json::value& v) { leases.liars = whole(v, 0, 10'000); }},
    {"statics", [](LeasesOptions& leases, const json::value& v) { leases.statics = number(v, 0, 1); }},
    {"sleep_s", [](LeasesOptions& leases, const json::value& v) { leases.sleep = seconds(v); }},
    {"settle_s", [](LeasesOptions& leases, const json::value& v) { leases.settle = seconds(v); }},
    {"arrival_s", [](LeasesOptions& leases, const json::value& v) { leases.arrival = seconds(v); }},
    {"s", [](LeasesOptions& leases, const json::value& v) { leases.length = seconds(v); }},
    {"pause_s", [](LeasesOptions& leases, const json::value& v) { leases.pause = seconds(v); }},
};

const Setters<MovesOptions> kMovesSetters = {
    {"hosts", [](MovesOptions& moves, const json::value& v) { moves.hosts = whole(v, 3, 10'000); }},
    {"talkers", [](MovesOptions& moves, const json::value& v) { moves.talkers = whole(v, 1, 1000); }},
    {"answered", [](MovesOptions& moves, const json::value& v) { moves.answered = whole(v, 0, 1000); }},
    {"moves", [](MovesOptions& moves, const json::value& v) { moves.moves = whole(v, 1, 100'000); }},
    {"places", [](MovesOptions& moves, const json::value& v) { moves.places = whole(v, 2, 10'000); }},
    {"settle_s", [](MovesOptions& moves, const json::value& v) { moves.settle = seconds(v); }},
    {"pause_s", [](MovesOptions& moves, const json::value& v) { moves.pause = seconds(v); }},
    {"notice_s", [](MovesOptions& moves, const json::value& v) { moves.notice = seconds(v); }},
    {"per_s",
     [](MovesOptions& moves, const json::value& v) {
       moves.interval = Duration(std::llround(1e6 / number(v, 1, 1000)));
     }},
};

const Setters<Scenario> kScenarioSetters = {
    {"about", [](Scenario& scenario, const json::value& v) { scenario.about = text(v); }},
    {"latency",
     [](Scenario& scenario, const json::value& v) {
       const std::string kind = text(v);
       if (kind != "plane" && kind != "uniform") throw Bad("must be \"plane\" or \"uniform\"");
       scenario.world.latency = kind == "plane" ? Latency::Plane : Latency::Uniform;
     }},
    {"loss", [](Scenario& scenario, const json::value& v) { scenario.world.loss = number(v, 0, 1); }},
    {"deaf_pairs",
     [](Scenario& scenario, const json::value& v) { scenario.world.deaf_pairs = number(v, 0, 1); }},
    {"drift_ppm",
     [](Scenario& scenario, const json::value& v) { scenario.world.drift_ppm = number(v, 0, 100); }},
    {"clocks_s",
     [](Scenario& scenario, const json::value& v) {
       scenario.world.clock_spread = Duration(std::llround(number(v, 0, 300) * 1e6));
     }},
    {"rekey_s",
     [](Scenario& scenario, const json::value& v) {
       scenario.world.rekey_after = Duration(std::llround(number(v, 1, 86400) * 1e6));
     }},
    {"subnet",
     [](Scenario& scenario, const json::value& v) {
       const auto subnet = Ipv4Subnet::parse(text(v));
       if (!subnet || subnet->prefix_length > 30) throw Bad("must be a block of IPv4 addresses");
       scenario.world.subnet = *subnet;
     }},
    {"leases",
     [](Scenario& scenario, const json::value& v) {
       if (!v.is_object()) throw Bad("must be an object");
       read(v.get_object(), kLeasesSetters,
            {"hosts", "guests", "liars", "statics", "sleep_s", "settle_s", "arrival_s", "s", "pause_s"},
            scenario.leases.emplace());
     }},
    {"moves",
     [](Scenario& scenario, const json::value& v) {
       if (!v.is_object()) throw Bad("must be an object");
       MovesOptions& moves = scenario.moves.emplace();
       read(v.get_object(), kMovesSetters,
            {"hosts", "talkers", "answered", "moves", "places", "settle_s", "pause_s", "notice_s", "per_s"},
            moves);
       if (moves.hosts < moves.talkers + 2) throw Bad("has too few hosts: two without a talker are needed");
       if (moves.notice && *moves.notice > moves.pause) throw Bad("has a notice longer than its pause");
     }},
    {"phases",
     [](Scenario& scenario, const json::value& v) {
       if (!v.is_array() || v.get_array().empty()) throw Bad("must be a list of at least one phase");
       for (const json::value& phase : v.get_array()) {
         try {
           scenario.phases.push_back(to_phase(phase));
         } catch (const Bad& bad) {
           throw Bad("number " + std::to_string(scenario.phases.size() + 1) + " " + bad.what());
         }
       }
     }},
    {"plot",
     [](Scenario& scenario, const json::value& v) {
       if (!v.is_object()) throw Bad("must be an object");
       read(v.get_object(), kPlotSetters, {"kind", "of", "title", "x", "y"}, scenario.plot.emplace());
     }},
};

}  // namespace

Result<Scenario, Problem> parse_scenario(std::string_view name, std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return Problem{"it is no JSON: " + error.message()};
  if (!value.is_object()) return Problem{"it must be a JSON object"};
  Scenario out;
  out.name = name;
  out.world.latency = Latency::Plane;
  out.world.keeps_log = false;
  std::vector<std::string_view> allowed;
  for (const auto& [key, setter] : kScenarioSetters) allowed.push_back(key);
  try {
    read(value.get_object(), kScenarioSetters, allowed, out);
    if (out.leases && !out.phases.empty()) return Problem{"it has both \"leases\" and \"phases\""};
    if (out.moves && (out.leases || !out.phases.empty())) {
      return Problem{"it has \"moves\" and something else"};
    }
    if (out.leases || out.moves) return out;
    if (out.phases.empty()) return Problem{"it lacks \"phases\""};
    if (out.phases.front().what != Phase::Do::Start) return Problem{"the first phase must be a \"start\""};
  } catch (const Bad& bad) {
    return Problem{bad.what()};
  }
  return out;
}

}  // namespace ipop::sim
