// ipopctl node: asks an ipop-node.
#include <filesystem>
#include <iostream>

#include "overlay/tools/command.h"
#include "overlay/tools/control_socket.h"

namespace ipop {
namespace {

void add_options(OptionTable& options) { options.add_options()("json", "print JSON"); }

int run(const Arguments& arguments) {
  const std::string& view = arguments["VIEW"].as<std::string>();
  std::string command = view;
  if (arguments.count("json")) command += " --json";
  if (arguments.count("TARGET")) {
    const std::string& target = arguments["TARGET"].as<std::string>();
    // The node has another working directory.
    command += " " + (view == "settings-load" ? std::filesystem::absolute(target).string() : target);
  }
  const auto answer = ask_control_socket(arguments["SOCKET"].as<std::string>(), command);
  if (!answer) return fail(answer.error());
  std::cout << *answer;
  return kExitOk;
}

}  // namespace

Verb node() {
  return {.words = "node",
          .arguments = {"SOCKET", "VIEW", "[TARGET]"},
          .summary = "asks the ipop-node that was started with --control SOCKET",
          .description =
              "Asks the ipop-node that was started with --control SOCKET.  VIEW is one of:\n\n"
              "  show      who it is, where it listens, its peers and counters\n"
              "  peers     the peers with round trip, age, rekeys and traffic\n"
              "  leases    the addresses that it gave by DHCP: none, as long as it has no guests\n"
              "  settings  what DHCP gives: pool, reservations and options\n"
              "  ring      the neighbours on the ring, shortcuts and other links\n"
              "  dht       the records of addresses that it keeps for others\n"
              "  trace     the way to TARGET, hop by hop: a node (40 hexadecimal digits, or the first 8 of\n"
              "            one that it knows) or the IP address of a guest\n"
              "  crawl     all nodes in the order of the ring, and whether their neighbours agree\n"
              "  why       whose the address TARGET is, an IP or a MAC, and how that is known\n\n"
              "or settings-load: use the settings in the file TARGET, which ipopctl network sign-settings\n"
              "made, and pass them on to all members.",
          .example = "ipopctl node /run/ipop-gamma.sock peers",
          .add_options = add_options,
          .run = run};
}

}  // namespace ipop
