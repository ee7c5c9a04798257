#include "libvirt-hook/domain.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <memory>

#include "libvirt-hook/names.h"

namespace ipop::hook {
namespace {

using Document = std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)>;

std::string_view text_of(const xmlChar* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

// Entities live in DOCTYPEs, so a document that begins one is stopped there: before its first declaration.
void refuse_doctype(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  xmlStopParser(static_cast<xmlParserCtxtPtr>(context));
}

Document read_document(ByteView xml) {
  Document document(nullptr, xmlFreeDoc);
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> parser(xmlNewParserCtxt(),
                                                                            xmlFreeParserCtxt);
  if (!parser) return document;
  parser->sax->internalSubset = refuse_doctype;
  const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
  document.reset(xmlCtxtReadMemory(parser.get(), reinterpret_cast<const char*>(xml.data()),
                                   static_cast<int>(xml.size()), nullptr, "UTF-8", options));
  return document;
}

// Elements without a namespace are libvirt's, those with `space` are ours.
bool is_element(const xmlNode* node, std::string_view name, std::string_view space = {}) {
  return node->type == XML_ELEMENT_NODE && text_of(node->name) == name &&
         (node->ns ? text_of(node->ns->href) : std::string_view()) == space;
}

template <class Visit>
void for_each_child(const xmlNode* parent, std::string_view name, std::string_view space, Visit visit) {
  for (const xmlNode* node = parent->children; node; node = node->next) {
    if (is_element(node, name, space)) visit(node);
  }
}

const xmlNode* child(const xmlNode* parent, std::string_view name) {
  for (const xmlNode* node = parent->children; node; node = node->next) {
    if (is_element(node, name)) return node;
  }
  return nullptr;
}

using XmlString = std::unique_ptr<xmlChar, decltype(xmlFree)>;

std::string attribute(const xmlNode* node, const char* name) {
  if (!node) return {};
  const XmlString value(xmlGetNoNsProp(node, reinterpret_cast<const xmlChar*>(name)), xmlFree);
  return std::string(text_of(value.get()));
}

std::string content(const xmlNode* node) {
  if (!node) return {};
  const XmlString value(xmlNodeGetContent(node), xmlFree);
  return std::string(text_of(value.get()));
}

Nic read_nic(const xmlNode* interface, std::vector<std::string>& remarks) {
  const std::string tap = attribute(child(interface, "target"), "dev");
  const std::string bridge = attribute(child(interface, "source"), "bridge");
  Nic nic{.ethernet = attribute(interface, "type") == "ethernet",
          .mac = normal_mac(attribute(child(interface, "mac"), "address")),
          .tap = is_device_name(tap) ? tap : std::string(),
          .bridge = is_device_name(bridge) ? bridge : std::string()};
  if (nic.tap.empty() && !tap.empty()) {
    remarks.push_back("ignored the NIC with the tap name \"" + printable(tap) +
                      "\": use 1 to 15 letters, digits and _.-");
  }
  return nic;
}

void read_mark(const xmlNode* attach, Domain& domain) {
  const std::string bridge = attribute(attach, "bridge");
  const std::string mac = attribute(attach, "mac");
  const Mark mark{.bridge = bridge, .mac = normal_mac(mac)};
  if (!bridge.empty() && !is_device_name(bridge)) {
    domain.remarks.push_back("ignored the mark for the bridge \"" + printable(bridge) +
                             "\": use 1 to 15 letters, digits and _.-");
  } else if (!mac.empty() && mark.mac.empty()) {
    domain.remarks.push_back("ignored the mark for the NIC \"" + printable(mac) +
                             "\": write its mac= like 52:54:00:12:34:56");
  } else {
    domain.marks.push_back(mark);
  }
}

void read_marks(const xmlNode* metadata, Domain& domain) {
  const auto read = [&](const xmlNode* attach) { read_mark(attach, domain); };
  for_each_child(metadata, "attach", kMetadataNamespace, read);
  for_each_child(metadata, "domain", kMetadataNamespace, [&](const xmlNode* wrapper) {
    for_each_child(wrapper, "attach", kMetadataNamespace, read);
  });
}

}  // namespace

Result<Domain, Problem> parse_domain(ByteView xml) {
  if (xml.empty()) return Problem{"no domain XML on stdin"};
  if (xml.size() > kLargestXml) return Problem{"the domain XML is larger than 4 MiB"};
  const Document document = read_document(xml);
  if (!document) return Problem{"the domain XML is malformed, or has a DOCTYPE"};
  const xmlNode* root = xmlDocGetRootElement(document.get());
  if (!root || !is_element(root, "domain")) return Problem{"the XML is not that of a domain"};

  Domain domain;
  domain.uuid = content(child(root, "uuid"));
  if (!is_uuid(domain.uuid)) return Problem{"the domain XML has no UUID"};
  if (const xmlNode* devices = child(root, "devices")) {
    for_each_child(devices, "interface", {}, [&](const xmlNode* interface) {
      domain.nics.push_back(read_nic(interface, domain.remarks));
    });
  }
  if (const xmlNode* metadata = child(root, "metadata")) read_marks(metadata, domain);
  return domain;
}

}  // namespace ipop::hook
