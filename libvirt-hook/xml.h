// Reading the XML that libvirt writes, of domains and of networks.
#pragma once

#include <libxml/tree.h>

#include <memory>
#include <string>
#include <string_view>

#include "overlay/base/bytes.h"

namespace ipop::hook {

/// Far more than libvirt ever writes (its own limit for a client's XML is 4 MiB too).
inline constexpr size_t kLargestXml = 4 << 20;

using Document = std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)>;

/// With a root element; null if `xml` is malformed or has a DOCTYPE, which libvirt writes none: so nothing is
/// fetched and no entity expanded.  REQUIRES: xml.size() <= kLargestXml.
Document read_document(ByteView xml);

/// Whether `node` is an element of that name.  Elements without a namespace are libvirt's.
bool is_element(const xmlNode* node, std::string_view name, std::string_view space = {});

/// The first child of that name in no namespace, or null.
const xmlNode* child(const xmlNode* parent, std::string_view name);

template <class Visit>
void for_each_child(const xmlNode* parent, std::string_view name, std::string_view space, Visit visit) {
  for (const xmlNode* node = parent->children; node; node = node->next) {
    if (is_element(node, name, space)) visit(node);
  }
}

/// Empty if there is none, or `node` is null.
std::string attribute(const xmlNode* node, const char* name);
/// The text inside; empty if `node` is null.
std::string content(const xmlNode* node);

}  // namespace ipop::hook
