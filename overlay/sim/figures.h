// What a run found out: named numbers, in the order in which they were found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ipop::sim {

class Figures {
 public:
  /// Nothing stands for what never happened, as a ring that did not converge in time.  A second value takes
  /// the place of the first.
  void set(const std::string& name, std::optional<double> value);
  void add(const std::string& name, double more);
  /// Nothing too if there is no such figure.
  std::optional<double> get(const std::string& name) const;
  const std::vector<std::pair<std::string, std::optional<double>>>& all() const { return all_; }

  /// One flat JSON object: "scenario" and "seed", then the figures; nothing is null.
  std::string to_json(const std::string& scenario, uint64_t seed) const;

 private:
  std::vector<std::pair<std::string, std::optional<double>>> all_;
};

/// Nine digits: counts of events stay whole, and nobody reads more of a mean.
std::string to_text(double value);

/// The least sample that at least the share `q` of all does not exceed; nothing if there are none.
/// Samples in any order; q in (0, 1].
std::optional<double> percentile(std::vector<double> samples, double q);
std::optional<double> mean(const std::vector<double>& samples);

}  // namespace ipop::sim
