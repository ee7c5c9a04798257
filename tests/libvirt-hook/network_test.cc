#include "libvirt-hook/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "libvirt-hook/xml.h"

namespace ipop::hook {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// As `virsh net-define` of libvirt 9.0.0 leaves it behind.
constexpr char kDefinition[] = R"(<!--
WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE
OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:
  virsh net-edit ovs-net
or other application using the libvirt API.
-->

<network>
  <name>ovs-net</name>
  <uuid>eac81fa3-31c3-4914-bde9-c4efd0bb6943</uuid>
  <forward mode='bridge'/>
  <bridge name='br-ipop'/>
  <virtualport type='openvswitch'/>
  <portgroup name='blue' default='yes'>
  </portgroup>
</network>
)";

TEST(HookNetwork, ABridgeHasAName) {
  const auto network = parse_network(as_bytes(std::string(kDefinition)));
  ASSERT_TRUE(network);
  EXPECT_EQ(network->name, "ovs-net");
  EXPECT_EQ(network->bridge, "br-ipop");
}

TEST(HookNetwork, WhatIsNoneIsNone) {
  const auto is_none = [](const std::string& xml) { return !parse_network(as_bytes(xml)); };
  EXPECT_TRUE(is_none(""));
  EXPECT_TRUE(is_none("<network>"));
  EXPECT_TRUE(is_none("<domain><name>n</name><bridge name='br0'/></domain>"));
  EXPECT_TRUE(is_none("<network><bridge name='br0'/></network>"));
  EXPECT_TRUE(is_none("<network><name>passthrough</name><forward mode='hostdev'/></network>"));
  EXPECT_TRUE(is_none("<network><name>n</name><bridge name='br 0; reboot'/></network>"));
  EXPECT_TRUE(
      is_none("<!DOCTYPE network [<!ENTITY e 'br0'>]>"
              "<network><name>n</name><bridge name='&e;'/></network>"));
  EXPECT_FALSE(is_none("<network><name>n</name><bridge name='br0'/></network>"));
}

TEST(HookNetwork, TheFilesOfADirectory) {
  std::string name = testing::TempDir() + "networks-XXXXXX";
  const std::filesystem::path directory = mkdtemp(name.data());
  const auto write = [&](const std::string& file, const std::string& text) {
    std::ofstream(directory / file) << text;
  };
  write("ovs-net.xml", kDefinition);
  write("default.xml", "<network><name>default</name><bridge name='virbr0'/></network>");
  write("broken.xml", "<network><name>");
  write("large.xml",
        "<network><name>large</name><bridge name='br0'/></network>" + std::string(kLargestXml, ' '));
  write("saved.xml.bak", "<network><name>saved</name><bridge name='br0'/></network>");
  std::filesystem::create_directory(directory / "autostart.xml");

  EXPECT_THAT(read_networks(directory), ElementsAre(Pair("default", "virbr0"), Pair("ovs-net", "br-ipop")));
  EXPECT_THAT(read_networks(directory / "nothing"), IsEmpty());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace ipop::hook
