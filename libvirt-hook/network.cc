#include "libvirt-hook/network.h"

#include <fstream>
#include <iterator>
#include <system_error>

#include "libvirt-hook/names.h"
#include "libvirt-hook/xml.h"

namespace ipop::hook {

std::optional<Network> parse_network(ByteView xml) {
  if (xml.empty() || xml.size() > kLargestXml) return std::nullopt;
  const Document document = read_document(xml);
  if (!document) return std::nullopt;
  const xmlNode* root = xmlDocGetRootElement(document.get());
  if (!is_element(root, "network")) return std::nullopt;
  Network out{.name = content(child(root, "name")), .bridge = attribute(child(root, "bridge"), "name")};
  if (out.name.empty() || !is_device_name(out.bridge)) return std::nullopt;
  return out;
}

std::map<std::string, std::string> read_networks(const std::filesystem::path& directory) {
  std::map<std::string, std::string> out;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    const auto size = entry->file_size(unreadable);  // An error for whatever is no file.
    if (entry->path().extension() != ".xml" || unreadable || size > kLargestXml) continue;
    std::ifstream file(entry->path(), std::ios::binary);
    const std::string xml{std::istreambuf_iterator<char>(file), {}};
    if (auto network = parse_network(as_bytes(xml))) out[network->name] = network->bridge;
  }
  return out;
}

}  // namespace ipop::hook
