#include "libvirt-hook/domain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libvirt-hook/xml.h"
#include "tests/libvirt-hook/recorded.h"

namespace ipop::hook {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<Domain, Problem> parse(const std::string& xml) { return parse_domain(as_bytes(xml)); }

std::string domain_with(const std::string& inside) {
  return std::string("<domain type='kvm'><name>vm</name><uuid>") + kMarked + "</uuid>" + inside + "</domain>";
}

std::vector<Mark> marks_of(const std::string& metadata) {
  return parse(domain_with("<metadata>" + metadata + "</metadata>")).value().marks;
}

TEST(HookDomain, ReadsWhatLibvirtWrites) {
  const Domain plugged = *parse(recorded("plugged-started.xml"));
  EXPECT_EQ(plugged.uuid, kPlugged);
  EXPECT_THAT(plugged.nics,
              ElementsAre(FieldsAre(false, "52:54:00:00:01:01", "vnet0", "br-ipop", ""),
                          FieldsAre(false, "52:54:00:00:01:02", "vif-a1b2c3d", "br-other", "")));
  EXPECT_THAT(plugged.marks, IsEmpty());

  EXPECT_THAT(parse(recorded("networked-started.xml"))->nics,
              ElementsAre(FieldsAre(false, "52:54:00:00:04:01", "vnet3", "br-ipop", "ovs-net")));

  const Domain marked = *parse(recorded("marked-started.xml"));
  EXPECT_EQ(marked.uuid, kMarked);
  EXPECT_THAT(marked.nics, ElementsAre(FieldsAre(true, "52:54:00:00:02:01", "vnet1", "", ""),
                                       FieldsAre(true, "52:54:00:00:02:02", "tap-vm1", "", "")));
  EXPECT_THAT(marked.marks, ElementsAre(FieldsAre("br-ipop", "")));
  EXPECT_THAT(marked.remarks, IsEmpty());
}

TEST(HookDomain, TapNamesAreGoneAtTheEnd) {
  EXPECT_THAT(parse(recorded("marked-prepare.xml"))->nics,
              ElementsAre(FieldsAre(true, "52:54:00:00:02:01", "", "", ""),
                          FieldsAre(true, "52:54:00:00:02:02", "tap-vm1", "", "")));
  EXPECT_THAT(parse(recorded("marked-stopped.xml"))->nics,
              ElementsAre(FieldsAre(true, "52:54:00:00:02:01", "", "", ""),
                          FieldsAre(true, "52:54:00:00:02:02", "tap-vm1", "", "")));
  const Domain released = *parse(recorded("marked-release.xml"));
  EXPECT_EQ(released.uuid, kMarked);
  EXPECT_THAT(released.nics, ElementsAre(FieldsAre(true, "52:54:00:00:02:01", "", "", ""),
                                         FieldsAre(true, "52:54:00:00:02:02", "", "", "")));
}

TEST(HookDomain, MarksAreKnownByTheirNamespaceNotByTheirPrefix) {
  EXPECT_THAT(marks_of("<x:attach xmlns:x='urn:ipop:domain:1' bridge='br-a'/>"),
              ElementsAre(FieldsAre("br-a", "")));
  EXPECT_THAT(marks_of("<attach xmlns='urn:ipop:domain:1'/>"), ElementsAre(FieldsAre("", "")));
  EXPECT_THAT(marks_of("<ipop:attach xmlns:ipop='urn:ipop:domain:2' bridge='br-a'/>"), IsEmpty());
  EXPECT_THAT(marks_of("<attach bridge='br-a'/>"), IsEmpty());
}

TEST(HookDomain, SeveralMarksShareOneElement) {
  EXPECT_THAT(marks_of("<ipop:domain xmlns:ipop='urn:ipop:domain:1'>"
                       "<ipop:attach mac='52:54:00:00:00:0A' bridge='br-red'/><ipop:attach bridge='br-blue'/>"
                       "</ipop:domain>"),
              ElementsAre(FieldsAre("br-red", "52:54:00:00:00:0a"), FieldsAre("br-blue", "")));
}

TEST(HookDomain, SaysWhatAGuestIsToHave) {
  const auto guest_in = [](const std::string& attributes, int nics = 1) {
    std::string devices;
    for (int i = 0; i < nics; ++i) devices += "<interface type='bridge'/>";
    return *parse(domain_with("<metadata><i:guest xmlns:i='urn:ipop:domain:1' " + attributes +
                              "/></metadata><devices>" + devices + "</devices>"));
  };
  EXPECT_EQ(guest_in("").name, "vm") << "the domain's";
  EXPECT_THAT(guest_in("address='10.128.0.9' name='web'").guests,
              ElementsAre(FieldsAre("", "10.128.0.9", "web")));
  EXPECT_THAT(guest_in("mac='52:54:00:00:00:0A' name='web'", 2).guests,
              ElementsAre(FieldsAre("52:54:00:00:00:0a", "", "web")));
  const std::pair<const char*, const char*> odd[] = {
      {"mac='any'", "mac= \"any\""},
      {"address='10.128.0.9/20'", "address= \"10.128.0.9/20\""},
      {"name='--json'", "name= \"--json\""}};
  for (const auto& [attributes, remark] : odd) {
    EXPECT_THAT(guest_in(attributes).guests, IsEmpty()) << attributes;
    EXPECT_THAT(guest_in(attributes).remarks, ElementsAre(HasSubstr(remark)));
  }
  EXPECT_THAT(guest_in("address='10.128.0.9'", 2).guests, IsEmpty()) << "of which NIC?";
  EXPECT_THAT(guest_in("address='10.128.0.9'", 2).remarks, ElementsAre(HasSubstr("of which NIC")));
}

TEST(HookDomain, OddWordsAreRemarkedOnAndIgnored) {
  const Domain tap =
      *parse(domain_with("<devices><interface type='ethernet'><mac address='52:54:00:00:00:01'/>"
                         "<target dev='x&quot;; reboot'/></interface></devices>"));
  EXPECT_THAT(tap.nics, ElementsAre(FieldsAre(true, "52:54:00:00:00:01", "", "", "")));
  EXPECT_THAT(tap.remarks, ElementsAre(HasSubstr("x\"; reboot")));

  const Domain bridge = *parse(
      domain_with("<metadata><a:attach xmlns:a='urn:ipop:domain:1' bridge='-- del-br br0'/></metadata>"));
  EXPECT_THAT(bridge.marks, IsEmpty());
  EXPECT_THAT(bridge.remarks, ElementsAre(HasSubstr("-- del-br br0")));

  const Domain mac =
      *parse(domain_with("<metadata><a:attach xmlns:a='urn:ipop:domain:1' mac='any'/></metadata>"));
  EXPECT_THAT(mac.marks, IsEmpty()) << "a mark that means one NIC must not become one for all";
  EXPECT_THAT(mac.remarks, ElementsAre(HasSubstr("any")));
}

TEST(HookDomain, EveryTruncationIsRefused) {
  const std::string xml = recorded("marked-started.xml");
  const size_t end = xml.find_last_of('>') + 1;
  ASSERT_TRUE(parse(xml.substr(0, end)));
  for (size_t n = 0; n < end; ++n) ASSERT_FALSE(parse(xml.substr(0, n))) << n;
}

TEST(HookDomain, EveryOverwrittenByteIsSurvived) {
  const std::string xml = recorded("marked-started.xml");
  for (size_t i = 0; i < xml.size(); ++i) {
    for (const char c : {'<', '&', '\0', '\xff'}) {
      std::string odd = xml;
      odd[i] = c;
      if (const auto domain = parse(odd)) {
        ASSERT_EQ(domain->uuid, kMarked) << i;
      }
    }
  }
}

TEST(HookDomain, EntitiesAreNeverExpanded) {
  const std::string bomb =
      "<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
      "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>]>" +
      domain_with("<devices><interface type='ethernet'><target dev='&c;'/></interface></devices>");
  EXPECT_FALSE(parse(bomb));
  EXPECT_FALSE(parse("<!DOCTYPE domain SYSTEM 'file:///etc/passwd'>" + domain_with("")));
  EXPECT_FALSE(parse("<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" +
                     domain_with("<metadata>&x;</metadata>")));
  EXPECT_FALSE(parse("<!DOCTYPE domain>" + domain_with("")));
  EXPECT_TRUE(parse("<?xml version='1.0'?><!-- libvirt's own comment -->" + domain_with("")));
}

TEST(HookDomain, AbsurdSizesAreRefused) {
  EXPECT_FALSE(parse(""));
  EXPECT_FALSE(parse(std::string(kLargestXml + 1, ' ')));
  EXPECT_TRUE(parse(domain_with(std::string(kLargestXml / 2, ' '))));
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  EXPECT_FALSE(parse(domain_with(deep)));
}

TEST(HookDomain, OtherDocumentsAreNotDomains) {
  EXPECT_FALSE(parse("<network><uuid>6429b759-9cd2-4e23-b8ee-54266cc2e560</uuid></network>"));
  EXPECT_FALSE(parse("<domain><name>no uuid</name></domain>"));
  EXPECT_FALSE(parse("<domain><uuid>\"; drop table</uuid></domain>"));
  EXPECT_FALSE(parse("qemu: could not read"));
}

}  // namespace
}  // namespace ipop::hook
