#include "libvirt-hook/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "libvirt-hook/domain.h"

namespace ipop::hook {
namespace {

enum class Operation {
  Prepare,  ///< Nothing exists yet: the moment to clear away what earlier guests left behind.
  Running,  ///< `started`, or `reconnect` after libvirtd came back: the taps exist and have their names.
  Gone,     ///< `release`: the taps are gone, and with them their names in the XML.
  Other,    ///< `start`, `stopped`, `migrate`, `restore` and what later versions of libvirt may say.
};

Operation operation_of(const Event& event) {
  if (event.operation == "prepare") return Operation::Prepare;
  if (event.operation == "started" || event.operation == "reconnect") return Operation::Running;
  if (event.operation == "release") return Operation::Gone;
  return Operation::Other;
}

// Builds a plan for one event on a host with a readable OVSDB.
class Planner {
 public:
  Planner(const Event& event, const Host& host, Plan& plan)
      : host_(host), ovs_(*host.ovs), plan_(plan), fresh_(event.operation == "started") {
    for (const Port& port : ovs_.ports) bridge_of_[port.tap] = port.bridge;
  }

  void attach(const Domain& domain) {
    for (const Nic& nic : domain.nics) {
      if (!nic.tap.empty()) own_taps_.insert(nic.tap);
    }
    for (const Nic& nic : domain.nics) {
      const std::optional<std::string> bridge = nic.ethernet ? bridge_for(domain, nic) : std::nullopt;
      if (bridge && !bridge->empty()) {
        attach(domain, nic, *bridge);
        continue;
      }
      if (bridge) {
        remark("did not attach " + describe(nic) +
               ": this host does not have exactly one IPOP bridge; name one with bridge= in the domain's "
               "metadata");
      }
      drop_foreign(domain, nic);
    }
    for (const Port& port : ovs_.ports) {  // From an earlier life of this domain, under another tap name.
      if (port.ours() && port.id("vm-id") == domain.uuid && !own_taps_.contains(port.tap)) detach(port);
    }
  }

  void detach_all(const Domain& domain) {
    for (const Port& port : ovs_.ports) {
      if (port.ours() && port.id("vm-id") == domain.uuid) detach(port);
    }
  }

  // A port of ours whose tap is gone has missed its `release`: libvirtd or the host was killed.
  void detach_stale() {
    for (const Port& port : ovs_.ports) {
      if (port.ours() && !host_.devices.contains(port.tap)) detach(port);
    }
  }

  void expect(const Domain& domain) {
    for (const Nic& nic : domain.nics) {
      const std::string bridge = nic.ethernet ? bridge_for(domain, nic).value_or("") : plugged_into(nic);
      if (nic.mac.empty() || bridge.empty()) continue;
      for (const Port& port : ovs_.ports) {
        if (port.bridge == bridge && port.type == kIpopType) {
          const Guest guest = guest_of(domain, nic);
          plan_.actions.push_back(ExpectGuest{port.tap, nic.mac, guest.address, guest.name});
        }
      }
    }
  }

  void set_guards() {
    if (!host_.guards) return;
    std::set<std::string> wanted;
    for (const Port& port : ovs_.ports) {
      const bool guest = !port.id("attached-mac").empty() && (port.type.empty() || port.type == "system");
      if (guest && is_guardable(port.tap)) wanted.insert(port.tap);
    }
    for (const std::string& tap : attached_) {
      if (is_guardable(tap)) wanted.insert(tap);
    }
    for (const Guard& guard : *host_.guards) {
      if (!wanted.contains(guard.tap)) plan_.actions.push_back(RemoveGuard{guard.tap, guard.handle});
    }
    for (const std::string& tap : wanted) {
      if (own_taps_.contains(tap)) add_guard(tap);
    }
    for (const std::string& tap : wanted) {
      if (!own_taps_.contains(tap)) add_guard(tap);
    }
  }

 private:
  // Where an <interface type='ethernet'> goes, if it is for us; empty if that is not to be told.
  std::optional<std::string> bridge_for(const Domain& domain, const Nic& nic) const {
    const Mark* mark = nullptr;
    for (const Mark& each : domain.marks) {  // A mark with this NIC's address beats one for all.
      if (each.mac == nic.mac && !each.mac.empty()) {
        mark = &each;
        break;
      }
      if (each.mac.empty() && !mark) mark = &each;
    }
    if (!mark && !nic.tap.starts_with(kTapPrefix)) return std::nullopt;
    if (mark && !mark->bridge.empty()) return mark->bridge;
    return ovs_.only_ipop_bridge();
  }

  // What the domain says of the guest at this NIC.
  static Guest guest_of(const Domain& domain, const Nic& nic) {
    Guest out;
    for (const Guest& each : domain.guests) {
      if (each.mac.empty() || each.mac == nic.mac) out = each;
    }
    if (out.name.empty()) out.name = domain.name;
    return out;
  }

  // Where libvirt plugs or will plug it in; empty if that is not to be told.
  std::string plugged_into(const Nic& nic) const {
    if (!nic.bridge.empty()) return nic.bridge;
    const auto network = host_.networks.find(nic.network);
    return network == host_.networks.end() ? std::string() : network->second;
  }

  void attach(const Domain& domain, const Nic& nic, const std::string& bridge) {
    const Port* port = ovs_.find(nic.tap);
    if (nic.tap.empty() || nic.mac.empty() || !host_.devices.contains(nic.tap)) {
      remark("did not attach " + describe(nic) + ": it has no usable tap");
    } else if (!ovs_.bridges.contains(bridge)) {
      remark("did not attach " + describe(nic) + ": there is no bridge " + bridge);
    } else if (port && port->bridge != bridge && !port->ours() && port->id("vm-id").empty()) {
      remark("did not attach " + describe(nic) + ": somebody has put it on the bridge " + port->bridge);
    } else if (!fresh_ && port && port->bridge == bridge && port->ours() &&
               port->id("vm-id") == domain.uuid && port->id("attached-mac") == nic.mac) {
      // Attached before libvirtd was restarted; a running guest is not disturbed.
    } else {
      if (!ovs_.is_ipop(bridge))
        remark("the bridge " + bridge + " of " + describe(nic) + " has no IPOP port");
      plan_.actions.push_back(AttachPort{bridge, nic.tap, nic.mac, domain.uuid});
      bridge_of_[nic.tap] = bridge;
      attached_.insert(nic.tap);
    }
  }

  // A tap that we do not attach may have got the name of one that we once attached for another guest; left
  // alone, this guest would be wired into the other one's network.
  void drop_foreign(const Domain& domain, const Nic& nic) {
    const Port* port = nic.tap.empty() ? nullptr : ovs_.find(nic.tap);
    if (port && port->ours() && port->id("vm-id") != domain.uuid) detach(*port);
  }

  void detach(const Port& port) {
    if (attached_.contains(port.tap) || !detached_.insert(port.uuid).second) return;
    plan_.actions.push_back(DetachPort{port.bridge, port.tap, port.uuid});
    bridge_of_.erase(port.tap);
  }

  bool is_guardable(const std::string& tap) const {
    const auto bridge = bridge_of_.find(tap);
    return bridge != bridge_of_.end() && ovs_.is_ipop(bridge->second) && host_.devices.contains(tap);
  }

  void add_guard(const std::string& tap) {
    const auto old = std::ranges::find(*host_.guards, tap, &Guard::tap);
    if (old == host_.guards->end()) {
      plan_.actions.push_back(AddGuard{tap, std::nullopt});
    } else if (fresh_ && own_taps_.contains(tap)) {
      // A left-over that another hook may be removing right now: ours needs a handle of its own.
      plan_.actions.push_back(AddGuard{tap, old->handle});
    }
  }

  static std::string describe(const Nic& nic) {
    return "the NIC " + (nic.mac.empty() ? std::string("without an address") : nic.mac) +
           (nic.tap.empty() ? std::string() : " (" + nic.tap + ")");
  }
  void remark(std::string text) { plan_.remarks.push_back(std::move(text)); }

  const Host& host_;
  const Switch& ovs_;
  Plan& plan_;
  const bool fresh_;                              ///< The guest has just been started.
  std::map<std::string, std::string> bridge_of_;  ///< By tap, as it will be after the plan.
  std::set<std::string> own_taps_, attached_, detached_;
};

}  // namespace

bool is_of_interest(const Event& event) { return operation_of(event) != Operation::Other; }

Plan make_plan(const Event& event, ByteView xml, const Host& host) {
  Plan plan;
  const Operation operation = operation_of(event);
  if (operation == Operation::Other) return plan;

  if (!host.ovs) {  // All that is certain then: a guard without a device guards nobody.
    if (!host.guards) return plan;
    for (const Guard& guard : *host.guards) {
      if (!host.devices.contains(guard.tap)) plan.actions.push_back(RemoveGuard{guard.tap, guard.handle});
    }
    return plan;
  }

  Planner planner(event, host, plan);
  const auto domain = parse_domain(xml);
  if (!domain) {
    plan.remarks.push_back(domain.error().text);
  } else {
    if (operation != Operation::Prepare) plan.remarks = domain->remarks;  // It comes again.
    if (operation == Operation::Running) planner.attach(*domain);
    if (operation == Operation::Gone) planner.detach_all(*domain);
  }
  planner.detach_stale();
  planner.set_guards();
  if (domain && operation == Operation::Prepare) planner.expect(*domain);
  return plan;
}

}  // namespace ipop::hook
