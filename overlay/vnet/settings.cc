#include "overlay/vnet/settings.h"

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <set>

#include "overlay/base/assert.h"
#include "overlay/vnet/binding.h"
#include "overlay/vnet/unique_keys.h"
#include "overlay/wire/dns.h"

namespace ipop {
namespace {

namespace json = boost::json;

/// As it stands in the document, and short enough for a sentence.
std::string quote(const json::value& value) {
  constexpr size_t kMost = 60;
  std::string out = json::serialize(value);
  if (out.size() > kMost) out = out.substr(0, kMost) + "...";
  return out;
}

/// One that a server can have.
bool is_unicast(Ipv4Address address) {
  const uint32_t net = address.value >> 24;
  return net != 0 && net != 127 && net < 224;
}

/// Reads on after a failure, and keeps the first: so that whoever reads asks once, at the end.
class DocumentReader {
 public:
  DocumentReader(const Ipv4Subnet& subnet, uint16_t max_mtu)
      : subnet_(subnet),
        guests_{.first = {subnet.network.value + 2}, .last = {subnet.broadcast().value - 1}},
        max_mtu_(max_mtu) {}

  Result<Settings, Problem> read(const json::value& document) {
    if (!document.is_object()) return Problem{"it is no JSON object: it must be {\"FIELD\": VALUE, ...}"};
    for (const auto& [key, value] : document.get_object()) read_field(key, value);
    if (problem_) return *problem_;
    return std::move(out_);
  }

 private:
  void fail(const std::string& where, const std::string& what) {
    if (!problem_) problem_ = Problem{where + ": " + what};
  }
  void fail(const std::string& where, const json::value& value, const std::string& what) {
    fail(where, quote(value) + " is " + what);
  }

  void read_field(const std::string& key, const json::value& value) {
    if (key == "pool") {
      each(key, value, Settings::kMaxRanges, [this](auto&... entry) { read_range(entry...); });
      check_pool();
    } else if (key == "reservations") {
      each(key, value, Settings::kMaxReservations, [this](auto&... entry) { read_reservation(entry...); });
    } else if (key == "dns") {
      out_.dns = read_servers(key, value);
    } else if (key == "search") {
      read_search(value);
    } else if (key == "ntp") {
      out_.ntp = read_servers(key, value);
    } else if (key == "mtu") {
      read_mtu(value);
    } else if (key == "routes") {
      each(key, value, Settings::kMaxRoutes, [this](auto&... entry) { read_route(entry...); });
    } else {
      fail(key, "there is no such field; there are: pool, reservations, dns, search, ntp, mtu, routes");
    }
  }

  template <class ReadEntry>
  void each(const std::string& where, const json::value& value, size_t most, ReadEntry read_entry) {
    if (!value.is_array()) return fail(where, value, "no list: it must be [VALUE, ...]");
    const json::array& list = value.get_array();
    if (list.size() > most) {
      return fail(where, "it has " + std::to_string(list.size()) + " entries, and at most " +
                             std::to_string(most) + " are allowed");
    }
    for (size_t i = 0; i < list.size(); ++i) {
      const std::string entry = where + "[" + std::to_string(i) + "]";
      read_entry(entry, list[i]);
    }
  }

  /// The fields of an entry, in the order of `names`; null where one is missing.  Nothing unless it has all
  /// that are required, which come first, and no other.
  template <size_t N>
  std::optional<std::array<const json::value*, N>> fields(const std::string& where, const json::value& value,
                                                          const std::array<const char*, N>& names,
                                                          size_t required) {
    const auto* object = value.if_object();
    if (!object) {
      fail(where, value,
           std::string("no object: it must be {\"") + names[0] + "\": ..., \"" + names[1] + "\": ...}");
      return std::nullopt;
    }
    std::array<const json::value*, N> out{};
    for (const auto& [key, field] : *object) {
      const auto name = std::find(names.begin(), names.end(), key);
      if (name == names.end()) {
        std::string all;
        for (const char* known : names) all += (all.empty() ? "" : ", ") + std::string(known);
        fail(where + "." + std::string(key), "there is no such field; there are: " + all);
        return std::nullopt;
      }
      out[static_cast<size_t>(name - names.begin())] = &field;
    }
    for (size_t i = 0; i < required; ++i) {
      if (out[i]) continue;
      fail(where + "." + names[i], "it is missing");
      return std::nullopt;
    }
    return out;
  }

  std::optional<Ipv4Address> guest_address(const std::string& where, const json::value& value) {
    const auto* text = value.if_string();
    const auto address = text ? Ipv4Address::parse(*text) : std::nullopt;
    if (address && guests_.contains(*address)) return address;
    fail(where, value, "no address of a guest: it must be of " + guests_.to_string());
    return std::nullopt;
  }

  void read_range(const std::string& where, const json::value& value) {
    const std::string_view text = value.is_string() ? std::string_view(value.get_string()) : "";
    const size_t hyphen = text.find('-');
    const auto first = Ipv4Address::parse(text.substr(0, hyphen));
    const auto last =
        hyphen == std::string_view::npos ? std::nullopt : Ipv4Address::parse(text.substr(hyphen + 1));
    if (first && last && *first <= *last && guests_.contains(*first) && guests_.contains(*last)) {
      out_.pool.push_back({.first = *first, .last = *last});
    } else {
      fail(where, value,
           "no range of guests' addresses: it must be \"FIRST-LAST\" within " + guests_.to_string());
    }
  }

  void check_pool() {
    std::sort(out_.pool.begin(), out_.pool.end());
    if (out_.pool.empty()) fail("pool", "it is empty: leave it out, to have all addresses in it");
    for (size_t i = 1; i < out_.pool.size(); ++i) {
      if (out_.pool[i - 1].last >= out_.pool[i].first) {
        fail("pool", out_.pool[i - 1].to_string() + " and " + out_.pool[i].to_string() + " overlap");
      }
    }
  }

  void read_reservation(const std::string& where, const json::value& value) {
    const auto entry = fields<3>(where, value, {"mac", "ip", "name"}, 2);
    if (!entry) return;
    const auto& [mac_field, ip_field, name_field] = *entry;
    const auto* mac_text = mac_field->if_string();
    const auto mac = mac_text ? MacAddress::parse(*mac_text) : std::nullopt;
    if (!mac || mac->is_group() || mac->is_zero()) {
      return fail(where + ".mac", *mac_field, "no MAC of a guest: it must be as \"52:54:00:12:34:56\"");
    }
    const auto ip = guest_address(where + ".ip", *ip_field);
    if (!ip) return;
    std::string name;
    if (name_field) {
      const auto* text = name_field->if_string();
      if (!text || !is_host_label(*text)) {
        return fail(where + ".name", *name_field,
                    "no host name: it must be 1 to 63 letters, digits and inner hyphens");
      }
      name = *text;
      if (!names_.insert(to_lower(name)).second) {
        return fail(where + ".name", *name_field, "reserved for another guest already");
      }
    }
    if (!out_.reservations.emplace(*mac, Settings::Reservation{.ip = *ip, .name = name}).second) {
      return fail(where + ".mac", *mac_field, "a MAC that has a reservation already");
    }
    if (!out_.reserved.emplace(*ip, *mac).second) {
      return fail(where + ".ip", *ip_field, "reserved for another guest already");
    }
  }

  std::vector<Ipv4Address> read_servers(const std::string& key, const json::value& value) {
    std::vector<Ipv4Address> out;
    each(key, value, Settings::kMaxServers, [&](const std::string& where, const json::value& entry) {
      const auto* text = entry.if_string();
      const auto address = text ? Ipv4Address::parse(*text) : std::nullopt;
      if (!address || !is_unicast(*address)) {
        return fail(where, entry, "no IPv4 address of a server: it must be as \"192.0.2.53\"");
      }
      out.push_back(*address);
    });
    return out;
  }

  void read_search(const json::value& value) {
    std::vector<std::string> names;
    each("search", value, Settings::kMaxSearchSize, [&](const std::string& where, const json::value& entry) {
      const auto* text = entry.if_string();
      if (!text || !is_domain(*text)) {
        return fail(where, entry,
                    "no domain: it must be labels of 1 to 63 letters, digits and inner hyphens, with dots "
                    "between them, at most 253 octets");
      }
      names.emplace_back(*text);
    });
    if (const size_t size = encode_names(names).size(); size > Settings::kMaxSearchSize) {
      fail("search", "the domains take " + std::to_string(size) + " octets together, and at most " +
                         std::to_string(Settings::kMaxSearchSize) + " are allowed");
    }
    out_.search = std::move(names);
  }

  static bool is_domain(std::string_view text) {
    constexpr size_t kMaxName =
        253;  // RFC 1035, section 2.3.4: 255 octets with the root and the first length.
    if (text.empty() || text.size() > kMaxName) return false;
    const auto labels = split_at_dots(text);
    return std::all_of(labels.begin(), labels.end(), is_host_label);
  }
  static std::vector<std::string_view> split_at_dots(std::string_view text) {
    std::vector<std::string_view> out;
    for (size_t dot; (dot = text.find('.')) != std::string_view::npos; text.remove_prefix(dot + 1)) {
      out.push_back(text.substr(0, dot));
    }
    out.push_back(text);
    return out;
  }

  void read_mtu(const json::value& value) {
    const auto* number = value.if_int64();
    if (!number || *number < Settings::kMinMtu || *number > max_mtu_) {
      return fail("mtu", value,
                  "no number of octets from " + std::to_string(Settings::kMinMtu) + " to " +
                      std::to_string(max_mtu_) + ", which is what the port carries");
    }
    out_.mtu = static_cast<uint16_t>(*number);
  }

  void read_route(const std::string& where, const json::value& value) {
    const auto entry = fields<2>(where, value, {"to", "via"}, 2);
    if (!entry) return;
    const auto& [to_field, via_field] = *entry;
    const auto* text = to_field->if_string();
    const auto to = text ? Ipv4Subnet::parse(*text) : std::nullopt;
    const bool is_within = to && to->prefix_length >= subnet_.prefix_length && subnet_.contains(to->network);
    if (!to || is_within) {
      return fail(where + ".to", *to_field,
                  "no subnet elsewhere: it must be ADDRESS/LENGTH with zeros in the host part, and not in " +
                      subnet_.to_string());
    }
    const auto via = guest_address(where + ".via", *via_field);
    if (via) out_.routes.push_back({.to = *to, .via = *via});
  }

  Ipv4Subnet subnet_;
  Ipv4Range guests_;
  uint16_t max_mtu_;
  Settings out_;
  std::set<std::string> names_;  ///< In lower case.
  std::optional<Problem> problem_;
};

}  // namespace

uint64_t total_size(const std::vector<Ipv4Range>& ranges) {
  uint64_t out = 0;
  for (const Ipv4Range& range : ranges) out += range.size();
  return out;
}

Ipv4Address address_in(const std::vector<Ipv4Range>& ranges, uint64_t n) {
  for (const Ipv4Range& range : ranges) {
    if (n < range.size()) return {static_cast<uint32_t>(range.first.value + n)};
    n -= range.size();
  }
  IPOP_ASSERT(false);
  return {};
}

Result<Settings, Problem> Settings::parse(std::string_view document, const Ipv4Subnet& subnet,
                                          uint16_t max_mtu) {
  json::parser parser;
  json::error_code error;
  const size_t read = parser.write_some(document.data(), document.size(), error);
  const bool is_more = document.find_first_not_of(" \t\r\n", read) != std::string_view::npos;
  if (error || is_more) {
    const auto line = 1 + std::count(document.begin(), document.begin() + static_cast<ptrdiff_t>(read), '\n');
    return Problem{"it is no JSON, in line " + std::to_string(line) + ": " +
                   (error ? error.message() : "something follows its end")};
  }
  if (const auto key = find_repeated_key(document)) {
    return Problem{*key + ": an object has it twice, and which one counts is not clear"};
  }
  const json::value value = parser.release();
  return DocumentReader(subnet, max_mtu).read(value);
}

}  // namespace ipop
