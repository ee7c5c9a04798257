// ipopctl network create, network list.
#include <algorithm>
#include <array>
#include <iomanip>
#include <iostream>

#include "overlay/crypto/network.h"
#include "overlay/io/system.h"
#include "overlay/tools/command.h"
#include "overlay/tools/network_dir.h"

namespace ipop {
namespace {

namespace po = boost::program_options;

Ipv4Subnet block(uint8_t a, uint8_t b, uint8_t prefix_length) {
  return {{static_cast<uint32_t>(a << 24 | b << 16)}, prefix_length};
}

// RFC 1918, and RFC 6598 for sites that have used all of it.
const std::array kPrivate = {block(10, 0, 8), block(172, 16, 12), block(192, 168, 16), block(100, 64, 10)};
// This host (RFC 791), loopback, link-local (RFC 3927), multicast and reserved: no guest could use these.
const std::array kUnusable = {block(0, 0, 8), block(127, 0, 8), block(169, 254, 16), block(224, 0, 3)};

bool overlaps(Ipv4Subnet a, Ipv4Subnet b) { return a.contains(b.network) || b.contains(a.network); }

Ipv4Subnet subnet_of(const Arguments& arguments) {
  if (!arguments.count("subnet"))
    throw UsageError("--subnet is missing; for example: --subnet 10.128.0.0/16");
  const std::string& text = arguments["subnet"].as<std::string>();
  const auto subnet = Ipv4Subnet::parse(text);
  if (!subnet) {
    throw UsageError("\"" + text +
                     "\" is not a subnet: it must be ADDRESS/LENGTH with zeros in the host part, " +
                     "for example 10.128.0.0/16");
  }
  if (!is_network_subnet(*subnet)) throw UsageError(text + ": the prefix length must be between 8 and 29");
  if (std::any_of(kUnusable.begin(), kUnusable.end(),
                  [&](Ipv4Subnet bad) { return overlaps(bad, *subnet); })) {
    throw UsageError(text + " has addresses that no guest could use");
  }
  const auto covers = [&](Ipv4Subnet good) {
    return good.prefix_length <= subnet->prefix_length && good.contains(subnet->network);
  };
  if (!arguments.count("allow-public") && std::none_of(kPrivate.begin(), kPrivate.end(), covers)) {
    throw UsageError(text +
                     " is not for private use (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10), " +
                     "so guests could not reach its owners; if it is yours, say --allow-public");
  }
  return *subnet;
}

void add_create_options(OptionTable& options) {
  options.add_options()("subnet", po::value<std::string>()->value_name("CIDR"),
                        "addresses of the network, prefix length 8 to 29");
  options.add_options()("allow-public", "take a subnet that is not for private use");
  add_days_option(options, 3650, "how long the network lives");
  add_dir_option(options);
}

int run_create(const Arguments& arguments) {
  const std::string name = name_of(arguments, "NAME");
  const Ipv4Subnet subnet = subnet_of(arguments);
  SystemRandom random;
  const auto authority = Authority::create(name, subnet, seconds_of_days(arguments), unix_now(), random);
  const std::string dir = dir_of(arguments);
  if (const auto ok = NetworkDir(dir).create(authority); !ok) return fail(ok.error());
  std::cout << "Network " << name << ", " << subnet.to_string() << ", valid until "
            << format_time(authority.certificate().not_after()) << ".\n"
            << "Its key is in " << dir << "/" << name << ": keep a copy in a safe place.\n";
  return kExitOk;
}

int run_list(const Arguments& arguments) {
  const NetworkDir dir(dir_of(arguments));
  const auto names = dir.networks();
  if (!names) return fail(names.error());
  int code = kExitOk;
  std::cout << std::left << std::setw(20) << "NAME" << std::setw(20) << "SUBNET" << std::setw(7) << "HOSTS"
            << "EXPIRES\n";
  for (const std::string& name : *names) {
    const auto certificate = dir.load_certificate(name);
    const auto hosts = dir.hosts(name);
    if (!certificate || !hosts) {
      code = fail(!certificate ? certificate.error() : hosts.error());
      continue;
    }
    const auto network = Network::from_authority(*certificate);
    std::cout << std::setw(20) << name << std::setw(20) << (network ? network->subnet().to_string() : "?")
              << std::setw(7) << hosts->size() << format_time(certificate->not_after()) << "\n";
  }
  return code;
}

}  // namespace

Verb network_create() {
  return {.words = "network create",
          .arguments = {"NAME"},
          .summary = "makes a network: its signing key and certificate",
          .description =
              "Makes a network.  The first address of the subnet is the network's own (DHCP, DNS); the\n"
              "others are for guests.  Whoever has the key can invite hosts; hosts do not need it.",
          .example = "ipopctl network create grid --subnet 10.128.0.0/16",
          .add_options = add_create_options,
          .run = run_create};
}

Verb network_list() {
  return {.words = "network list",
          .arguments = {},
          .summary = "shows the networks that are kept here",
          .description = "Shows the networks that are kept here, with subnet, number of hosts and expiry.",
          .example = "ipopctl network list",
          .add_options = add_dir_option,
          .run = run_list};
}

}  // namespace ipop
