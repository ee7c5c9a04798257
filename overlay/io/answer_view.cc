#include "overlay/io/answer_view.h"

#include <boost/json.hpp>

#include "overlay/io/ring_view.h"
#include "overlay/io/settings_view.h"
#include "overlay/io/text.h"
#include "overlay/io/why_view.h"

namespace ipop {
namespace {

Result<std::string, Problem> show_expected(const Report& report, const Questions::GuestExpected& expected,
                                           bool json) {
  const Introduction& guest = expected.guest;
  const std::string mac = guest.mac.to_string();
  if (!expected.result) return Problem{mac + ": " + expected.result.error().text};
  const std::string node = expected.at ? expected.at->to_string() : "";
  const std::string host = expected.at ? host_of(report, *expected.at) : "";
  if (json) {
    return boost::json::serialize(boost::json::object{{"mac", mac},
                                                      {"node", node},
                                                      {"host", host},
                                                      {"ip", guest.ip ? guest.ip->to_string() : ""},
                                                      {"name", guest.name}}) +
           "\n";
  }
  std::string wish;
  if (guest.ip) wish += "; DHCP gives it " + guest.ip->to_string();
  if (!guest.name.empty()) wish += "; its name is " + guest.name;
  if (!expected.at) return mac + " is expected; where it is now is being found out" + wish + "\n";
  if (*expected.at == report.node) return mac + " is here" + wish + "\n";
  return mac + " is expected from " + or_dash(host) + " (" + expected.at->to_short_string() + ")" + wish +
         "\n";
}

}  // namespace

Result<std::string, Problem> show_answer(const Report& report, const Questions::Answer& answer, bool json) {
  if (const auto* trace = std::get_if<Trace>(&answer)) return show_trace(report, *trace, json);
  if (const auto* why = std::get_if<Explanation>(&answer)) return show_explanation(report, *why, json);
  if (const auto* loaded = std::get_if<Questions::SettingsLoaded>(&answer)) {
    return show_settings_loaded(*loaded, json);
  }
  if (const auto* expected = std::get_if<Questions::GuestExpected>(&answer)) {
    return show_expected(report, *expected, json);
  }
  return show_crawl(std::get<Crawl>(answer), json);
}

}  // namespace ipop
