#include "overlay/vnet/dhcp_options.h"

#include <algorithm>

#include "overlay/wire/dns.h"

namespace ipop {
namespace {

constexpr uint8_t kOptionHostName = 12;
constexpr uint8_t kOptionDomainSearch = 119;
constexpr uint16_t kSmallestLimit = 576;
constexpr size_t kHeaders = 20 + 8;  ///< IPv4 and UDP.

/// Octets of a message that the client takes, and that cross the network in one piece.
size_t limit_of(const Service& service, const DhcpMessage& request) {
  const size_t packet = std::clamp<size_t>(request.max_size.value_or(kSmallestLimit), kSmallestLimit,
                                           std::max(kSmallestLimit, service.guest_mtu()));
  return packet - kHeaders;
}

}  // namespace

void add_options(const Service& service, const DhcpMessage& request, const std::string& name,
                 DhcpMessage& reply) {
  reply.subnet_mask = Ipv4Address{service.subnet.mask()};
  reply.broadcast_address = service.subnet.broadcast();
  reply.mtu = service.guest_mtu();
  reply.dns_servers = service.dns_servers();
  reply.domain_name = service.domain();
  reply.ntp_servers = service.settings->ntp;
  reply.routes = service.settings->routes;
  const auto& wanted = request.parameter_list;
  const auto is_wanted = [&](uint8_t option) {
    return std::find(wanted.begin(), wanted.end(), option) != wanted.end();
  };
  if (is_wanted(kOptionDomainSearch)) reply.search_domain = encode_names(service.search_domains());
  if (is_wanted(kOptionHostName)) reply.host_name = name;

  const size_t limit = limit_of(service, request);
  const auto is_too_long = [&] { return reply.encode().size() > limit; };
  if (is_too_long()) reply.search_domain.clear();
  if (is_too_long()) reply.host_name.clear();
  if (is_too_long()) reply.ntp_servers.clear();
}

}  // namespace ipop
