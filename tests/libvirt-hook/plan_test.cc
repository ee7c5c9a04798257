#include "libvirt-hook/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/libvirt-hook/recorded.h"

namespace ipop::hook {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::VariantWith;

constexpr bool kBefore = true, kAfter = false;

Plan plan_for(const std::string& guest, const std::string& operation, const Host& host) {
  const std::string xml = recorded(guest + "-" + operation + ".xml");
  EXPECT_FALSE(xml.empty());
  return make_plan({guest, operation, operation == "release" ? "end" : "begin"}, as_bytes(xml), host);
}

AddGuard guard(const std::string& tap) { return {tap, std::nullopt}; }

// Removes what the hook has done for one guest from the recorded host.
void forget_port(Host& host, const std::string& tap) {
  std::erase_if(host.ovs->ports, [&](const Port& port) { return port.tap == tap; });
  std::erase_if(*host.guards, [&](const Guard& each) { return each.tap == tap; });
}

void forget_device(Host& host, const std::string& tap) { host.devices.erase(tap); }

Port& port_of(Host& host, const std::string& tap) { return const_cast<Port&>(*host.ovs->find(tap)); }

TEST(HookPlan,
     APluggedNicOfAnIpopBridgeIsGuarded) {  // And vif-a1b2c3d, on a bridge without an ipop port, is not.
  Host host = recorded_host(kAfter);
  std::erase_if(*host.guards, [](const Guard& each) { return each.tap == "vnet0"; });
  EXPECT_THAT(plan_for("plugged", "started", host).actions, ElementsAre(Action(guard("vnet0"))));
  EXPECT_THAT(plan_for("plugged", "reconnect", host).actions, ElementsAre(Action(guard("vnet0"))));
}

TEST(HookPlan, ANicOfALibvirtNetworkIsGuarded) {
  Host host = recorded_host(kAfter);
  std::erase_if(*host.guards, [](const Guard& each) { return each.tap == "vnet3"; });
  EXPECT_THAT(plan_for("networked", "started", host).actions, ElementsAre(Action(guard("vnet3"))));
}

TEST(HookPlan, NothingIsDoneToTapsOfTheKernelsDatapath) {
  Host host = recorded_host(kAfter);
  host.guards->clear();
  host.ovs->bridges["br-ipop"].netdev = false;
  EXPECT_THAT(plan_for("plugged", "started", host).actions, IsEmpty());
}

TEST(HookPlan, AGuardOnATapThatMovedToAnotherBridgeIsLifted) {
  Host host = recorded_host(kAfter);
  port_of(host, "vnet0").bridge = "br-other";
  EXPECT_THAT(plan_for("networked", "reconnect", host).actions, ElementsAre(Action(RemoveGuard{"vnet0", 1})));
}

TEST(HookPlan, PortsThatAreNoGuestsAreNotGuarded) {
  Host host = recorded_host(kAfter);
  host.guards->clear();
  host.ovs->ports = {
      {"3c300544-ea76-470d-bf30-186e3b6eabca", "br-ipop", "br-ipop", "internal", {}},
      {"3c300544-ea76-470d-bf30-186e3b6eabcb", "br-ipop", "eth0", "", {}},
      {"3c300544-ea76-470d-bf30-186e3b6eabcc", "br-ipop", "lo", "vxlan", {{"attached-mac", "x"}}}};
  EXPECT_THAT(plan_for("plugged", "reconnect", host).actions, IsEmpty());
}

TEST(HookPlan, AMarkedGuestIsAttachedAndGuarded) {
  Host host = recorded_host(kAfter);
  forget_port(host, "vnet1");
  forget_port(host, "tap-vm1");
  const Plan plan = plan_for("marked", "started", host);
  EXPECT_THAT(plan.actions,
              ElementsAre(Action(AttachPort{"br-ipop", "vnet1", "52:54:00:00:02:01", kMarked}),
                          Action(AttachPort{"br-ipop", "tap-vm1", "52:54:00:00:02:02", kMarked}),
                          Action(guard("tap-vm1")), Action(guard("vnet1"))));
  EXPECT_THAT(plan.remarks, IsEmpty());
}

TEST(HookPlan, ATapNamedForUsIsAttachedAndItsUnnamedNeighbourIsNot) {
  Host host = recorded_host(kBefore);
  forget_port(host, "ipop-web");
  host.guards = {{"vnet0", 1}, {"vnet3", 5}};
  EXPECT_THAT(plan_for("named", "started", host).actions,
              ElementsAre(Action(AttachPort{"br-ipop", "ipop-web", "52:54:00:00:03:01", kNamed}),
                          Action(guard("ipop-web"))));
}

TEST(HookPlan,
     StartingOverALeftOverReplacesIt) {  // The recorded ipop-web is from an earlier run of this guest.
  Host host = recorded_host(kBefore);
  host.guards = {{"vnet0", 1}, {"vnet3", 5}, {"ipop-web", 9}};
  EXPECT_THAT(plan_for("named", "started", host).actions,
              ElementsAre(Action(AttachPort{"br-ipop", "ipop-web", "52:54:00:00:03:01", kNamed}),
                          Action(AddGuard{"ipop-web", 9})));
}

TEST(HookPlan, ReconnectLeavesARunningGuestAlone) {
  EXPECT_THAT(plan_for("marked", "reconnect", recorded_host(kAfter)).actions, IsEmpty());
  EXPECT_THAT(plan_for("plugged", "reconnect", recorded_host(kAfter)).actions, IsEmpty());
}

TEST(HookPlan, ReconnectRepairsWhatIsMissing) {
  Host host = recorded_host(kAfter);
  forget_port(host, "tap-vm1");
  EXPECT_THAT(plan_for("marked", "reconnect", host).actions,
              ElementsAre(Action(AttachPort{"br-ipop", "tap-vm1", "52:54:00:00:02:02", kMarked}),
                          Action(guard("tap-vm1"))));
}

TEST(HookPlan, ReleaseDetachesByDomainBecauseTheTapNamesAreGone) {
  Host host = recorded_host(kAfter);
  forget_device(host, "vnet1");
  forget_device(host, "tap-vm1");
  EXPECT_THAT(plan_for("marked", "release", host).actions,
              ElementsAre(Action(DetachPort{"br-ipop", "vnet1", "c57eee71-ff81-4eff-b914-9ff2d1a1f348"}),
                          Action(DetachPort{"br-ipop", "tap-vm1", "f6856d36-1c6f-4272-98f1-f2ca5e7b9b96"}),
                          Action(RemoveGuard{"tap-vm1", 2}), Action(RemoveGuard{"vnet1", 4})));
}

TEST(HookPlan, ReleaseLeavesLibvirtsOwnPortsToLibvirt) {
  Host host = recorded_host(kAfter);
  forget_device(host, "vnet0");
  EXPECT_THAT(plan_for("plugged", "release", host).actions, ElementsAre(Action(RemoveGuard{"vnet0", 1})));
}

TEST(HookPlan, ATapThatOutlivesItsGuestIsDetachedToo) {  // managed='no': the tap is somebody else's.
  EXPECT_THAT(plan_for("marked", "release", recorded_host(kAfter)).actions,
              ElementsAre(VariantWith<DetachPort>(testing::_), VariantWith<DetachPort>(testing::_),
                          Action(RemoveGuard{"tap-vm1", 2}), Action(RemoveGuard{"vnet1", 4})));
}

TEST(HookPlan, PrepareClearsAwayWhatTheDeadLeft) {  // Before a tap gets one of the names again.
  Host host = recorded_host(kAfter);
  forget_device(host, "vnet1");
  EXPECT_THAT(plan_for("plugged", "prepare", host).actions,
              ElementsAre(Action(DetachPort{"br-ipop", "vnet1", "c57eee71-ff81-4eff-b914-9ff2d1a1f348"}),
                          Action(RemoveGuard{"vnet1", 4}),
                          Action(ExpectGuest{"ipop0", "52:54:00:00:01:01", "", "plugged"})));
}

/// It may run elsewhere until it has migrated here.
TEST(HookPlan, AGuestThatIsAboutToRunIsExpected) {
  const Host host = recorded_host(kAfter);
  const Plan plugged = plan_for("plugged", "prepare", host);
  EXPECT_THAT(plugged.actions, ElementsAre(Action(ExpectGuest{"ipop0", "52:54:00:00:01:01", "", "plugged"})));
  EXPECT_THAT(plugged.remarks, IsEmpty());
  EXPECT_THAT(plan_for("marked", "prepare", host).actions,
              ElementsAre(Action(ExpectGuest{"ipop0", "52:54:00:00:02:01", "", "marked"}),
                          Action(ExpectGuest{"ipop0", "52:54:00:00:02:02", "", "marked"})));
}

TEST(HookPlan, ThePortIsToldWhatTheDomainSaysOfItsGuest) {
  Host host = recorded_host(kAfter);
  host.guards.reset();
  const std::string xml =
      "<domain><name>db1</name><uuid>" + std::string(kNamed) +
      "</uuid><metadata><i:guest xmlns:i='urn:ipop:domain:1' mac='52:54:00:00:03:02' "
      "address='10.128.0.9' name='db'/></metadata><devices>"
      "<interface type='bridge'><mac address='52:54:00:00:03:01'/><source bridge='br-ipop'/></interface>"
      "<interface type='bridge'><mac address='52:54:00:00:03:02'/><source bridge='br-ipop'/></interface>"
      "</devices></domain>";
  EXPECT_THAT(make_plan({"db1", "prepare", "begin"}, as_bytes(xml), host).actions,
              ElementsAre(Action(ExpectGuest{"ipop0", "52:54:00:00:03:01", "", "db1"}),
                          Action(ExpectGuest{"ipop0", "52:54:00:00:03:02", "10.128.0.9", "db"})));
}

TEST(HookPlan, OfWhichNetworkAGuestIsThatIsNotToBeToldIsNotGuessed) {
  Host host = recorded_host(kAfter);
  host.guards.reset();
  host.ovs->bridges["br-other"] = {.netdev = true, .has_ipop_port = true};
  const std::string xml =
      "<domain><uuid>" + std::string(kNamed) +
      "</uuid><devices><interface type='ethernet'><mac address='52:54:00:00:03:01'/>"
      "<target dev='ipop-web'/></interface><interface type='network'><mac address='52:54:00:00:03:02'/>"
      "<source network='grid'/></interface></devices></domain>";
  const Plan plan = make_plan({"vm", "prepare", "begin"}, as_bytes(xml), host);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_THAT(plan.remarks, IsEmpty()) << "that comes when it runs";
}

/// libvirt writes the bridge into the domain's XML only when the guest runs.
TEST(HookPlan, AGuestOfALibvirtNetworkIsExpectedOnItsBridge) {
  Host host = recorded_host(kAfter);
  host.guards.reset();
  host.networks = {{"grid", "br-ipop"}, {"default", "virbr0"}, {"wire", "br-other"}};
  const auto nic = [](const std::string& mac, const std::string& network) {
    return "<interface type='network'><mac address='" + mac + "'/><source network='" + network +
           "'/></interface>";
  };
  const std::string xml = "<domain><uuid>" + std::string(kNetworked) + "</uuid><devices>" +
                          nic("52:54:00:00:04:01", "grid") + nic("52:54:00:00:04:02", "default") +
                          nic("52:54:00:00:04:03", "wire") + nic("52:54:00:00:04:04", "unknown") +
                          nic("52:54:00:00:04:05", "") + "</devices></domain>";
  EXPECT_THAT(make_plan({"vm", "prepare", "begin"}, as_bytes(xml), host).actions,
              ElementsAre(Action(ExpectGuest{"ipop0", "52:54:00:00:04:01"})));
}

TEST(HookPlan, AnEarlierLifeUnderAnotherTapNameIsDetached) {
  Host host = recorded_host(kAfter);
  port_of(host, "ipop-web").external_ids["vm-id"] = kMarked;
  EXPECT_THAT(plan_for("marked", "reconnect", host).actions,
              ElementsAre(Action(DetachPort{"br-ipop", "ipop-web", "676db4e9-bc0e-4958-8c94-1ed66ed756ba"}),
                          Action(RemoveGuard{"ipop-web", 3})));
}

TEST(HookPlan, AReusedTapNameDoesNotWireAGuestIntoAnothersNetwork) {
  Host host = recorded_host(kAfter);
  host.ovs->ports.push_back(
      {"3c300544-ea76-470d-bf30-186e3b6eabcd",
       "br-ipop",
       "vnet2",
       "",
       {{"ipop-hook", "1"}, {"vm-id", kMarked}, {"attached-mac", "52:54:00:00:02:09"}}});
  const Plan plan = plan_for("named", "reconnect", host);
  EXPECT_THAT(plan.actions,
              ElementsAre(Action(DetachPort{"br-ipop", "vnet2", "3c300544-ea76-470d-bf30-186e3b6eabcd"})));
}

TEST(HookPlan, ATapThatSomebodyElsePluggedStaysWhereItIs) {
  Host host = recorded_host(kAfter);
  forget_port(host, "vnet1");
  host.ovs->ports.push_back({"3c300544-ea76-470d-bf30-186e3b6eabcd", "br-other", "vnet1", "", {}});
  const Plan plan = plan_for("marked", "reconnect", host);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_THAT(plan.remarks, ElementsAre(HasSubstr("somebody has put it on the bridge br-other")));
}

TEST(HookPlan, WithoutAMarkTwoIpopBridgesAreOneTooMany) {
  Host host = recorded_host(kAfter);
  forget_port(host, "ipop-web");
  host.ovs->bridges["br-other"].has_ipop_port = true;
  host.guards->push_back({"vif-a1b2c3d", 8});
  const Plan plan = plan_for("named", "reconnect", host);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_THAT(plan.remarks, ElementsAre(HasSubstr("name one with bridge= in the domain's metadata")));
}

TEST(HookPlan, AMarkForAMissingBridgeIsSaidAndSkipped) {
  Host host = recorded_host(kAfter);
  host.ovs->bridges.erase("br-ipop");
  host.ovs->ports.clear();
  host.guards->clear();
  const Plan plan = plan_for("marked", "started", host);
  EXPECT_THAT(plan.actions, IsEmpty());
  EXPECT_THAT(plan.remarks, ElementsAre(HasSubstr("no bridge br-ipop"), HasSubstr("no bridge br-ipop")));
}

TEST(HookPlan, AMarkForOneNicBeatsTheMarkForAll) {
  Host host = recorded_host(kBefore);
  host.ovs->ports.clear();
  const std::string mark = R"(<ipop:attach xmlns:ipop="urn:ipop:domain:1" bridge="br-ipop"/>)";
  std::string xml = recorded("marked-started.xml");
  xml.replace(xml.find(mark), mark.size(),
              R"(<ipop:domain xmlns:ipop="urn:ipop:domain:1"><ipop:attach bridge="br-ipop"/>
                 <ipop:attach mac="52:54:00:00:02:02" bridge="br-other"/></ipop:domain>)");
  const Plan plan = make_plan({"marked", "started", "begin"}, as_bytes(xml), host);
  EXPECT_THAT(plan.actions,
              ElementsAre(Action(AttachPort{"br-ipop", "vnet1", "52:54:00:00:02:01", kMarked}),
                          Action(AttachPort{"br-other", "tap-vm1", "52:54:00:00:02:02", kMarked}),
                          Action(guard("vnet1"))));
  EXPECT_THAT(plan.remarks, ElementsAre(HasSubstr("br-other")));
}

TEST(HookPlan, WithoutTheSwitchOnlyDeadGuardsGo) {
  Host host = recorded_host(kAfter);
  host.ovs.reset();
  forget_device(host, "vnet3");
  for (const char* operation : {"prepare", "started", "reconnect", "release"}) {
    EXPECT_THAT(plan_for("plugged", operation, host).actions, ElementsAre(Action(RemoveGuard{"vnet3", 5})));
  }
}

TEST(HookPlan, WithoutNftablesPortsAreStillAttached) {
  Host host = recorded_host(kBefore);
  host.guards.reset();
  EXPECT_THAT(plan_for("named", "started", host).actions,
              ElementsAre(Action(AttachPort{"br-ipop", "ipop-web", "52:54:00:00:03:01", kNamed})));
}

TEST(HookPlan, MalformedXmlIsSaidAndTheHostIsStillPutRight) {
  Host host = recorded_host(kAfter);
  forget_device(host, "vnet3");
  const Plan plan = make_plan({"vm", "release", "end"}, as_bytes("<domain"), host);
  EXPECT_THAT(plan.actions, ElementsAre(Action(RemoveGuard{"vnet3", 5})));
  EXPECT_THAT(plan.remarks, ElementsAre(HasSubstr("malformed")));
}

TEST(HookPlan, OtherEventsAreNoneOfOurBusiness) {
  const std::string xml = recorded("marked-started.xml");
  for (const char* operation :
       {"start", "stopped", "migrate", "restore", "attach", "", "STARTED", "made-up"}) {
    EXPECT_FALSE(is_of_interest({"vm", operation, "begin"})) << operation;
    EXPECT_THAT(make_plan({"vm", operation, "begin"}, as_bytes(xml), recorded_host(kBefore)).actions,
                IsEmpty());
  }
}

TEST(HookPlan, TheSameEventTwiceEndsInTheSamePlace) {
  Host host = recorded_host(kAfter);
  forget_device(host, "vnet1");
  forget_device(host, "tap-vm1");
  for (const Action& action : plan_for("marked", "release", host).actions) {
    if (const auto* detach = std::get_if<DetachPort>(&action)) forget_port(host, detach->tap);
  }
  EXPECT_THAT(plan_for("marked", "release", host).actions, IsEmpty());
}

}  // namespace
}  // namespace ipop::hook
