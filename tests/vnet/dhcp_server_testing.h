// A DHCP server whose network is the test.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "overlay/vnet/dhcp_server.h"
#include "tests/vnet/testing.h"

namespace ipop::vnet_testing {

/// It sees each question and answers it.
class DhcpServerTest : public ::testing::Test {
 protected:
  Result<Done> say(const DhcpMessage& message) { return server.handle_message(now, message); }
  /// Nobody knows anything.
  void network_is_silent() {
    while (const auto query = resolver.poll_query()) answer(*query, std::nullopt);
  }
  void answer(const Query& query, const std::optional<Binding>& binding) {
    (void)resolver.handle_answer(query.id);
    server.handle_answer(now, query, binding);
  }
  std::optional<DhcpMessage> hear() {
    frame = server.poll_frame().value_or(Bytes{});
    return dhcp_in(frame);
  }
  std::optional<DhcpMessage> offer(uint8_t guest) {
    EXPECT_TRUE(say(dhcp(DhcpMessage::Type::Discover, guest)));
    network_is_silent();
    return hear();
  }
  DhcpMessage selecting(const DhcpMessage& offered, uint8_t guest) {
    DhcpMessage request = dhcp(DhcpMessage::Type::Request, guest);
    request.requested_address = offered.yiaddr;
    request.server_id = offered.server_id;
    return request;
  }
  /// From DISCOVER to ACK, and what Vnet does then.
  Ipv4Address lease(uint8_t guest) {
    const auto offered = offer(guest);
    EXPECT_TRUE(say(selecting(*offered, guest)));
    EXPECT_EQ(hear()->type, DhcpMessage::Type::Ack);
    bind();
    return offered->yiaddr;
  }
  void bind() {
    while (const auto event = server.poll_event()) {
      (void)map.upsert(now, {.ip = event->ip,
                             .mac = event->mac,
                             .node = node(1),
                             .sequence = 1,
                             .expires = event->expires,
                             .name = event->name});
      server.set_sequence(now, event->mac, 1);
    }
  }
  DhcpMessage init_reboot(uint8_t guest, Ipv4Address address) {
    DhcpMessage request = dhcp(DhcpMessage::Type::Request, guest);
    request.requested_address = address;
    return request;
  }
  DhcpMessage renewing(uint8_t guest, Ipv4Address address) {
    DhcpMessage request = dhcp(DhcpMessage::Type::Request, guest);
    request.ciaddr = address;
    return request;
  }

  Instant now = at(1000s);
  const Service network = service();
  AddressMap map{node(1)};
  SeededRandom random{1};
  Resolver resolver{random};
  DhcpServer server{network, map, resolver};
  Bytes frame;
};

}  // namespace ipop::vnet_testing
