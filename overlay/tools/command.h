// What a verb of ipopctl is: words, arguments, options, and what it does.
#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/base/time.h"

namespace ipop {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

/// The command line is wrong; main() prints it with the usage and exits with kExitUsage.
using UsageError = boost::program_options::error;
using OptionTable = boost::program_options::options_description;
using Arguments = boost::program_options::variables_map;

struct Verb {
  std::string_view words;              ///< "host invite"
  std::vector<std::string> arguments;  ///< "NETWORK", "HOST"; one in brackets, as "[PORT]", is optional.
  std::string_view summary;            ///< One line, for the list of verbs.
  std::string_view description;        ///< For its own --help.
  std::string_view example;
  void (*add_options)(OptionTable&);
  int (*run)(const Arguments&);
};

// One file each.
Verb network_create();
Verb network_list();
Verb network_sign_settings();
Verb host_invite();
Verb host_list();
Verb inspect();
Verb status();
Verb node();

// What several of them need.

/// --dir, $IPOP_DIR or /etc/ipop/networks.
void add_dir_option(OptionTable& options);
std::string dir_of(const Arguments& arguments);

/// --days, as seconds.
void add_days_option(OptionTable& options, int default_days, const char* what);
UnixSeconds seconds_of_days(const Arguments& arguments);

/// An argument that must be a DNS label.
std::string name_of(const Arguments& arguments, const char* argument);

/// Prints "ipopctl: PROBLEM" to standard error; kExitFailed.
int fail(const Problem& problem);
void note(std::string_view text);

}  // namespace ipop
