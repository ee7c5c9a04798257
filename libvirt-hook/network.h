// The libvirt networks of this host that are a bridge (https://libvirt.org/formatnetwork.html).  The XML of a
// domain names one long before libvirt writes the bridge into it, and a hook must not ask libvirt.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "overlay/base/bytes.h"

namespace ipop::hook {

/// Where libvirtd keeps the definitions of its networks, a file each.  Those of transient ones are not there.
inline constexpr char kNetworksDirectory[] = "/etc/libvirt/qemu/networks";

struct Network {
  std::string name;    ///< Any text.
  std::string bridge;  ///< A device name (names.h).
};

/// From the XML of one network; nothing if that is something else, or has no name or no usable bridge.
std::optional<Network> parse_network(ByteView xml);

/// Bridges by the name of the network.  What cannot be read is left out.
std::map<std::string, std::string> read_networks(const std::filesystem::path& directory);

}  // namespace ipop::hook
