// One plot as SVG text: axes, ticks, labels, and lines or bars.  Enough to see what a run did, without
// another program.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ipop::sim {

struct Plot {
  enum class Style {
    Line,  ///< From point to point.
    Bars,  ///< One a point, each as wide as points are apart.
  };
  struct Series {
    std::string label{};  ///< For the legend, which is left out if there is but one series.
    std::vector<std::pair<double, double>> points{};  ///< By ascending x.
  };

  std::string title{};
  std::string x_label{};
  std::string y_label{};
  Style style = Style::Line;
  std::vector<Series> series{};
};

/// The share of samples that are at most x: a stair from 0 to 1.  Samples in any order.
Plot::Series cdf(std::string label, std::vector<double> samples);

/// The share of samples that round to each whole number between the least and the greatest.
Plot::Series histogram(std::string label, const std::vector<double>& samples);

/// Up to about `wanted` round numbers (1, 2 or 5 times a power of ten apart) from `from` on, to `to`.
/// REQUIRES: from < to, wanted > 0.
std::vector<double> round_ticks(double from, double to, int wanted);

/// A document that stands alone.  The y axis begins at 0 unless there are negative values.
std::string to_svg(const Plot& plot);

}  // namespace ipop::sim
