// The network's settings, as a signed file and as the document in it: a file has one way to be written, and a
// document is refused with a sentence, or means what DHCP may rely on.
#include <algorithm>

#include "overlay/base/assert.h"
#include "overlay/vnet/dhcp_options.h"
#include "overlay/vnet/settings.h"
#include "overlay/wire/settings.h"

using namespace ipop;

namespace {

const Service kService = Service::make("grid", *Ipv4Subnet::parse("10.128.0.0/16"), 42, 1400);

void check_document(std::string_view document) {
  const auto settings = Settings::parse(document, kService.subnet, kService.mtu);
  if (!settings) {
    IPOP_ASSERT(!settings.error().text.empty());
    return;
  }
  Service service = kService;
  service.settings = std::make_shared<const Settings>(*settings);
  IPOP_ASSERT(service.pool_size() > 0 && settings->reserved.size() == settings->reservations.size());
  for (const uint64_t n : {uint64_t{0}, service.pool_size() / 2, service.pool_size() - 1}) {
    IPOP_ASSERT(service.is_in_pool(service.pool_address(n)) &&
                service.is_guest_address(service.pool_address(n)));
  }
  for (const auto& [ip, mac] : settings->reserved) {
    IPOP_ASSERT(service.is_guest_address(ip) && !mac.is_group() && settings->reservations.at(mac).ip == ip);
  }
  DhcpMessage request;
  request.parameter_list = {12, 119};
  DhcpMessage reply;
  reply.op = DhcpMessage::Op::Reply;
  add_options(service, request, std::string(63, 'h'), reply);
  IPOP_ASSERT(reply.encode().size() + 28 <= 576 && reply.routes == settings->routes);
  const auto again = DhcpMessage::decode(reply.encode());
  IPOP_ASSERT(again && *again == reply);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  check_document(text);
  const auto settings = wire::SignedSettings::decode(text);
  if (!settings) return 0;
  IPOP_ASSERT(settings->encode() == text);
  check_document(settings->document);
  return 0;
}
