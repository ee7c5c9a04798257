// ipop-sim: runs a scenario of the simulator, and says what came of it.
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>

#include "overlay/io/system.h"
#include "overlay/sim/experiment.h"
#include "overlay/tools/command.h"
#include "overlay/tools/files.h"

namespace ipop {
namespace {

/// What the scenario checks did not hold.
constexpr int kExitBroken = 3;

namespace fs = std::filesystem;
namespace po = boost::program_options;
using WallClock = std::chrono::steady_clock;

constexpr size_t kMaxScenarioSize = 1 << 20;
constexpr auto kProgressInterval = 5s;

int fail_here(const std::string& text, int code) {
  std::cout.flush();
  std::cerr << "ipop-sim: " << text << "\n";
  return code;
}

double seconds_since(WallClock::time_point since) {
  return std::chrono::duration<double>(WallClock::now() - since).count();
}

/// Where scenarios are looked for by name: $IPOP_SCENARIOS, the installed ones, those of the source.
std::vector<fs::path> scenario_dirs() {
  std::vector<fs::path> out;
  if (const char* const from_environment = std::getenv("IPOP_SCENARIOS")) out.emplace_back(from_environment);
  std::istringstream built_in(IPOP_SCENARIO_DIRS);
  for (std::string dir; std::getline(built_in, dir, ':');) out.emplace_back(dir);
  return out;
}

/// A path, if it looks like one or is there; else a name.
fs::path find_scenario(const std::string& name) {
  if (name.find('/') != std::string::npos || name.ends_with(".json")) return name;
  for (const fs::path& dir : scenario_dirs()) {
    const fs::path path = dir / (name + ".json");
    if (std::error_code error; fs::exists(path, error)) return path;
  }
  throw po::error("there is no scenario \"" + name + "\"; ipop-sim --list shows those there are");
}

sim::Scenario load_scenario(const std::string& name) {
  const fs::path path = find_scenario(name);
  const auto text = read_file(path, kMaxScenarioSize);
  if (!text) throw po::error(text.error().text);
  auto scenario = sim::parse_scenario(path.stem().string(), *text);
  if (!scenario) throw po::error(path.string() + ": " + scenario.error().text);
  return std::move(*scenario);
}

int list_scenarios() {
  std::map<std::string, std::string> abouts;
  for (const fs::path& dir : scenario_dirs()) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(dir, error)) {
      const std::string name = entry.path().stem().string();
      if (entry.path().extension() != ".json" || abouts.contains(name)) continue;
      abouts[name] = load_scenario(entry.path().string()).about;
    }
  }
  for (const auto& [name, about] : abouts) std::cout << name << "\n    " << about << "\n";
  return kExitOk;
}

/// "7" or "1-20".
std::pair<uint64_t, uint64_t> parse_seeds(const std::string& text) {
  std::istringstream in(text);
  uint64_t first = 0, last = 0;
  char dash = 0;
  const bool ok = text.find_first_not_of("0123456789-") == std::string::npos && in >> first &&
                  (in.eof() ? (last = first, true) : in >> dash >> last && dash == '-' && in.eof());
  if (!ok || first > last) throw po::error("--seeds must be two numbers, the lower first, as 1-20");
  return {first, last};
}

/// A line on standard error now and then.
auto make_progress(uint64_t seed) {
  return [seed, since = WallClock::now(),
          last = WallClock::now()](const sim::Gauges::Progress& progress) mutable {
    if (WallClock::now() - last < kProgressInterval) return;
    last = WallClock::now();
    std::cerr << "seed " << seed << ", phase " << progress.phase << " of " << progress.phases << ": "
              << std::chrono::duration_cast<std::chrono::seconds>(progress.virtual_time).count()
              << " s virtual, " << progress.running << " nodes, " << progress.events << " events, "
              << static_cast<int>(seconds_since(since)) << " s wall\n";
  };
}

void print_for_people(const sim::Figures& figures) {
  for (const auto& [name, value] : figures.all()) {
    std::cout << "  " << name << std::string(name.size() < 28 ? 28 - name.size() : 1, ' ')
              << (value ? sim::to_text(*value) : "never") << "\n";
  }
}

struct Run {
  std::string json;
  std::string svg;
  bool is_broken = false;
};

struct Outcome {
  sim::Figures figures;
  sim::Plot plot{};
  bool is_broken = false;  ///< What the scenario checks did not hold.
};

/// Violations are named on standard error: the history that has one is of use.
Outcome run_leases(const sim::Scenario& scenario, uint64_t seed) {
  sim::LeasesOptions options = *scenario.leases;
  options.world = scenario.world;
  options.world.seed = seed;
  sim::Leases leases(options);
  leases.run();
  for (const std::string& violation : leases.history().violations()) {
    std::cerr << "seed " << seed << ": " << violation << "\n";
  }
  return {.figures = leases.figures(), .is_broken = !leases.history().violations().empty()};
}

Outcome run_moves(const sim::Scenario& scenario, uint64_t seed) {
  sim::MovesOptions options = *scenario.moves;
  options.world = scenario.world;
  options.world.seed = seed;
  sim::Moves moves(options);
  moves.run();
  return {.figures = moves.figures(), .plot = moves.plot()};
}

Outcome run_phases(const sim::Scenario& scenario, uint64_t seed, bool is_quiet, bool is_reproducible) {
  sim::Gauges gauges;
  if (!is_reproducible) gauges.heap = [] { return mallinfo2().uordblks; };
  if (!is_quiet) gauges.progress = make_progress(seed);
  sim::Experiment experiment(scenario, seed, std::move(gauges));
  experiment.run();
  return {.figures = experiment.figures(), .plot = experiment.plot()};
}

Run run_seed(const sim::Scenario& scenario, uint64_t seed, bool is_quiet, bool is_reproducible) {
  const auto since = WallClock::now();
  auto [figures, plot, is_broken] = scenario.leases  ? run_leases(scenario, seed)
                                    : scenario.moves ? run_moves(scenario, seed)
                                                     : run_phases(scenario, seed, is_quiet, is_reproducible);
  if (!is_reproducible) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    figures.set("wall_s", seconds_since(since));
    figures.set("rss_gb", static_cast<double>(usage.ru_maxrss) / (1 << 20));
  }
  std::cout << scenario.name << ", seed " << seed << "\n";
  print_for_people(figures);
  std::cout.flush();
  return {figures.to_json(scenario.name, seed), sim::to_svg(plot), is_broken};
}

OptionTable visible_options() {
  OptionTable options("Options", 100);
  options.add_options()("seed", po::value<uint64_t>()->value_name("N")->default_value(1),
                        "the same seed gives the same run");
  options.add_options()("seeds", po::value<std::string>()->value_name("A-B"),
                        "one run for each seed; --json gets an array");
  options.add_options()("json", po::value<std::string>()->value_name("FILE"),
                        "write the figures there, as a JSON object");
  options.add_options()("plot", po::value<std::string>()->value_name("FILE"),
                        "write an SVG of what the scenario is about");
  options.add_options()("reproducible", "leave out what depends on the machine: wall_s, rss_gb, the heap");
  options.add_options()("quiet", "no progress on standard error");
  options.add_options()("list", "show the scenarios there are, and exit");
  options.add_options()("version", "print the version and exit");
  options.add_options()("help,h", "show this and exit");
  return options;
}

void print_help(std::ostream& out) {
  out << "Usage: ipop-sim SCENARIO [OPTIONS]\n\n"
         "Runs the node's own code many times in one process, on virtual time and a virtual Internet, as\n"
         "the scenario says: a name of --list, or a file.  Prints what it found out.\n\n"
      << visible_options()
      << "\nExample:\n  ipop-sim join-600 --seed 7 --json join.json --plot join.svg\n\n"
         "Exit status: 0 if the run went through, 1 if a file cannot be written, 2 if the command line or\n"
         "the scenario is wrong, 3 if there were violations.\n";
}

int run_scenario(const Arguments& arguments) {
  const sim::Scenario scenario = load_scenario(arguments["SCENARIO"].as<std::string>());
  const bool has_range = arguments.count("seeds") != 0;
  const uint64_t seed = arguments["seed"].as<uint64_t>();
  const auto [first, last] =
      has_range ? parse_seeds(arguments["seeds"].as<std::string>()) : std::pair(seed, seed);
  std::string json;
  std::string svg;
  bool is_broken = false;
  for (uint64_t one = first;; ++one) {
    Run run = run_seed(scenario, one, arguments.count("quiet") != 0, arguments.count("reproducible") != 0);
    json += (json.empty() ? "" : ",\n ") + run.json;
    svg = std::move(run.svg);
    is_broken |= run.is_broken;
    if (one == last) break;
  }
  if (has_range) json = "[" + json + "]";
  for (const auto& [option, text] : {std::pair("json", json + "\n"), std::pair("plot", svg)}) {
    if (!arguments.count(option)) continue;
    const auto written = replace_file(arguments[option].as<std::string>(), 0644, text);
    if (!written) return fail_here(written.error().text, kExitFailed);
  }
  return is_broken ? kExitBroken : kExitOk;
}

int run(int argc, char** argv) try {
  OptionTable options = visible_options();
  options.add_options()("SCENARIO", po::value<std::string>());
  po::positional_options_description positions;
  positions.add("SCENARIO", 1);
  constexpr int kStyle = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  Arguments arguments;
  po::store(po::command_line_parser(argc, argv).options(options).positional(positions).style(kStyle).run(),
            arguments);
  po::notify(arguments);
  if (arguments.count("help")) {
    print_help(std::cout);
    return kExitOk;
  }
  if (arguments.count("version")) {
    std::cout << "ipop-sim " IPOP_VERSION "\n";
    return kExitOk;
  }
  if (arguments.count("list")) return list_scenarios();
  if (!arguments.count("SCENARIO")) throw po::error("SCENARIO is missing; see ipop-sim --help");
  return run_scenario(arguments);
} catch (const po::error& error) {
  return fail_here(error.what(), kExitUsage);
}

}  // namespace
}  // namespace ipop

int main(int argc, char** argv) try {
  const int code = ipop::run(argc, argv);
  std::cout.flush();
  return code == ipop::kExitOk && !std::cout
             ? ipop::fail_here("standard output cannot be written", ipop::kExitFailed)
             : code;
} catch (const std::exception& error) {
  return ipop::fail_here(error.what(), ipop::kExitFailed);
}
