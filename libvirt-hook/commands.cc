#include "libvirt-hook/commands.h"

namespace ipop::hook {
namespace {

// --no-wait: the database is what counts.  A switch that is down catches up when it starts.
Command vsctl(std::initializer_list<std::string> arguments) {
  Command command{"ovs-vsctl", "--timeout=2", "--no-wait", "--"};
  command.insert(command.end(), arguments);
  return command;
}

// The database would read 52:54:.. as more than one atom without the quotes.
std::string external_id(const std::string& key, const std::string& value) {
  return "external_ids:" + key + "=\"" + value + "\"";
}

const std::string kTable = "netdev " + std::string(kGuardTable);

std::string guard_chain(const std::string& tap) {
  return kTable + " " + std::string(kGuardPrefix) + tap + " { type filter hook ingress device \"" + tap +
         "\" priority 0 ; policy drop ; }";
}

Command make(const AttachPort& attach) {
  const std::string& tap = attach.tap;
  return vsctl({"--if-exists", "del-port", tap, "--", "add-port", attach.bridge, tap, "--", "set",
                "Interface", tap, external_id("attached-mac", attach.mac), external_id("vm-id", attach.vm_id),
                external_id("iface-id", attach.vm_id + "/" + attach.mac),
                external_id("iface-status", "active"), external_id("ipop-hook", "1")});
}

Command make(const DetachPort& detach) {
  return vsctl({"--if-exists", "remove", "Bridge", detach.bridge, "ports", detach.uuid});
}

Command make(const AddGuard& guard) {
  std::string script = "add table " + kTable + " ; ";
  if (guard.replaced) {  // One transaction: the tap is never without a guard in between.
    script += "delete chain " + kTable + " handle " + std::to_string(*guard.replaced) + " ; ";
  }
  return {"nft", script + "add chain " + guard_chain(guard.tap)};
}

Command make(const RemoveGuard& guard) {
  return {"nft", "delete chain " + kTable + " handle " + std::to_string(guard.handle)};
}

Command make(const ExpectGuest& expect) {
  Command command = {"ovs-appctl", "--timeout=1", "ipop/expect", expect.port, expect.mac};
  for (const std::string& word : {expect.address, expect.name}) {
    if (!word.empty()) command.push_back(word);
  }
  return command;
}

}  // namespace

Command list_guards() { return {"nft", "--json", "list", "chains", "netdev"}; }

Command list_switch() {
  return {"ovs-vsctl", "--timeout=2",
          "--no-wait", "--format=json",
          "--",        "--columns=name,datapath_type,ports",
          "list",      "Bridge",
          "--",        "--columns=_uuid,interfaces",
          "list",      "Port",
          "--",        "--columns=_uuid,name,type,external_ids",
          "list",      "Interface"};
}

Command command_for(const Action& action) {
  return std::visit([](const auto& each) { return make(each); }, action);
}

}  // namespace ipop::hook
