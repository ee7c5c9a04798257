// ipopctl host invite, host list.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iomanip>
#include <iostream>

#include "overlay/crypto/invite.h"
#include "overlay/io/system.h"
#include "overlay/tools/command.h"
#include "overlay/tools/files.h"
#include "overlay/tools/network_dir.h"

namespace ipop {
namespace {

namespace po = boost::program_options;

std::vector<Endpoint> introducers_of(const Arguments& arguments) {
  std::vector<Endpoint> out;
  if (!arguments.count("introducer")) return out;
  for (const std::string& text : arguments["introducer"].as<std::vector<std::string>>()) {
    const auto endpoint = parse_introducer(text);
    if (!endpoint) {
      throw UsageError("\"" + text +
                       "\" is not an introducer: it must be ADDRESS:PORT, for example 203.0.113.7:51128");
    }
    out.push_back(*endpoint);
  }
  if (out.size() > kMaxIntroducers) {
    throw UsageError("at most " + std::to_string(kMaxIntroducers) + " introducers");
  }
  return out;
}

// After `> alpha.ipop` the shell has made the file with its umask, usually readable by all.
void make_private(int fd) {
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0) fchmod(fd, 0600);
}

Result<Done, Problem> deliver(const std::string& text, const Arguments& arguments) {
  if (arguments.count("output")) return create_file(arguments["output"].as<std::string>(), 0600, text);
  make_private(STDOUT_FILENO);
  return write_all(STDOUT_FILENO, text);
}

void add_invite_options(OptionTable& options) {
  options.add_options()("introducer",
                        po::value<std::vector<std::string>>()->value_name("ADDR:PORT")->composing(),
                        "a member that can be reached there; may be given several times");
  add_days_option(options, 365, "how long the invite is valid");
  options.add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                        "where the invite goes, a new file (default: standard output)");
  options.add_options()("replace", "make a new invite for a host that has one");
  add_dir_option(options);
}

int run_invite(const Arguments& arguments) {
  const std::string network = name_of(arguments, "NETWORK");
  const std::string host = name_of(arguments, "HOST");
  auto introducers = introducers_of(arguments);
  const UnixSeconds validity = seconds_of_days(arguments);
  const UnixSeconds now = unix_now();
  const NetworkDir dir(dir_of(arguments));

  const auto authority = dir.load(network);
  if (!authority) return fail(authority.error());
  const UnixSeconds end = authority->certificate().not_after();
  if (end < now) return fail({"network " + network + " expired on " + format_time(end)});
  const bool replaces = dir.has_host(network, host);
  if (replaces && !arguments.count("replace")) {
    return fail({"host " + host + " of network " + network +
                 " has an invite already; choose another name, or make it a new one with --replace"});
  }
  std::error_code error;
  if (arguments.count("output") && std::filesystem::exists(arguments["output"].as<std::string>(), error)) {
    return fail({arguments["output"].as<std::string>() + ": exists already, and is left as it is"});
  }

  SystemRandom random;
  const Identity identity = Identity::generate(random);
  const Certificate certificate = authority->issue(host, identity.public_key(), validity, now);
  const std::string invite =
      format({identity, certificate, authority->certificate(), std::move(introducers)});

  // The record first: of two that invite the same host at once, one is refused here.
  if (const auto ok = replaces ? dir.replace_host(network, certificate) : dir.add_host(network, certificate);
      !ok) {
    return fail(ok.error());
  }
  if (const auto ok = deliver(invite, arguments); !ok) {
    if (!replaces) dir.remove_host(network, host);
    return fail(ok.error());
  }
  if (now + validity > end) note("it ends with the network itself, on " + format_time(end));
  if (replaces) note("the earlier invite of " + host + " is still valid until it expires");
  return kExitOk;
}

int run_list(const Arguments& arguments) {
  const std::string network = name_of(arguments, "NETWORK");
  const NetworkDir dir(dir_of(arguments));
  const auto hosts = dir.hosts(network);
  if (!hosts) return fail(hosts.error());
  int code = kExitOk;
  std::cout << std::left << std::setw(20) << "NAME" << std::setw(42) << "NODE" << std::setw(34) << "SERIAL"
            << "EXPIRES\n";
  for (const std::string& host : *hosts) {
    const auto certificate = dir.load_host(network, host);
    if (!certificate) {
      code = fail(certificate.error());
      continue;
    }
    std::cout << std::setw(20) << host << std::setw(42) << certificate->node_id().to_string() << std::setw(34)
              << certificate->serial() << format_time(certificate->not_after())
              << (certificate->not_after() < unix_now() ? "  (expired)" : "") << "\n";
  }
  return code;
}

}  // namespace

Verb host_invite() {
  return {.words = "host invite",
          .arguments = {"NETWORK", "HOST"},
          .summary = "makes a host's invite: all it needs to be a member",
          .description =
              "Makes an invite: the file that makes a host a member of the network.  It contains the\n"
              "host's private key, which is kept nowhere else: move it over a safe channel.  A file\n"
              "that standard output goes to is made readable by its owner only.",
          .example = "ipopctl host invite grid alpha --introducer 203.0.113.7:51128 > alpha.ipop",
          .add_options = add_invite_options,
          .run = run_invite};
}

Verb host_list() {
  return {.words = "host list",
          .arguments = {"NETWORK"},
          .summary = "shows the hosts that were invited",
          .description =
              "Shows the hosts that were invited, with node identifier, serial number and expiry of\n"
              "the latest certificate of each.",
          .example = "ipopctl host list grid",
          .add_options = add_dir_option,
          .run = run_list};
}

}  // namespace ipop
