#include "overlay/io/settings_view.h"

#include <algorithm>
#include <boost/json.hpp>

#include "overlay/crypto/certificate.h"
#include "overlay/io/text.h"

namespace ipop {
namespace {

std::string time_of(uint64_t version) { return format_time(static_cast<UnixSeconds>(version)); }

bool is_given(const Report& report, Ipv4Address ip) {
  const auto& not_given = report.settings.not_given;
  return std::find(not_given.begin(), not_given.end(), ip) == not_given.end();
}

std::string join(const auto& list, const auto& to_text) {
  std::string out;
  for (const auto& entry : list) out += (out.empty() ? "" : ", ") + to_text(entry);
  return or_dash(out);
}

boost::json::array strings(const auto& list, const auto& to_text) {
  boost::json::array out;
  for (const auto& entry : list) out.emplace_back(to_text(entry));
  return out;
}

const auto kAddress = [](const auto& address) { return address.to_string(); };
const auto kText = [](const std::string& text) { return text; };

std::string show_json(const Report& report) {
  const Report::InUse& settings = report.settings;
  const Service& service = settings.service;
  boost::json::array reservations;
  for (const auto& [ip, mac] : service.settings->reserved) {
    reservations.push_back(boost::json::object{{"mac", mac.to_string()},
                                               {"ip", ip.to_string()},
                                               {"name", service.settings->reservations.at(mac).name},
                                               {"given", is_given(report, ip)}});
  }
  boost::json::array routes;
  for (const Ipv4Route& route : service.settings->routes) {
    routes.push_back(boost::json::object{{"to", route.to.to_string()}, {"via", route.via.to_string()}});
  }
  boost::json::object out{{"version", settings.version},
                          {"problem", settings.problem},
                          {"pool", strings(service.pool(), kAddress)},
                          {"dns", strings(service.dns_servers(), kAddress)},
                          {"search", strings(service.search_domains(), kText)},
                          {"ntp", strings(service.settings->ntp, kAddress)},
                          {"mtu", service.guest_mtu()},
                          {"routes", std::move(routes)},
                          {"reservations", std::move(reservations)}};
  return boost::json::serialize(out) + "\n";
}

}  // namespace

std::string show_settings(const Report& report, bool json) {
  if (json) return show_json(report);
  const Report::InUse& settings = report.settings;
  const Service& service = settings.service;
  const std::string version =
      settings.version == 0 ? "none: all is as the port has it"
                            : std::to_string(settings.version) + ", signed " + time_of(settings.version);
  std::string out = "version          " + version + "\n";
  if (!settings.problem.empty()) out += "NOT IN USE       " + settings.problem + "\n";
  out += "pool             " + join(service.pool(), kAddress) + "\n";
  out += "dns              " + join(service.dns_servers(), kAddress) + "\n";
  out += "search           " + join(service.search_domains(), kText) + "\n";
  out += "ntp              " + join(service.settings->ntp, kAddress) + "\n";
  out += "mtu              " + std::to_string(service.guest_mtu()) + "\n";
  out += "routes           " +
         join(service.settings->routes,
              [](const Ipv4Route& route) { return route.to.to_string() + " via " + route.via.to_string(); }) +
         "\n";
  out += "reservations     " + std::to_string(service.settings->reserved.size()) + "\n";
  for (const auto& [ip, mac] : service.settings->reserved) {
    out += format("  %-18s %-16s %s%s\n", mac.to_string().c_str(), ip.to_string().c_str(),
                  or_dash(service.settings->reservations.at(mac).name).c_str(),
                  is_given(report, ip) ? "" : "  not given here: the certificate does not allow it");
  }
  return out;
}

Result<std::string, Problem> show_settings_loaded(const Questions::SettingsLoaded& loaded, bool json) {
  if (!loaded.version) return Problem{loaded.path + ": " + loaded.version.error().text};
  const uint64_t version = *loaded.version;
  if (json) {
    return boost::json::serialize(boost::json::object{{"version", version}, {"peers", loaded.peers}}) + "\n";
  }
  return "version " + std::to_string(version) + ", signed " + time_of(version) +
         ", is in use; peers that are told: " + std::to_string(loaded.peers) + "\n";
}

}  // namespace ipop
