#include "overlay/io/answer_view.h"

#include "overlay/io/ring_view.h"
#include "overlay/io/why_view.h"

namespace ipop {

std::string show_answer(const Report& report, const Questions::Answer& answer, bool json) {
  if (const auto* trace = std::get_if<Trace>(&answer)) return show_trace(report, *trace, json);
  if (const auto* why = std::get_if<Explanation>(&answer)) return show_explanation(report, *why, json);
  return show_crawl(std::get<Crawl>(answer), json);
}

}  // namespace ipop
