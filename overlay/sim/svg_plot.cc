#include "overlay/sim/svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <map>

namespace ipop::sim {
namespace {

constexpr double kWidth = 720, kHeight = 440;
constexpr double kLeft = 76, kRight = 24, kTop = 52, kBottom = 60;
/// Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"};

__attribute__((format(printf, 2, 3))) void print(std::string& out, const char* format, ...) {
  std::array<char, 512> text;
  va_list arguments;
  va_start(arguments, format);
  const int n = std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  out.append(text.data(), std::min<size_t>(static_cast<size_t>(std::max(n, 0)), text.size() - 1));
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

struct Range {
  double from = 0, to = 0;
  double at(double value) const { return (value - from) / (to - from); }
  /// From one round tick to another.
  void widen(int ticks) {
    if (!(from < to)) to = from + 1;
    const auto marks = round_ticks(from, to, ticks);
    const double apart = marks.size() > 1 ? marks[1] - marks[0] : to - from;
    from = std::floor(from / apart + 1e-9) * apart;
    to = std::ceil(to / apart - 1e-9) * apart;
  }
};

constexpr int kXTicks = 8, kYTicks = 6;

/// Values to places on the sheet.
struct Frame {
  Range x, y;

  explicit Frame(const Plot& plot) {
    bool first = true;
    for (const auto& series : plot.series) {
      for (const auto& [px, py] : series.points) {
        x = first ? Range{px, px} : Range{std::min(x.from, px), std::max(x.to, px)};
        y = first ? Range{std::min(0.0, py), py} : Range{std::min(y.from, py), std::max(y.to, py)};
        first = false;
      }
    }
    if (plot.style == Plot::Style::Bars) x = {x.from - 1, x.to + 1};
    x.widen(kXTicks);
    y.widen(kYTicks);
  }
  double left(double value) const { return kLeft + x.at(value) * (kWidth - kLeft - kRight); }
  double top(double value) const { return kHeight - kBottom - y.at(value) * (kHeight - kTop - kBottom); }
};

void draw_axes(std::string& out, const Plot& plot, const Frame& frame) {
  for (const double tick : round_ticks(frame.y.from, frame.y.to, kYTicks)) {
    const double at = frame.top(tick);
    print(out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", kLeft,
          kWidth - kRight, at, at);
    print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", kLeft - 8, at + 4, tick);
  }
  for (const double tick : round_ticks(frame.x.from, frame.x.to, kXTicks)) {
    const double at = frame.left(tick);
    print(out, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", at, at,
          kHeight - kBottom, kHeight - kBottom + 5);
    print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n", at, kHeight - kBottom + 20,
          tick);
  }
  print(out, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", kLeft, kTop, kHeight - kBottom,
        kWidth - kRight);
  print(out, "<text x=\"%.1f\" y=\"28\" text-anchor=\"middle\" font-size=\"17\">%s</text>\n", kWidth / 2,
        escaped(plot.title).c_str());
  print(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", (kLeft + kWidth - kRight) / 2,
        kHeight - 16, escaped(plot.x_label).c_str());
  print(out, "<text transform=\"translate(20 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
        (kTop + kHeight - kBottom) / 2, escaped(plot.y_label).c_str());
}

void draw_line(std::string& out, const Plot::Series& series, const Frame& frame, const char* colour) {
  print(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
  for (const auto& [x, y] : series.points) print(out, "%.1f,%.1f ", frame.left(x), frame.top(y));
  out += "\"/>\n";
}

void draw_bars(std::string& out, const Plot::Series& series, const Frame& frame, const char* colour) {
  const double apart = series.points.size() > 1 ? series.points[1].first - series.points[0].first : 1;
  const double width = std::max(1.0, 0.8 * (frame.left(apart) - frame.left(0)));
  for (const auto& [x, y] : series.points) {
    print(out, "<rect fill=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", colour,
          frame.left(x) - width / 2, frame.top(y), width, frame.top(0) - frame.top(y));
  }
}

void draw_legend(std::string& out, const Plot& plot) {
  if (plot.series.size() < 2) return;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const double top = kTop + 8 + 18 * static_cast<double>(i);
    print(out, "<rect fill=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"4\"/>\n",
          kColours[i % kColours.size()], kWidth - kRight - 150, top);
    print(out, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", kWidth - kRight - 130, top + 7,
          escaped(plot.series[i].label).c_str());
  }
}

}  // namespace

Plot::Series cdf(std::string label, std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  Plot::Series out{.label = std::move(label), .points = {}};
  const auto n = static_cast<double>(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    out.points.emplace_back(samples[i], static_cast<double>(i) / n);
    out.points.emplace_back(samples[i], static_cast<double>(i + 1) / n);
  }
  return out;
}

Plot::Series histogram(std::string label, const std::vector<double>& samples) {
  std::map<long, double> counts;
  for (const double sample : samples) ++counts[std::lround(sample)];
  Plot::Series out{.label = std::move(label), .points = {}};
  if (counts.empty()) return out;
  for (long x = counts.begin()->first; x <= counts.rbegin()->first; ++x) {
    out.points.emplace_back(x, counts[x] / static_cast<double>(samples.size()));
  }
  return out;
}

std::vector<double> round_ticks(double from, double to, int wanted) {
  const double rough = (to - from) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double apart = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough * 0.999) apart = factor * power;
  }
  std::vector<double> out;
  for (double i = std::ceil(from / apart - 1e-9); i * apart <= to + apart * 1e-9; ++i) {
    out.push_back(i == 0 ? 0 : i * apart);  // Not -0.
  }
  return out;
}

std::string to_svg(const Plot& plot) {
  std::string out;
  print(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" width=\"%g\" height=\"%g\"\n",
        kWidth, kHeight, kWidth, kHeight);
  out +=
      "     font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n"
      "<style>.axis{stroke:#222;fill:none}.grid{stroke:#ddd}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  const Frame frame(plot);
  draw_axes(out, plot, frame);
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const auto draw = plot.style == Plot::Style::Bars ? draw_bars : draw_line;
    draw(out, plot.series[i], frame, kColours[i % kColours.size()]);
  }
  draw_legend(out, plot);
  return out + "</svg>\n";
}

}  // namespace ipop::sim
