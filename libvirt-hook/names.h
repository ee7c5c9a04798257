// The few kinds of word that the hook passes on to ovs-vsctl and nft.  Domain XML and OVSDB may hold
// anything; a word that is not of its kind never becomes an argument.  So no quoting is needed anywhere.
#pragma once

#include <string>
#include <string_view>

namespace ipop::hook {

/// A network device or bridge: 1 to 15 of [A-Za-z0-9_.-], the first one a letter, a digit or '_'.
/// The kernel allows more (IFNAMSIZ is the only limit it shares); ovs-vsctl and nft would need quoting for
/// it.
bool is_device_name(std::string_view text);

/// Lower-case "8-4-4-4-12" hexadecimal digits, as libvirt and OVSDB write a UUID.
bool is_uuid(std::string_view text);

/// An Ethernet address as six pairs of hexadecimal digits, in lower case; empty if `text` is not one.
std::string normal_mac(std::string_view text);

/// Four decimal numbers up to 255 with dots between them, without leading zeros.
bool is_ipv4(std::string_view text);

/// What a guest may be called in DNS: 1 to 63 letters, digits and '-', which is neither the first nor the
/// last.
bool is_host_name(std::string_view text);

/// `text` for a log line: at most 200 octets, everything but printable ASCII as '?'.
std::string printable(std::string_view text);

}  // namespace ipop::hook
