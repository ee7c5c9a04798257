#include "libvirt-hook/names.h"

#include <gtest/gtest.h>

namespace ipop::hook {
namespace {

TEST(HookNames, DeviceNamesNeedNoQuotingAnywhere) {
  for (const char* good : {"vnet0", "tap-vm1", "vif-a1b2c3d", "br_ipop.10", "0", "_", "abcdefghijklmno"}) {
    EXPECT_TRUE(is_device_name(good)) << good;
  }
  for (const char* bad : {"", ".", "..", "-f", "--db=x", ".hidden", "a b", "a;b", "a\"b", "a'b", "a/b",
                          "a\nb", "a{b", "a,b", "a=b", "$(a)", "a:b", "tap\xc3\xa9", "abcdefghijklmnop"}) {
    EXPECT_FALSE(is_device_name(bad)) << bad;
  }
  EXPECT_FALSE(is_device_name(std::string_view("a\0b", 3)));
}

TEST(HookNames, UuidsAreLowerCaseAndWhole) {
  const std::string uuid = "6429b759-9cd2-4e23-b8ee-54266cc2e560";
  EXPECT_TRUE(is_uuid(uuid));
  for (size_t i = 0; i < uuid.size(); ++i) {
    EXPECT_FALSE(is_uuid(uuid.substr(0, i)));
    std::string odd = uuid;
    odd[i] = 'G';
    EXPECT_FALSE(is_uuid(odd));
  }
  EXPECT_FALSE(is_uuid(uuid + "0"));
  EXPECT_FALSE(is_uuid("6429B759-9CD2-4E23-B8EE-54266CC2E560"));
}

TEST(HookNames, AddressesAreBroughtToOneForm) {
  EXPECT_EQ(normal_mac("52:54:00:AB:cD:ef"), "52:54:00:ab:cd:ef");
  for (const char* bad :
       {"", "52:54:00:ab:cd", "52:54:00:ab:cd:ef:", "52-54-00-ab-cd-ef", "52:54:00:ab:cd:eg"}) {
    EXPECT_EQ(normal_mac(bad), "") << bad;
  }
}

TEST(HookNames, Ipv4AddressesAreFourNumbers) {
  for (const char* good : {"10.128.0.9", "0.0.0.0", "255.255.255.255"}) EXPECT_TRUE(is_ipv4(good)) << good;
  for (const char* bad :
       {"", "10.128.0", "10.128.0.", "10.128.0.9.1", "10.128.0.256", "10.128.0.09", "10..0.9", "-1.0.0.1",
        "10.128.0.9/24", "a.b.c.d", "10.128.0.1000", " 10.128.0.9", "99999999999.0.0.1"}) {
    EXPECT_FALSE(is_ipv4(bad)) << bad;
  }
}

TEST(HookNames, HostNamesAreDnsLabels) {
  for (const std::string& good :
       {std::string("web"), std::string("VM-1"), std::string("0"), std::string(63, 'a')}) {
    EXPECT_TRUE(is_host_name(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("-web"), std::string("web-"), std::string("a.b"), std::string("a b"),
        std::string("a_b"), std::string("--json"), std::string(64, 'a')}) {
    EXPECT_FALSE(is_host_name(bad)) << bad;
  }
}

TEST(HookNames, LogLinesStayLines) {
  EXPECT_EQ(printable("vm\n1\x1b[2J\xff"), "vm?1?[2J?");
  EXPECT_EQ(printable(std::string(5000, 'x')).size(), 200u);
}

}  // namespace
}  // namespace ipop::hook
