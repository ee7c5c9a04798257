// Domain XML to plan to command lines: whatever the bytes are, nothing crashes, and no word of them becomes
// an argument unless it is of its kind.
//
// The first octet picks the operation and how much of the host is known; the rest is the XML, of the domain
// and of a network.
#include <cstdlib>

#include "libvirt-hook/commands.h"
#include "libvirt-hook/names.h"
#include "libvirt-hook/network.h"
#include "libvirt-hook/plan.h"

namespace {

using namespace ipop;
using namespace ipop::hook;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const AttachPort& attach) {
  require(is_device_name(attach.bridge) && is_device_name(attach.tap) && is_uuid(attach.vm_id));
  require(normal_mac(attach.mac) == attach.mac && !attach.mac.empty());
}
void check(const DetachPort& detach) { require(is_device_name(detach.bridge) && is_uuid(detach.uuid)); }
void check(const AddGuard& guard) { require(is_device_name(guard.tap)); }
void check(const RemoveGuard& guard) { require(guard.handle > 0); }
void check(const ExpectGuest& expect) {
  require(is_device_name(expect.port) && normal_mac(expect.mac) == expect.mac && !expect.mac.empty());
  require(expect.address.empty() || is_ipv4(expect.address));
  require(expect.name.empty() || is_host_name(expect.name));
}

const Host& host() {
  static const Host made = [] {
    Host out;
    out.guards = {{"vnet0", 1}, {"gone", 2}};
    out.devices = {"vnet0", "vnet1", "tap-vm1", "ipop-web"};
    out.networks = {{"ovs-net", "br-ipop"}};
    out.ovs.emplace();
    out.ovs->bridges = {{"br-ipop", {.netdev = true, .has_ipop_port = true}}, {"br-other", {.netdev = true}}};
    out.ovs->ports = {{"3c300544-ea76-470d-bf30-186e3b6eabca",
                       "br-ipop",
                       "vnet0",
                       "",
                       {{"ipop-hook", "1"},
                        {"attached-mac", "52:54:00:00:02:01"},
                        {"vm-id", "6429b759-9cd2-4e23-b8ee-54266cc2e560"}}},
                      {"3c300544-ea76-470d-bf30-186e3b6eabcb", "br-ipop", "ipop0", "ipop", {}}};
    return out;
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const char* const kOperations[] = {"prepare", "started", "reconnect", "release"};
  const Event event{"vm", kOperations[data[0] % 4], "begin"};
  const ByteView xml(data + 1, size - 1);

  Host partial = host();
  if (data[0] & 4) partial.ovs.reset();
  if (data[0] & 8) partial.guards.reset();
  if (const auto network = parse_network(xml)) {
    require(!network->name.empty() && is_device_name(network->bridge));
  }
  const Plan plan = make_plan(event, xml, partial);
  for (const Action& action : plan.actions) {
    std::visit([](const auto& each) { check(each); }, action);
    require(!command_for(action).empty());
  }
  return 0;
}
