#include "libvirt-hook/host.h"

#include <boost/json.hpp>

#include "libvirt-hook/names.h"

namespace ipop::hook {
namespace {

namespace json = boost::json;

// Missing members and foreign types read as null, "" or nothing: the shape is asked for once, where it
// matters.
const json::value kNull;

const json::value& member(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  const auto* found = object ? object->if_contains(json::string_view(key.data(), key.size())) : nullptr;
  return found ? *found : kNull;
}

const json::value& element(const json::value& value, size_t index) {
  const auto* array = value.if_array();
  const auto* found = array ? array->if_contains(index) : nullptr;
  return found ? *found : kNull;
}

std::string text(const json::value& value) {
  const auto* string = value.if_string();
  return string ? std::string(string->data(), string->size()) : std::string();
}

// OVSDB values (RFC 7047, section 5.1): an atom, ["uuid", U], ["set", [atoms]] or ["map", [pairs]].
std::vector<std::string> uuids(const json::value& value) {
  if (text(element(value, 0)) == "uuid") return {text(element(value, 1))};
  std::vector<std::string> out;
  if (const auto* set = element(value, 1).if_array()) {
    for (const auto& atom : *set) out.push_back(text(element(atom, 1)));
  }
  return out;
}

std::map<std::string, std::string> string_map(const json::value& value) {
  std::map<std::string, std::string> out;
  if (const auto* pairs = element(value, 1).if_array()) {
    for (const auto& pair : *pairs) out[text(element(pair, 0))] = text(element(pair, 1));
  }
  return out;
}

// One line of `ovs-vsctl --format=json`.  The columns come in the order in which they were asked for.
std::optional<json::array> table(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  json::error_code error;
  const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
  const auto* rows = error ? nullptr : member(value, "data").if_array();
  return rows ? std::optional(*rows) : std::nullopt;
}

struct Interface {
  std::string name, type;
  std::map<std::string, std::string> external_ids;
};

}  // namespace

std::string_view Port::id(const std::string& key) const {
  const auto found = external_ids.find(key);
  return found == external_ids.end() ? std::string_view() : std::string_view(found->second);
}

const Port* Switch::find(std::string_view tap) const {
  for (const Port& port : ports) {
    if (port.tap == tap) return &port;
  }
  return nullptr;
}

bool Switch::is_ipop(const std::string& bridge) const {
  const auto found = bridges.find(bridge);
  return found != bridges.end() && found->second.is_ipop();
}

std::string Switch::only_ipop_bridge() const {
  std::string only;
  for (const auto& [name, bridge] : bridges) {
    if (!bridge.is_ipop()) continue;
    if (!only.empty()) return {};
    only = name;
  }
  return only;
}

Result<Switch, Problem> parse_switch(std::string_view output) {
  const auto bridge_rows = table(output);
  const auto port_rows = table(output);
  const auto interface_rows = table(output);
  if (!bridge_rows || !port_rows || !interface_rows) {
    return Problem{"ovs-vsctl printed something else than three JSON tables"};
  }

  std::map<std::string, Interface> interfaces;
  for (const auto& row : *interface_rows) {
    interfaces[text(element(element(row, 0), 1))] = {.name = text(element(row, 1)),
                                                     .type = text(element(row, 2)),
                                                     .external_ids = string_map(element(row, 3))};
  }
  std::map<std::string, std::vector<std::string>> interfaces_of_port;
  for (const auto& row : *port_rows) {
    interfaces_of_port[text(element(element(row, 0), 1))] = uuids(element(row, 1));
  }

  Switch out;
  for (const auto& row : *bridge_rows) {
    const std::string name = text(element(row, 0));
    if (!is_device_name(name)) continue;
    Bridge& bridge = out.bridges[name];
    bridge.netdev = text(element(row, 1)) == "netdev";
    for (const std::string& port : uuids(element(row, 2))) {
      for (const std::string& uuid : interfaces_of_port[port]) {
        const Interface& interface = interfaces[uuid];
        if (interface.type == kIpopType) bridge.has_ipop_port = true;
        if (!is_device_name(interface.name) || !is_uuid(port)) continue;
        out.ports.push_back({port, name, interface.name, interface.type, interface.external_ids});
      }
    }
  }
  return out;
}

Result<std::vector<Guard>, Problem> parse_guards(std::string_view output) {
  json::error_code error;
  const json::value value = json::parse(json::string_view(output.data(), output.size()), error);
  const auto* entries = error ? nullptr : member(value, "nftables").if_array();
  if (!entries) return Problem{"nft printed something else than a list of chains"};

  std::vector<Guard> out;
  for (const auto& entry : *entries) {
    const json::value& chain = member(entry, "chain");
    const std::string name = text(member(chain, "name"));
    const auto* handle = member(chain, "handle").if_int64();
    if (text(member(chain, "table")) != kGuardTable || !name.starts_with(kGuardPrefix)) continue;
    const std::string tap = name.substr(kGuardPrefix.size());
    if (!is_device_name(tap) || !handle || *handle <= 0) continue;
    out.push_back({tap, static_cast<uint64_t>(*handle)});
  }
  return out;
}

}  // namespace ipop::hook
