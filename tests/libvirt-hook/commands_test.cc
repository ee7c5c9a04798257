#include "libvirt-hook/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::hook {
namespace {

using testing::ElementsAre;

TEST(HookCommands, AttachReplacesThePortInOneTransaction) {
  EXPECT_THAT(command_for(AttachPort{"br-ipop", "vnet1", "52:54:00:00:02:01",
                                     "6429b759-9cd2-4e23-b8ee-54266cc2e560"}),
              ElementsAre("ovs-vsctl", "--timeout=2", "--no-wait", "--", "--if-exists", "del-port", "vnet1",
                          "--", "add-port", "br-ipop", "vnet1", "--", "set", "Interface", "vnet1",
                          R"(external_ids:attached-mac="52:54:00:00:02:01")",
                          R"(external_ids:vm-id="6429b759-9cd2-4e23-b8ee-54266cc2e560")",
                          R"(external_ids:iface-id="6429b759-9cd2-4e23-b8ee-54266cc2e560/52:54:00:00:02:01")",
                          R"(external_ids:iface-status="active")", R"(external_ids:ipop-hook="1")"));
}

TEST(HookCommands, DetachNamesTheRow) {
  EXPECT_THAT(command_for(DetachPort{"br-ipop", "vnet1", "c57eee71-ff81-4eff-b914-9ff2d1a1f348"}),
              ElementsAre("ovs-vsctl", "--timeout=2", "--no-wait", "--", "--if-exists", "remove", "Bridge",
                          "br-ipop", "ports", "c57eee71-ff81-4eff-b914-9ff2d1a1f348"));
}

TEST(HookCommands, GuardsDropAtTheTapsIngress) {
  EXPECT_THAT(
      command_for(AddGuard{"vnet1", std::nullopt}),
      ElementsAre("nft",
                  "add table netdev ipop_guests ; add chain netdev ipop_guests guard-vnet1 { type filter "
                  "hook ingress device \"vnet1\" priority 0 ; policy drop ; }"));
  EXPECT_THAT(
      command_for(AddGuard{"vnet1", 7}),
      ElementsAre("nft",
                  "add table netdev ipop_guests ; delete chain netdev ipop_guests handle 7 ; add chain "
                  "netdev ipop_guests guard-vnet1 { type filter hook ingress device \"vnet1\" priority "
                  "0 ; policy drop ; }"));
  EXPECT_THAT(command_for(RemoveGuard{"vnet1", 7}),
              ElementsAre("nft", "delete chain netdev ipop_guests handle 7"));
}

TEST(HookCommands, AGuestIsExpectedByThePort) {
  EXPECT_THAT(command_for(ExpectGuest{"ipop0", "52:54:00:00:02:01"}),
              ElementsAre("ovs-appctl", "--timeout=1", "ipop/expect", "ipop0", "52:54:00:00:02:01"));
  EXPECT_THAT(command_for(ExpectGuest{"ipop0", "52:54:00:00:02:01", "10.128.0.9", "web"}),
              ElementsAre("ovs-appctl", "--timeout=1", "ipop/expect", "ipop0", "52:54:00:00:02:01",
                          "10.128.0.9", "web"));
}

}  // namespace
}  // namespace ipop::hook
