// ipopctl network sign-settings.
#include <algorithm>
#include <iostream>

#include "overlay/crypto/settings.h"
#include "overlay/io/system.h"
#include "overlay/node/node.h"
#include "overlay/tools/command.h"
#include "overlay/tools/files.h"
#include "overlay/tools/network_dir.h"

namespace ipop {
namespace {

namespace po = boost::program_options;

void add_options(OptionTable& options) {
  options.add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                        "where the signed settings go, a new file (default: standard output)");
  add_dir_option(options);
}

int run(const Arguments& arguments) {
  const std::string network = name_of(arguments, "NETWORK");
  const std::string& path = arguments["FILE"].as<std::string>();
  const NetworkDir dir(dir_of(arguments));
  const auto authority = dir.load(network);
  if (!authority) return fail(authority.error());
  const auto document = read_file(path, wire::SignedSettings::kMaxDocumentSize);
  if (!document) return fail(document.error());
  const Ipv4Subnet subnet = authority->certificate().addresses().front();
  if (const auto understood = Settings::parse(*document, subnet, kGuestMtu); !understood) {
    return fail({path + ": " + understood.error().text});
  }
  const auto last = dir.load_settings(network);
  if (!last) return fail(last.error());
  const auto now = static_cast<uint64_t>(unix_now());
  const uint64_t version =
      std::max(now, *last ? (*last)->version + 1 : 0);  // Above all before, come what may.
  const std::string file = sign_settings(*authority, version, *document).encode();
  if (arguments.count("output")) {
    if (const auto ok = create_file(arguments["output"].as<std::string>(), 0644, file); !ok) {
      return fail(ok.error());
    }
  }
  if (const auto ok = dir.store_settings(network, file); !ok) return fail(ok.error());
  if (!arguments.count("output")) std::cout << file;
  return kExitOk;
}

}  // namespace

Verb network_sign_settings() {
  return {.words = "network sign-settings",
          .arguments = {"NETWORK", "FILE"},
          .summary = "signs what DHCP is to give: pool, reservations, options",
          .description =
              "Signs the settings in FILE, for any one host to load and all to have: with ovs-appctl\n"
              "ipop/settings-load, or ipopctl node SOCKET settings-load.  FILE is JSON; every field may\n"
              "be left out:\n\n"
              "  {\n"
              "    \"pool\": [\"10.128.1.0-10.128.1.255\"],\n"
              "    \"reservations\": [{\"mac\": \"52:54:00:12:34:56\", \"ip\": \"10.128.0.10\", \"name\": "
              "\"vm1\"}],\n"
              "    \"dns\": [\"10.128.0.1\", \"192.0.2.53\"],\n"
              "    \"search\": [\"grid.ipop\", \"example.org\"],\n"
              "    \"ntp\": [\"10.128.0.20\"],\n"
              "    \"mtu\": 1380,\n"
              "    \"routes\": [{\"to\": \"192.168.7.0/24\", \"via\": \"10.128.0.7\"}]\n"
              "  }\n\n"
              "dns and search take the place of the port's own, which are the first address of the\n"
              "subnet and NETWORK.ipop: name these, too, to keep them.",
          .example = "ipopctl network sign-settings grid grid.json > grid.settings",
          .add_options = add_options,
          .run = run};
}

}  // namespace ipop
