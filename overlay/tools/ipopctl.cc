// ipopctl: finds the verb, parses its options, runs it.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <sstream>

#include "overlay/crypto/certificate.h"
#include "overlay/tools/command.h"

namespace ipop {
namespace {

namespace po = boost::program_options;

using Words = std::vector<std::string>;

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {network_create(), network_list(), network_sign_settings(),
                                        host_invite(),    host_list(),    inspect(),
                                        status(),         node()};
  return all;
}

bool is_optional(const std::string& argument) { return argument.starts_with('['); }

std::string bare(const std::string& argument) {
  return is_optional(argument) ? argument.substr(1, argument.size() - 2) : argument;
}

std::string usage_line(const Verb& verb) {
  std::string line = "ipopctl " + std::string(verb.words);
  for (const std::string& argument : verb.arguments) line += " " + argument;
  return line + " [OPTIONS]";
}

OptionTable options_of(const Verb& verb) {
  OptionTable options("Options", 100);
  verb.add_options(options);
  options.add_options()("help,h", "show this and exit");
  return options;
}

void print_help(std::ostream& out) {
  out << "ipopctl: makes IPOP networks and invites hosts to them.\n\nUsage:\n";
  for (const Verb& verb : verbs()) out << "  " << usage_line(verb) << "\n      " << verb.summary << "\n";
  out << "\n  ipopctl VERB --help shows the options of a verb and an example; ipopctl --version the "
         "version.\n"
         "\nExit status: 0 if all went well, 1 if it failed, 2 if the command line is wrong.\n";
}

void print_help(const Verb& verb, std::ostream& out) {
  out << "Usage: " << usage_line(verb) << "\n\n"
      << verb.description << "\n\n"
      << options_of(verb) << "\nExample:\n  " << verb.example << "\n";
}

// The verb whose words `words` begins with, which are then taken off.
const Verb* take_verb(Words& words) {
  for (const Verb& verb : verbs()) {
    std::istringstream text{std::string(verb.words)};
    const Words wanted(std::istream_iterator<std::string>(text), {});
    if (words.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), words.begin())) {
      words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(wanted.size()));
      return &verb;
    }
  }
  return nullptr;
}

Arguments parse(const Verb& verb, const Words& words) {
  OptionTable options = options_of(verb);
  po::positional_options_description positions;
  for (const std::string& argument : verb.arguments) {
    options.add_options()(bare(argument).c_str(), po::value<std::string>());
    positions.add(bare(argument).c_str(), 1);
  }
  constexpr int kStyle = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  Arguments out;
  po::store(po::command_line_parser(words).options(options).positional(positions).style(kStyle).run(), out);
  po::notify(out);
  for (const std::string& argument : verb.arguments) {
    if (!is_optional(argument) && !out.count(argument)) throw UsageError(argument + " is missing");
  }
  return out;
}

bool asks_for_help(const Words& words) {
  return std::any_of(words.begin(), words.end(), [](const auto& w) { return w == "--help" || w == "-h"; });
}

int run(Words words) {
  if (words.empty()) {
    print_help(std::cerr);
    return kExitUsage;
  }
  if (words[0] == "--version") {
    std::cout << "ipopctl " IPOP_VERSION "\n";
    return kExitOk;
  }
  const std::string command =
      words[0] + (words.size() > 1 && !words[1].starts_with('-') ? " " + words[1] : "");
  const Verb* const verb = take_verb(words);
  if (asks_for_help(words) || (!verb && words[0] == "help")) {
    verb ? print_help(*verb, std::cout) : print_help(std::cout);
    return kExitOk;
  }
  if (!verb) {
    std::cerr << "ipopctl: there is no command \"" << command << "\"; see ipopctl --help\n";
    return kExitUsage;
  }
  try {
    return verb->run(parse(*verb, words));
  } catch (const UsageError& error) {
    std::cerr << "ipopctl: " << error.what() << "\nUsage: " << usage_line(*verb) << "\nSee ipopctl "
              << verb->words << " --help\n";
    return kExitUsage;
  }
}

}  // namespace

void add_dir_option(OptionTable& options) {
  options.add_options()("dir", po::value<std::string>()->value_name("DIR"),
                        "where networks are kept (default: $IPOP_DIR or /etc/ipop/networks)");
}

std::string dir_of(const Arguments& arguments) {
  if (arguments.count("dir")) return arguments["dir"].as<std::string>();
  const char* const from_environment = std::getenv("IPOP_DIR");
  return from_environment && *from_environment ? from_environment : "/etc/ipop/networks";
}

void add_days_option(OptionTable& options, int default_days, const char* what) {
  options.add_options()("days", po::value<int>()->value_name("N")->default_value(default_days), what);
}

UnixSeconds seconds_of_days(const Arguments& arguments) {
  constexpr int kMaxDays = 36500;  // A century: long before X.509 runs out of years.
  const int days = arguments["days"].as<int>();
  if (days < 1 || days > kMaxDays)
    throw UsageError("--days must be between 1 and " + std::to_string(kMaxDays));
  return UnixSeconds{days} * 24 * 3600;
}

std::string name_of(const Arguments& arguments, const char* argument) {
  const std::string& name = arguments[argument].as<std::string>();
  if (!is_dns_label(name)) {
    throw UsageError("\"" + name + "\" cannot be a DNS name: " + argument +
                     " must be 1 to 63 of a-z, 0-9 and \"-\", and neither begin nor end with \"-\"");
  }
  return name;
}

int fail(const Problem& problem) {
  std::cout.flush();
  std::cerr << "ipopctl: " << problem.text << "\n";
  return kExitFailed;
}

void note(std::string_view text) { std::cerr << "ipopctl: note: " << text << "\n"; }

}  // namespace ipop

int main(int argc, char** argv) try {
  const int code = ipop::run({argv + 1, argv + argc});
  std::cout.flush();
  return code == ipop::kExitOk && !std::cout ? ipop::fail({"standard output cannot be written"}) : code;
} catch (const std::exception& error) {
  return ipop::fail({error.what()});
}
