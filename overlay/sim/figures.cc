#include "overlay/sim/figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace ipop::sim {

void Figures::set(const std::string& name, std::optional<double> value) {
  const auto same = [&](const auto& figure) { return figure.first == name; };
  const auto old = std::find_if(all_.begin(), all_.end(), same);
  if (old != all_.end()) {
    old->second = value;
  } else {
    all_.emplace_back(name, value);
  }
}

void Figures::add(const std::string& name, double more) { set(name, get(name).value_or(0) + more); }

std::optional<double> Figures::get(const std::string& name) const {
  for (const auto& [other, value] : all_) {
    if (other == name) return value;
  }
  return std::nullopt;
}

std::string Figures::to_json(const std::string& scenario, uint64_t seed) const {
  std::string out = "{\"scenario\": \"" + scenario + "\", \"seed\": " + std::to_string(seed);
  for (const auto& [name, value] : all_) {
    out += ", \"" + name + "\": " + (value ? to_text(*value) : "null");
  }
  return out + "}";
}

std::string to_text(double value) {
  std::array<char, 32> text;
  const bool is_whole = value == std::floor(value) && std::abs(value) < 0x1p53;
  std::snprintf(text.data(), text.size(), is_whole ? "%.0f" : "%.9g", value);
  return text.data();
}

std::optional<double> percentile(std::vector<double> samples, double q) {
  if (samples.empty()) return std::nullopt;
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(samples.size()) - 1e-9));
  const auto at = samples.begin() + static_cast<std::ptrdiff_t>(std::max<size_t>(rank, 1) - 1);
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

std::optional<double> mean(const std::vector<double>& samples) {
  if (samples.empty()) return std::nullopt;
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

}  // namespace ipop::sim
