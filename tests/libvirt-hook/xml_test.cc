#include "libvirt-hook/xml.h"

#include <gtest/gtest.h>

namespace ipop::hook {
namespace {

Document read(const std::string& xml) { return read_document(as_bytes(xml)); }

TEST(HookXml, ElementsAttributesAndText) {
  const Document document = read("<a><b c='1'>x<d/>y</b><o:b xmlns:o='urn:o' c='2'/><b c='3'/></a>");
  ASSERT_TRUE(document);
  const xmlNode* root = xmlDocGetRootElement(document.get());
  ASSERT_TRUE(is_element(root, "a"));
  EXPECT_FALSE(is_element(root, "b"));
  EXPECT_EQ(attribute(child(root, "b"), "c"), "1");
  EXPECT_EQ(content(child(root, "b")), "xy");
  EXPECT_EQ(child(root, "z"), nullptr);

  std::string seen;
  for_each_child(root, "b", {}, [&](const xmlNode* node) { seen += attribute(node, "c"); });
  EXPECT_EQ(seen, "13");
  for_each_child(root, "b", "urn:o", [&](const xmlNode* node) { seen += attribute(node, "c"); });
  EXPECT_EQ(seen, "132");
}

TEST(HookXml, NothingIsInNothing) {
  EXPECT_EQ(attribute(nullptr, "c"), "");
  EXPECT_EQ(content(nullptr), "");
  const Document document = read("<a/>");
  EXPECT_EQ(attribute(xmlDocGetRootElement(document.get()), "c"), "");
}

TEST(HookXml, MalformedTextAndEntitiesAreRefused) {
  EXPECT_FALSE(read("<a>"));
  EXPECT_FALSE(read("no XML"));
  EXPECT_FALSE(read("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"));
  EXPECT_FALSE(read("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"));
}

}  // namespace
}  // namespace ipop::hook
