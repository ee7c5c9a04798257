#include "libvirt-hook/xml.h"

#include <libxml/parser.h>

namespace ipop::hook {
namespace {

using XmlString = std::unique_ptr<xmlChar, decltype(xmlFree)>;

std::string_view text_of(const xmlChar* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

// Entities live in DOCTYPEs, so a document that begins one is stopped there: before its first declaration.
void refuse_doctype(void* context, const xmlChar*, const xmlChar*, const xmlChar*) {
  xmlStopParser(static_cast<xmlParserCtxtPtr>(context));
}

}  // namespace

Document read_document(ByteView xml) {
  Document document(nullptr, xmlFreeDoc);
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> parser(xmlNewParserCtxt(),
                                                                            xmlFreeParserCtxt);
  if (!parser) return document;
  parser->sax->internalSubset = refuse_doctype;
  const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
  document.reset(xmlCtxtReadMemory(parser.get(), reinterpret_cast<const char*>(xml.data()),
                                   static_cast<int>(xml.size()), nullptr, "UTF-8", options));
  if (document && !xmlDocGetRootElement(document.get())) document.reset();  // It was stopped.
  return document;
}

bool is_element(const xmlNode* node, std::string_view name, std::string_view space) {
  return node->type == XML_ELEMENT_NODE && text_of(node->name) == name &&
         (node->ns ? text_of(node->ns->href) : std::string_view()) == space;
}

const xmlNode* child(const xmlNode* parent, std::string_view name) {
  for (const xmlNode* node = parent->children; node; node = node->next) {
    if (is_element(node, name)) return node;
  }
  return nullptr;
}

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

}  // namespace ipop::hook
