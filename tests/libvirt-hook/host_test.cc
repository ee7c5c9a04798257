#include "libvirt-hook/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/libvirt-hook/recorded.h"

namespace ipop::hook {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;

TEST(HookHost, ReadsWhatOvsVsctlPrints) {
  const Switch ovs = *parse_switch(recorded("switch-attached.json"));
  EXPECT_TRUE(ovs.is_ipop("br-ipop"));
  EXPECT_FALSE(ovs.is_ipop("br-other")) << "netdev, but it has no ipop port";
  EXPECT_FALSE(ovs.is_ipop("br-none"));
  EXPECT_EQ(ovs.only_ipop_bridge(), "br-ipop");
  EXPECT_EQ(ovs.ports.size(), 9u);

  const Port* plugged = ovs.find("vnet0");
  ASSERT_TRUE(plugged);
  EXPECT_EQ(plugged->bridge, "br-ipop");
  EXPECT_EQ(plugged->id("attached-mac"), "52:54:00:00:01:01");
  EXPECT_EQ(plugged->id("vm-id"), kPlugged);
  EXPECT_FALSE(plugged->ours());
  EXPECT_EQ(plugged->id("no-such-key"), "");

  const Port* attached = ovs.find("tap-vm1");
  ASSERT_TRUE(attached);
  EXPECT_TRUE(attached->ours());
  EXPECT_EQ(attached->id("vm-id"), kMarked);
  EXPECT_EQ(ovs.find("vif-a1b2c3d")->bridge, "br-other");
  EXPECT_EQ(ovs.find("vnet2"), nullptr);
}

TEST(HookHost, ABridgeOfTheKernelIsNotAnIpopBridge) {
  std::string json = recorded("switch-attached.json");
  const std::string from = R"(["br-ipop","netdev")";
  json.replace(json.find(from), from.size(), R"(["br-ipop","system")");
  EXPECT_FALSE(parse_switch(json)->is_ipop("br-ipop"));
}

TEST(HookHost, AnEmptySwitchIsNotAnError) {
  const auto ovs = parse_switch(R"({"data":[],"headings":["name","datapath_type","ports"]}
{"data":[],"headings":["_uuid","interfaces"]}
{"data":[],"headings":["_uuid","name","type","external_ids"]}
)");
  ASSERT_TRUE(ovs);
  EXPECT_THAT(ovs->ports, IsEmpty());
  EXPECT_EQ(ovs->only_ipop_bridge(), "");
}

TEST(HookHost, ASinglePortIsNotWrittenAsASet) {  // RFC 7047, section 5.1: a set of one may be a bare atom.
  const auto ovs = parse_switch(R"({"data":[["br0","netdev",["uuid","18f3fc04-111b-45b0-9f22-3bb8d1f4c2d7"]]]}
{"data":[[["uuid","18f3fc04-111b-45b0-9f22-3bb8d1f4c2d7"],["uuid","acf92320-2aeb-425c-9e39-4c4a3b2d991b"]]]}
{"data":[[["uuid","acf92320-2aeb-425c-9e39-4c4a3b2d991b"],"ipop0","ipop",["map",[]]]]}
)");
  ASSERT_TRUE(ovs);
  EXPECT_TRUE(ovs->is_ipop("br0"));
}

TEST(HookHost, TruncatedListingsAreRefusedNotHalfRead) {
  const std::string json = recorded("switch-attached.json");
  for (size_t n = 0; n + 1 < json.size(); ++n) ASSERT_FALSE(parse_switch(json.substr(0, n))) << n;
  const std::string guards = recorded("guards.json");
  for (size_t n = 0; n + 1 < guards.size(); ++n) ASSERT_FALSE(parse_guards(guards.substr(0, n))) << n;
}

TEST(HookHost, ListingsOfAForeignShapeAreSurvived) {
  for (const char* line : {"{}", "[]", "null", "{\"data\":7}", "[[[[[[[["}) {
    EXPECT_FALSE(parse_switch(std::string(line) + "\n" + line + "\n" + line)) << line;
    EXPECT_FALSE(parse_guards(line)) << line;
  }
  const std::string odd = R"({"data":[7,[],[[]],["br0"],[{},[],"x"],["br1","netdev",["set",[7,["uuid"]]]]]})";
  const auto ovs = parse_switch(odd + "\n" + odd + "\n" + odd);
  ASSERT_TRUE(ovs);
  EXPECT_THAT(ovs->ports, IsEmpty());
}

TEST(HookHost, OddNamesInTheDatabaseAreLeftOut) {
  const auto ovs = parse_switch(
      R"({"data":[["br0","netdev",["uuid","18f3fc04-111b-45b0-9f22-3bb8d1f4c2d7"]],["b r","netdev",["set",[]]]]}
{"data":[[["uuid","18f3fc04-111b-45b0-9f22-3bb8d1f4c2d7"],["uuid","acf92320-2aeb-425c-9e39-4c4a3b2d991b"]]]}
{"data":[[["uuid","acf92320-2aeb-425c-9e39-4c4a3b2d991b"],"x\" ; flush ruleset","",["map",[["attached-mac","52:54:00:00:01:01"]]]]]}
)");
  ASSERT_TRUE(ovs);
  EXPECT_THAT(ovs->ports, IsEmpty());
  EXPECT_EQ(ovs->bridges.size(), 1u);
}

TEST(HookHost, ReadsWhatNftPrints) {
  EXPECT_THAT(*parse_guards(recorded("guards.json")),
              ElementsAre(FieldsAre("vnet0", 1), FieldsAre("tap-vm1", 2), FieldsAre("ipop-web", 3),
                          FieldsAre("vnet1", 4), FieldsAre("vnet3", 5)));
}

TEST(HookHost, ChainsOfOthersAreNotGuards) {
  EXPECT_THAT(*parse_guards(R"({"nftables": [
      {"chain": {"family": "netdev", "table": "site", "name": "guard-vnet0", "handle": 1}},
      {"chain": {"family": "netdev", "table": "ipop_guests", "name": "mine", "handle": 2}},
      {"chain": {"family": "netdev", "table": "ipop_guests", "name": "guard-vnet0", "handle": -3}},
      {"chain": {"family": "netdev", "table": "ipop_guests", "name": "guard-", "handle": 4}}]})"),
              IsEmpty());
}

}  // namespace
}  // namespace ipop::hook
