#include "overlay/wire/dhcp.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ipop {
namespace {

const MacAddress kMac{{0x52, 0x54, 0, 0x12, 0x34, 0x56}};

/// A message as RFC 2131, figure 1, draws it, with these fields and this options field behind the cookie.
Bytes raw_message(const std::string& options_hex, const std::string& sname_hex = "",
                  const std::string& file_hex = "") {
  Bytes out = *from_hex(
      "01010600"
      "deadbeef"
      "0005"
      "8000"
      "0a800007"
      "00000000"
      "00000000"
      "00000000"
      "525400123456"
      "00000000000000000000");
  const auto field = [&](const std::string& hex, size_t size) {
    Bytes bytes = *from_hex(hex);
    bytes.resize(size);
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  field(sname_hex, 64);
  field(file_hex, 128);
  const Bytes rest = *from_hex("63825363" + options_hex);
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

TEST(Dhcp, ReadsFieldsAndOptions) {
  const auto message =
      DhcpMessage::decode(raw_message("350101"
                                      "3204"
                                      "0a800009"
                                      "3702"
                                      "011a"
                                      "0c03"
                                      "766d31"
                                      "390205dc"
                                      "3d0701525400123456"
                                      "ff"));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->op, DhcpMessage::Op::Request);
  EXPECT_EQ(message->type, DhcpMessage::Type::Discover);
  EXPECT_EQ(message->xid, 0xdeadbeefu);
  EXPECT_EQ(message->secs, 5);
  EXPECT_TRUE(message->broadcast);
  EXPECT_EQ(message->ciaddr.to_string(), "10.128.0.7");
  EXPECT_EQ(message->chaddr, kMac);
  EXPECT_EQ(message->requested_address->to_string(), "10.128.0.9");
  EXPECT_EQ(message->parameter_list, (Bytes{1, 26}));
  EXPECT_EQ(message->host_name, "vm1");
  EXPECT_EQ(message->max_size, 1500);
  EXPECT_EQ(to_hex(message->client_id), "01525400123456");
  EXPECT_EQ(message->server_id, std::nullopt);
}

TEST(Dhcp, WhoDiscoversOrRebootsUsesNoAddressYet) {  // RFC 2131, table 4.
  using Type = DhcpMessage::Type;
  const Ipv4Address address{0x0a800007};
  const auto begins_anew = [](Type type, auto... change) {
    DhcpMessage message;
    message.type = type;
    (change(message), ...);
    return message.begins_anew();
  };
  const auto wishes = [&](DhcpMessage& message) { message.requested_address = address; };
  const auto names_server = [&](DhcpMessage& message) { message.server_id = address; };
  const auto uses = [&](DhcpMessage& message) { message.ciaddr = address; };
  EXPECT_TRUE(begins_anew(Type::Discover));
  EXPECT_TRUE(begins_anew(Type::Discover, wishes));
  EXPECT_TRUE(begins_anew(Type::Request, wishes)) << "INIT-REBOOT";
  EXPECT_FALSE(begins_anew(Type::Request, wishes, names_server)) << "SELECTING";
  EXPECT_FALSE(begins_anew(Type::Request, uses)) << "RENEWING";
  EXPECT_FALSE(begins_anew(Type::Request, uses, wishes));
  EXPECT_FALSE(begins_anew(Type::Request));
  EXPECT_FALSE(begins_anew(Type::Inform, wishes));
  EXPECT_FALSE(begins_anew(Type::Decline, wishes));
}

TEST(Dhcp, PaddingUnknownOptionsAndAMissingEndAreFine) {
  EXPECT_TRUE(
      DhcpMessage::decode(raw_message("0000"
                                      "350103"
                                      "00"
                                      "fa03aabbcc"
                                      "00ff")));
  EXPECT_TRUE(DhcpMessage::decode(raw_message("350103")));
  EXPECT_TRUE(
      DhcpMessage::decode(raw_message("350103"
                                      "ff"
                                      "3599")))
      << "Behind the end nothing counts.";
}

TEST(Dhcp, LongOptionsComeInPieces) {  // RFC 3396: joined in their order, whatever is between.
  const auto message =
      DhcpMessage::decode(raw_message("0c02"
                                      "766d"
                                      "350101"
                                      "0c01"
                                      "2d"
                                      "0c01"
                                      "31"
                                      "ff"));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->host_name, "vm-1");
  const auto split_address =
      DhcpMessage::decode(raw_message("3202"
                                      "0a80"
                                      "350101"
                                      "3202"
                                      "0001"
                                      "ff"));
  ASSERT_TRUE(split_address);
  EXPECT_EQ(split_address->requested_address->to_string(), "10.128.0.1");
  EXPECT_FALSE(
      DhcpMessage::decode(raw_message("350101"
                                      "32040a800001"
                                      "32040a800001"
                                      "ff")))
      << "Two addresses in pieces are one of eight octets.";
}

TEST(Dhcp, OverloadContinuesInFileAndThenSname) {
  const auto both =
      DhcpMessage::decode(raw_message("350101"
                                      "340103"
                                      "0c01"
                                      "61"
                                      "ff",
                                      /*sname=*/
                                      "0c01"
                                      "63"
                                      "ff",
                                      /*file=*/
                                      "0c01"
                                      "62"
                                      "ff"));
  ASSERT_TRUE(both);
  EXPECT_EQ(both->host_name, "abc");
  EXPECT_EQ(DhcpMessage::decode(raw_message("340101"
                                            "ff",
                                            "",
                                            "350105"
                                            "ff"))
                ->type,
            DhcpMessage::Type::Ack);
  EXPECT_EQ(DhcpMessage::decode(raw_message("340102"
                                            "ff",
                                            "350106"
                                            "ff"))
                ->type,
            DhcpMessage::Type::Nak);
  EXPECT_FALSE(
      DhcpMessage::decode(raw_message("340101"
                                      "ff",
                                      "350106"
                                      "ff")))
      << "sname is not in use.";
  EXPECT_EQ(DhcpMessage::decode(raw_message("350101"
                                            "ff",
                                            "0cff", "0cff"))
                ->host_name,
            "")
      << "Without option 52 these are names of a server and a file.";
  for (const char* overload : {"340100", "340104", "34020101", "3400"}) {
    EXPECT_FALSE(DhcpMessage::decode(raw_message(std::string("350101") + overload + "ff"))) << overload;
  }
  Bytes full(128, 0xaa);
  full[0] = 0xfa;
  full[1] = 127;  // One more than there is.
  EXPECT_FALSE(
      DhcpMessage::decode(raw_message("350101"
                                      "340101"
                                      "ff",
                                      "", to_hex(full))));
}

TEST(Dhcp, EveryTruncationIsRefused) {
  const Bytes bytes = raw_message(
      "350101"
      "32040a800009"
      "0c03766d31");
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto message = DhcpMessage::decode(ByteView(bytes).first(size));
    const bool at_a_border = size == 243 || size == 249;  // Behind option 53, and behind option 50.
    EXPECT_EQ(message.has_value(), at_a_border) << size;
  }
}

TEST(Dhcp, WrongSizesTypesAndHardwareAreRefused) {
  for (const char* options : {"350101"
                              "3203"
                              "0a8000"
                              "ff",
                              "350101"
                              "3600"
                              "ff",
                              "35020101"
                              "ff",
                              "350101"
                              "330400"
                              "ff",
                              "350101"
                              "390105"
                              "ff",
                              "350101"
                              "0cff"
                              "61"}) {
    const auto message = DhcpMessage::decode(raw_message(options));
    ASSERT_FALSE(message) << options;
    EXPECT_EQ(message.error(), Error::Malformed) << options;
  }
  for (const char* options : {"ff", "",
                              "350100"
                              "ff",
                              "350109"
                              "ff",
                              "3501ff"
                              "ff"}) {
    const auto message = DhcpMessage::decode(raw_message(options));
    ASSERT_FALSE(message) << options;
    EXPECT_EQ(message.error(), Error::UnknownType) << options;
  }
  struct {
    size_t at;
    uint8_t value;
  } const changes[] = {{0, 0}, {0, 3}, {1, 6}, {2, 16}, {236, 0}, {239, 0}};
  for (const auto& change : changes) {
    Bytes bytes = raw_message("350101ff");
    bytes[change.at] = change.value;
    EXPECT_FALSE(DhcpMessage::decode(bytes)) << change.at;
  }
}

TEST(Dhcp, TrailingNullsOfTextAreDropped) {
  EXPECT_EQ(DhcpMessage::decode(raw_message("350101"
                                            "0c04"
                                            "766d0000"
                                            "ff"))
                ->host_name,
            "vm");
  EXPECT_EQ(DhcpMessage::decode(raw_message("350101"
                                            "0c02"
                                            "0000"
                                            "ff"))
                ->host_name,
            "");
}

TEST(Dhcp, EverythingTravelsBothWays) {
  DhcpMessage message;
  message.op = DhcpMessage::Op::Reply;
  message.xid = 0x01020304;
  message.secs = 9;
  message.broadcast = true;
  message.ciaddr = {1};
  message.yiaddr = {2};
  message.siaddr = {3};
  message.giaddr = {4};
  message.chaddr = kMac;
  message.type = DhcpMessage::Type::Offer;
  message.subnet_mask = Ipv4Address{0xffff0000};
  message.host_name = "vm1";
  message.domain_name = "grid.ipop";
  message.mtu = 1380;
  message.broadcast_address = Ipv4Address{0x0a80ffff};
  message.requested_address = Ipv4Address{0x0a800009};
  message.lease_seconds = 3600;
  message.server_id = Ipv4Address{0x0a800001};
  message.parameter_list = {1, 3, 6};
  message.dns_servers = {Ipv4Address{0x0a800001}, Ipv4Address{0xc0000235}};
  message.ntp_servers = {Ipv4Address{0x0a800014}};
  message.routes = {{.to = *Ipv4Subnet::parse("192.168.7.0/24"), .via = Ipv4Address{0x0a800007}}};
  message.search_domain = *from_hex("04677269640469706f7000");
  message.message = "why not";
  message.max_size = 576;
  message.renewal_seconds = 1800;
  message.rebinding_seconds = 3150;
  message.client_id = Bytes(600, 7);  // In pieces of 255, 255 and 90.
  const auto decoded = DhcpMessage::decode(message.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, message);
}

TEST(Dhcp, AMessageHasAtLeast300OctetsAndItsOptionsInPlace) {
  DhcpMessage message;
  message.op = DhcpMessage::Op::Reply;
  message.type = DhcpMessage::Type::Ack;
  message.chaddr = kMac;
  message.mtu = 1380;
  const Bytes bytes = message.encode();
  EXPECT_EQ(bytes.size(), 300u);
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(236, 12)),
            "63825363"
            "350105"
            "1a020564"
            "ff");
}

TEST(Dhcp, RoutesHaveOnlyTheSignificantOctetsOfTheirSubnets) {  // The table of RFC 3442, page 3.
  struct Example {
    const char* subnet;
    const char* descriptor;
  };
  for (const auto& [subnet, descriptor] :
       {Example{"0.0.0.0/0", "00"}, Example{"10.0.0.0/8", "080a"}, Example{"10.0.0.0/24", "180a0000"},
        Example{"10.17.0.0/16", "100a11"}, Example{"10.27.129.0/24", "180a1b81"},
        Example{"10.229.0.128/25", "190a e50080"}, Example{"10.198.122.47/32", "200ac67a2f"}}) {
    std::string hex = descriptor;
    hex.erase(std::remove(hex.begin(), hex.end(), ' '), hex.end());
    hex += "0a800007";
    DhcpMessage message;
    message.chaddr = kMac;
    message.routes = {{.to = *Ipv4Subnet::parse(subnet), .via = Ipv4Address{0x0a800007}}};
    const std::string encoded = to_hex(message.encode());
    const std::string size = to_hex(Bytes{static_cast<uint8_t>(hex.size() / 2)});
    EXPECT_NE(encoded.find("79" + size + hex + "ff"), std::string::npos) << subnet;
    const auto decoded = DhcpMessage::decode(message.encode());
    ASSERT_TRUE(decoded) << subnet;
    EXPECT_EQ(decoded->routes, message.routes) << subnet;
  }
  for (const char* wrong : {"7901"
                            "18",  // Without the rest.
                            "7906"
                            "210a0000000a",  // 33 bits.
                            "7909"
                            "180a00000a8000"
                            "07"
                            "00",  // And then one without a router.
                            "7907"
                            "0fffff"
                            "0a800007"}) {  // A bit behind the 15.
    EXPECT_FALSE(DhcpMessage::decode(raw_message(std::string("350105") + wrong + "ff"))) << wrong;
  }
}

TEST(Dhcp, AListOfServersIsWhole) {
  const auto message =
      DhcpMessage::decode(raw_message("350105"
                                      "0608"
                                      "0a800001"
                                      "c0000235"
                                      "ff"));
  ASSERT_TRUE(message);
  ASSERT_EQ(message->dns_servers.size(), 2u);
  EXPECT_EQ(message->dns_servers[1].to_string(), "192.0.2.53");
  EXPECT_FALSE(
      DhcpMessage::decode(raw_message("350105"
                                      "0606"
                                      "0a800001"
                                      "c000"
                                      "ff")));
  EXPECT_FALSE(
      DhcpMessage::decode(raw_message("350105"
                                      "2a03"
                                      "0a8000"
                                      "ff")));
}

}  // namespace
}  // namespace ipop
