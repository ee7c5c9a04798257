#include "libvirt-hook/domain.h"

#include "libvirt-hook/names.h"
#include "libvirt-hook/xml.h"

namespace ipop::hook {
namespace {

Nic read_nic(const xmlNode* interface, std::vector<std::string>& remarks) {
  const std::string tap = attribute(child(interface, "target"), "dev");
  const xmlNode* source = child(interface, "source");
  const std::string bridge = attribute(source, "bridge");
  Nic nic{.ethernet = attribute(interface, "type") == "ethernet",
          .mac = normal_mac(attribute(child(interface, "mac"), "address")),
          .tap = is_device_name(tap) ? tap : std::string(),
          .bridge = is_device_name(bridge) ? bridge : std::string(),
          .network = attribute(source, "network")};
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

void read_guest(const xmlNode* element, Domain& domain) {
  const std::string mac = attribute(element, "mac");
  const std::string address = attribute(element, "address");
  const std::string name = attribute(element, "name");
  const Guest guest{.mac = normal_mac(mac), .address = address, .name = name};
  const auto ignore = [&](const char* what, const std::string& text, const char* hint) {
    domain.remarks.push_back("ignored the guest's " + std::string(what) + " \"" + printable(text) +
                             "\": " + hint);
  };
  if (!mac.empty() && guest.mac.empty()) {
    ignore("mac=", mac, "write it like 52:54:00:12:34:56");
  } else if (!address.empty() && !is_ipv4(address)) {
    ignore("address=", address, "write it like 10.128.0.9");
  } else if (!name.empty() && !is_host_name(name)) {
    ignore("name=", name, "use 1 to 63 letters, digits and -");
  } else {
    domain.guests.push_back(guest);
  }
}

void read_marks(const xmlNode* metadata, Domain& domain) {
  const auto read_all = [&](const xmlNode* parent) {
    for_each_child(parent, "attach", kMetadataNamespace,
                   [&](const xmlNode* attach) { read_mark(attach, domain); });
    for_each_child(parent, "guest", kMetadataNamespace,
                   [&](const xmlNode* guest) { read_guest(guest, domain); });
  };
  read_all(metadata);
  for_each_child(metadata, "domain", kMetadataNamespace, read_all);
}

}  // namespace

Result<Domain, Problem> parse_domain(ByteView xml) {
  if (xml.empty()) return Problem{"no domain XML on stdin"};
  if (xml.size() > kLargestXml) return Problem{"the domain XML is larger than 4 MiB"};
  const Document document = read_document(xml);
  if (!document) return Problem{"the domain XML is malformed, or has a DOCTYPE"};
  const xmlNode* root = xmlDocGetRootElement(document.get());
  if (!is_element(root, "domain")) return Problem{"the XML is not that of a domain"};

  Domain domain;
  domain.uuid = content(child(root, "uuid"));
  if (!is_uuid(domain.uuid)) return Problem{"the domain XML has no UUID"};
  if (const std::string name = content(child(root, "name")); is_host_name(name)) domain.name = name;
  if (const xmlNode* devices = child(root, "devices")) {
    for_each_child(devices, "interface", {}, [&](const xmlNode* interface) {
      domain.nics.push_back(read_nic(interface, domain.remarks));
    });
  }
  if (const xmlNode* metadata = child(root, "metadata")) read_marks(metadata, domain);
  if (domain.nics.size() > 1) {
    const auto ambiguous = std::erase_if(domain.guests, [](const Guest& guest) { return guest.mac.empty(); });
    if (ambiguous > 0)
      domain.remarks.push_back("ignored what the guest is to have: say of which NIC, by mac=");
  }
  return domain;
}

}  // namespace ipop::hook
