#include "overlay/io/answer_view.h"

#include "overlay/io/ring_view.h"
#include "overlay/io/settings_view.h"
#include "overlay/io/why_view.h"

namespace ipop {

Result<std::string, Problem> show_answer(const Report& report, const Questions::Answer& answer, bool json) {
  if (const auto* trace = std::get_if<Trace>(&answer)) return show_trace(report, *trace, json);
  if (const auto* why = std::get_if<Explanation>(&answer)) return show_explanation(report, *why, json);
  if (const auto* loaded = std::get_if<Questions::SettingsLoaded>(&answer)) {
    return show_settings_loaded(*loaded, json);
  }
  return show_crawl(std::get<Crawl>(answer), json);
}

}  // namespace ipop
