// ipopctl inspect: what is in an invite.
#include <sys/stat.h>

#include <boost/json.hpp>
#include <iostream>

#include "overlay/crypto/invite.h"
#include "overlay/crypto/network.h"
#include "overlay/io/system.h"
#include "overlay/tools/command.h"

namespace ipop {
namespace {

namespace json = boost::json;

std::string id_of(const Certificate& authority) {
  const auto network = Network::from_authority(authority);
  return network ? to_hex(network->id()) : "";
}

void print_for_people(const Invite& invite, const Result<Done, Problem>& validity) {
  const Certificate& host = invite.certificate;
  std::cout << "Network:     " << invite.authority.host_name() << "\n"
            << "Network id:  " << id_of(invite.authority) << "\n"
            << "Host:        " << host.host_name() << "\n"
            << "Node id:     " << host.node_id().to_string() << "\n"
            << "Serial:      " << host.serial() << "\n";
  for (const Ipv4Subnet& subnet : host.addresses())
    std::cout << "Addresses:   " << subnet.to_string() << "\n";
  std::cout << "Valid from:  " << format_time(host.not_before()) << "\n"
            << "Valid until: " << format_time(host.not_after()) << "\n";
  for (const Endpoint& introducer : invite.introducers)
    std::cout << "Introducer:  " << introducer.to_string() << "\n";
  std::cout << "Valid now:   " << (validity ? "yes" : "no: " + validity.error().text) << "\n";
}

void print_for_programs(const Invite& invite, const Result<Done, Problem>& validity) {
  const Certificate& host = invite.certificate;
  json::array addresses, introducers;
  for (const Ipv4Subnet& subnet : host.addresses()) addresses.emplace_back(subnet.to_string());
  for (const Endpoint& introducer : invite.introducers) introducers.emplace_back(introducer.to_string());
  json::object out{{"network", invite.authority.host_name()},
                   {"network_id", id_of(invite.authority)},
                   {"host", host.host_name()},
                   {"node_id", host.node_id().to_string()},
                   {"serial", host.serial()},
                   {"addresses", std::move(addresses)},
                   {"not_before", host.not_before()},
                   {"not_after", host.not_after()},
                   {"introducers", std::move(introducers)},
                   {"valid", validity.has_value()}};
  if (!validity) out["problem"] = validity.error().text;
  std::cout << json::serialize(out) << "\n";
}

void add_options(OptionTable& options) { options.add_options()("json", "print a JSON object"); }

int run(const Arguments& arguments) {
  const std::string& path = arguments["FILE"].as<std::string>();
  const auto text = read_file(path, kMaxInviteSize);
  if (!text) return fail(text.error());
  const auto invite = parse_invite(*text);
  if (!invite) return fail({path + ": " + invite.error().text});

  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0) {
    note("others than its owner may read " + path + "; correct it with: chmod 600 " + path);
  }
  const auto validity = check_invite(*invite, unix_now());
  arguments.count("json") ? print_for_programs(*invite, validity) : print_for_people(*invite, validity);
  return validity ? kExitOk : kExitFailed;
}

}  // namespace

Verb inspect() {
  return {.words = "inspect",
          .arguments = {"FILE"},
          .summary = "shows what is in an invite, and whether it is valid",
          .description =
              "Shows what is in an invite, except the private key.  Exit status 1 if a host could not\n"
              "use it: damaged, expired, or not of one piece.",
          .example = "ipopctl inspect alpha.ipop",
          .add_options = add_options,
          .run = run};
}

}  // namespace ipop
