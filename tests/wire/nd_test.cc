#include "overlay/wire/nd.h"

#include <gtest/gtest.h>

#include "overlay/wire/ethernet.h"

namespace ipop {
namespace {

// The guest 52:54:00:12:34:56 with the addresses that RFC 4291, appendix A, makes of that.  The packets were
// put together, and their checksums computed, apart from this code.
const MacAddress kMac{{0x52, 0x54, 0, 0x12, 0x34, 0x56}};
const Ipv6Address kGuest = *Ipv6Address::parse("fe80::5054:ff:fe12:3456");
const Ipv6Address kTarget = *Ipv6Address::parse("fd01:203:405::1");
constexpr char kSolicitation[] =
    "6000000000203afffe80000000000000505400fffe123456ff0200000000000000000001ff000001"
    "87006d9900000000fd0102030405000000000000000000010101525400123456";
constexpr char kProbe[] =
    "6000000000183aff00000000000000000000000000000000ff0200000000000000000001ff123456"
    "8700c40200000000fe80000000000000505400fffe123456";
constexpr char kAdvertisement[] =
    "6000000000203afffe80000000000000505400fffe123456fe800000000000000000000000000001"
    "88008bea60000000fe80000000000000505400fffe1234560201525400123456";
constexpr char kRouterSolicitation[] =
    "6000000000103afffe80000000000000505400fffe123456ff020000000000000000000000000002"
    "850071b5000000000101525400123456";

Bytes bytes_of(const char* hex) { return *from_hex(hex); }

/// The ICMPv6 message of a packet with `body` and a right checksum.
template <class Message>
Result<Message> decode(uint8_t type, const char* src, const char* dst, const std::string& body,
                       uint8_t hop_limit = 255, uint8_t code = 0) {
  const Bytes octets = *from_hex(body);
  const Ipv6Address from = *Ipv6Address::parse(src), to = *Ipv6Address::parse(dst);
  const Bytes message = Icmpv6Message{.type = type, .code = code, .body = octets}.encode(from, to);
  return Message::decode(
      {.src = from, .dst = to, .protocol = 58, .hop_limit = hop_limit, .payload = message});
}
Result<NeighbourSolicitation> solicitation(const std::string& body, const char* src = "fe80::2",
                                           const char* dst = "ff02::1:ff00:1", uint8_t hop_limit = 255,
                                           uint8_t code = 0) {
  return decode<NeighbourSolicitation>(135, src, dst, body, hop_limit, code);
}
const std::string kTargetBody = "00000000fd010203040500000000000000000001";

TEST(NeighbourSolicitation, IsRead) {
  const Bytes bytes = bytes_of(kSolicitation);
  const auto message = NeighbourSolicitation::decode(*Ipv6Packet::decode(bytes));
  ASSERT_TRUE(message);
  EXPECT_EQ(*message, (NeighbourSolicitation{.target = kTarget, .source_mac = kMac}));
}

TEST(NeighbourSolicitation, IsWrittenInItsFrame) {
  const Ipv6Address group = kTarget.solicited_node();
  const NeighbourSolicitation message{.target = kTarget, .source_mac = kMac};
  EXPECT_EQ(to_hex(nd_frame(group.multicast_mac(), kMac, group, kGuest, message.encode(kGuest, group))),
            "3333ff00000152540012345686dd" + std::string(kSolicitation));
}

TEST(NeighbourSolicitation, AProbeHasNoSource) {
  const Bytes bytes = bytes_of(kProbe);
  const auto packet = Ipv6Packet::decode(bytes);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->src.is_unspecified());
  EXPECT_EQ(*NeighbourSolicitation::decode(*packet),
            (NeighbourSolicitation{.target = kGuest, .source_mac = {}}));
}

TEST(NeighbourSolicitation, WhatRfc4861TellsToDiscardIsRefused) {  // Section 7.1.1.
  EXPECT_TRUE(solicitation(kTargetBody));
  EXPECT_TRUE(solicitation(kTargetBody + "0e01000000000000"))
      << "unknown options are skipped (a nonce, RFC 3971)";
  EXPECT_FALSE(solicitation(kTargetBody, "fe80::2", "ff02::1:ff00:1", 254)) << "it may come from afar";
  EXPECT_FALSE(solicitation(kTargetBody, "fe80::2", "ff02::1:ff00:1", 255, 1)) << "code";
  EXPECT_FALSE(solicitation(kTargetBody.substr(0, 38))) << "less than 24 octets";
  EXPECT_FALSE(solicitation("00000000ff020000000000000000000000000001")) << "a group is nobody's";
  EXPECT_FALSE(solicitation(kTargetBody + "0100525400123456")) << "an option of no length would never end";
  EXPECT_FALSE(solicitation(kTargetBody + "0102525400123456")) << "an option beyond the end";
  EXPECT_FALSE(solicitation(kTargetBody + "01")) << "half an option";
  EXPECT_TRUE(solicitation(kTargetBody, "::"));
  EXPECT_FALSE(solicitation(kTargetBody, "::", "fd01:203:405::1")) << "a probe is for the target's group";
  EXPECT_FALSE(solicitation(kTargetBody + "0101525400123456", "::")) << "a probe does not say who asks";
}

TEST(NeighbourAdvertisement, IsReadAndWritten) {
  const Bytes bytes = bytes_of(kAdvertisement);
  const auto packet = Ipv6Packet::decode(bytes);
  const auto message = NeighbourAdvertisement::decode(*packet);
  ASSERT_TRUE(message);
  const NeighbourAdvertisement expected{
      .is_router = false, .is_solicited = true, .overrides = true, .target = kGuest, .target_mac = kMac};
  EXPECT_EQ(*message, expected);
  EXPECT_EQ(to_hex(expected.encode(packet->src, packet->dst)), to_hex(packet->payload));
}

TEST(NeighbourAdvertisement, WhatRfc4861TellsToDiscardIsRefused) {  // Section 7.1.2.
  const std::string target = "fd010203040500000000000000000001";
  const auto advertisement = [&](const std::string& body, const char* dst, uint8_t hop_limit = 255) {
    return decode<NeighbourAdvertisement>(136, "fe80::2", dst, body, hop_limit);
  };
  EXPECT_TRUE(advertisement("20000000" + target, "ff02::1"));
  EXPECT_FALSE(advertisement("60000000" + target, "ff02::1")) << "nobody solicits for all";
  EXPECT_FALSE(advertisement("20000000" + target, "ff02::1", 64));
  EXPECT_FALSE(advertisement("20000000ff020000000000000000000000000001", "fe80::1"));
  EXPECT_FALSE(advertisement("20000000" + target + "0200525400123456", "fe80::1"));
  EXPECT_EQ(decode<NeighbourAdvertisement>(135, "fe80::2", "fe80::1", "20000000" + target).error(),
            Error::UnknownType);
}

TEST(RouterSolicitation, IsRead) {
  const Bytes bytes = bytes_of(kRouterSolicitation);
  EXPECT_EQ(*RouterSolicitation::decode(*Ipv6Packet::decode(bytes)), RouterSolicitation{.source_mac = kMac});
}

TEST(RouterSolicitation, WhatRfc4861TellsToDiscardIsRefused) {  // Section 6.1.1.
  EXPECT_TRUE(decode<RouterSolicitation>(133, "::", "ff02::2", "00000000"));
  EXPECT_FALSE(decode<RouterSolicitation>(133, "::", "ff02::2", "000000000101525400123456"));
  EXPECT_FALSE(decode<RouterSolicitation>(133, "fe80::2", "ff02::2", "000000"));
  EXPECT_FALSE(decode<RouterSolicitation>(133, "fe80::2", "ff02::2", "00000000", 1));
}

TEST(RouterAdvertisement, HasThePrefixTheMtuAndTheNameServer) {
  const MacAddress mac{{2, 0, 0x5e, 0x10, 0x20, 0x30}};
  const Ipv6Address src = *Ipv6Address::parse("fe80::5eff:fe10:2030");
  const RouterAdvertisement message{.router_lifetime_s = 0,
                                    .source_mac = mac,
                                    .mtu = 1400,
                                    .prefix = *Ipv6Address::parse("fd01:203:405::"),
                                    .prefix_valid_s = 2592000,
                                    .prefix_preferred_s = 604800,
                                    .dns_server = kTarget,
                                    .search_domain = *from_hex("04677269640469706f7000"),  // grid.ipop
                                    .dns_lifetime_s = 1800};
  EXPECT_EQ(to_hex(message.encode(src, kAllNodes)),
            "8600677f"
            "0000"
            "0000"
            "00000000"
            "00000000"  // No hop limit, flags, lifetime.
            "0101"
            "02005e102030"  // Source link-layer address.
            "0501"
            "0000"
            "00000578"  // MTU.
            "0304"
            "40"
            "c0"
            "00278d00"
            "00093a80"
            "00000000"  // A /64, on-link and autonomous.
            "fd010203040500000000000000000000"
            "1903"
            "0000"
            "00000708"
            "fd010203040500000000000000000001"  // RDNSS.
            "1f03"
            "0000"
            "00000708"
            "04677269640469706f70000000000000");  // DNSSL, padded.
  RouterAdvertisement silent = message;
  silent.dns_server = std::nullopt;
  silent.search_domain.clear();
  EXPECT_EQ(silent.encode(src, kAllNodes).size(), message.encode(src, kAllNodes).size() - 24 - 24)
      << "an option that says nothing is none";
}

TEST(NeighbourDiscovery, EveryTruncationIsRefused) {
  for (const char* hex : {kSolicitation, kProbe, kAdvertisement, kRouterSolicitation}) {
    const Bytes whole = bytes_of(hex);
    for (size_t size = 40; size < whole.size(); ++size) {
      Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      cut[5] = static_cast<uint8_t>(size - 40);  // The packet's length is right; the checksum is what it was.
      const auto packet = Ipv6Packet::decode(cut);
      ASSERT_TRUE(packet);
      EXPECT_FALSE(NeighbourSolicitation::decode(*packet)) << size;
      EXPECT_FALSE(NeighbourAdvertisement::decode(*packet)) << size;
      EXPECT_FALSE(RouterSolicitation::decode(*packet)) << size;
    }
  }
}

}  // namespace
}  // namespace ipop
