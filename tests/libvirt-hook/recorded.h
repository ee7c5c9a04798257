// What libvirt 9.0.0, Open vSwitch 3.1.0 and nftables 1.0.6 really said, recorded from one run of four
// guests:
//
//   plugged    two type='bridge' NICs with the openvswitch virtualport: vnet0 on br-ipop, vif-a1b2c3d on
//   br-other marked     two type='ethernet' NICs, vnet1 and tap-vm1, and our mark for br-ipop in the metadata
//   named      two type='ethernet' NICs without a mark: ipop-web and vnet2
//   networked  a type='network' NIC whose network is br-ipop with a portgroup: vnet3
//
// GUEST-OPERATION.xml is the hook's stdin at that event.  switch-before.json is OVSDB when all four run and
// the hook has done nothing yet (its ipop-web is a left-over of an earlier run of `named`);
// switch-attached.json and guards.json are from after the hook has run for each.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "libvirt-hook/host.h"

namespace ipop::hook {

inline constexpr char kPlugged[] = "fa64cffa-1233-4728-bb90-0f45058a296f";
inline constexpr char kMarked[] = "6429b759-9cd2-4e23-b8ee-54266cc2e560";
inline constexpr char kNamed[] = "375f4652-e569-4df5-b3ee-50900714b27c";
inline constexpr char kNetworked[] = "f96e0b03-e26d-4cb2-a038-aa7e38fc6d3f";

inline std::string recorded(const std::string& name) {
  std::ifstream file(std::string(IPOP_SOURCE_DIR) + "/tests/libvirt-hook/data/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The host while all four guests run; `before` or after the hook has done its work.
inline Host recorded_host(bool before) {
  Host host;
  host.ovs = *parse_switch(recorded(before ? "switch-before.json" : "switch-attached.json"));
  host.guards = before ? std::vector<Guard>() : *parse_guards(recorded("guards.json"));
  host.devices = {"lo",    "eth0",    "br-ipop",  "br-other", "vnet0", "vif-a1b2c3d",
                  "vnet1", "tap-vm1", "ipop-web", "vnet2",    "vnet3"};
  return host;
}

}  // namespace ipop::hook
